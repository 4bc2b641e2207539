// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@Suite struct DocumentNodeTests {
    private func parse(_ text: String) throws -> DocumentNode { try DocumentNode(parsing: text, file: "a.yml") }

    /// The problems of a text, one a line.
    private func problems(of text: String) -> [String] {
        do {
            _ = try DocumentNode(parsing: text, file: "a.yml")
            return []
        } catch {
            return error.sorted.map(\.description)
        }
    }

    @Test func `every part has its place`() throws {
        let node = try parse("name: ä b\nlist:\n  - one\n  - { two: 2 }\n\"quoted key\": x\n")
        #expect(node.location.description == "a.yml:1:1")
        let members = try #require(node.members)
        #expect(members.map(\.key) == ["name", "list", "quoted key"])
        #expect(members.map { "\($0.keyLocation)" } == ["a.yml:1:1", "a.yml:2:1", "a.yml:5:1"])
        #expect("\(members[0].value.location)" == "a.yml:1:7")
        let items = try #require(node["list"]?.items)
        #expect(items.map { "\($0.location)" } == ["a.yml:3:5", "a.yml:4:5"])
        #expect(items[1].members?.map { "\($0.keyLocation) \($0.value.location)" } == ["a.yml:4:7 a.yml:4:12"])
    }

    @Test(arguments: [
        // YAML 1.1 makes something else of each of these; here they stay as they were written.
        "on", "off", "yes", "No", "y", "n", "12:30", "1_000", "0o17", "0x1F", "017", "1e3", "5s", "2024-01-01", ".inf",
        "NaN", "<<", "=", "10%", "a b", "http://a:5000/x", "1.10", "+1", "1.",
    ])
    func `a plain scalar stays text`(text: String) throws {
        let node = try parse("key: \(text)")
        #expect(node["key"]?.scalar == text)
        #expect(node["key"]?.isNull == false)
    }

    @Test(
        arguments: [
            ("", JSONValue.null), ("~", nil), ("null", nil), ("true", true), ("False", false), ("1", 1), ("-7", -7),
            ("+1", 1),
            ("1.5", 1.5), ("1e3", 1000.0), ("\"1\"", "1"), ("'true'", "true"), ("\"\"", ""), ("on", "on"),
            ("yes", "yes"),
            ("12:30", "12:30"), ("1_000", "1_000"), ("0x1F", "0x1F"), ("2024-01-01", "2024-01-01"), (".inf", ".inf"),
            ("1.2.3", "1.2.3"),
            ("-", "-"), ("+", "+"), (".", "."), ("e", "e"), ("99999999999999999999", 1e20), ("|\n  1", "1\n"),
            (">-\n  true", "true"),
            ("[1, a]", [1, "a"]), ("{a: 1, b: ~}", ["a": 1, "b": nil]),
        ] as [(String, JSONValue)])
    func `as JSON a plain scalar has its type by the core schema`(text: String, expected: JSONValue) throws {
        let value = try #require(try parse("key: \(text == "-" ? "\"-\"" : text)\n")["key"]?.json)
        #expect(value == expected)
    }

    @Test func `JSON is YAML`() throws {
        let text = "{\"a\": [1, 2.5, true, null, \"x\\n\\u00e4\"], \"b\": {}}"
        #expect(try parse(text).json == JSONValue(parsing: text.utf8))
        #expect(try parse(text)["b"]?.location.column == 47)
    }

    @Test func `kinds have names for messages`() throws {
        let node = try parse("a: {}\nb: []\nc: x\nd:\n")
        #expect(node.members?.map(\.value.kindName) == ["a mapping", "a list", "text", "nothing"])
    }

    @Test(arguments: [
        ("", "a.yml:1:1: the document is empty"),
        ("\n\n# only a comment\n", "a.yml:1:1: the document is empty"),
        ("a: 1\n---\nb: 2\n", "a.yml:2:1: not valid YAML: but found another document"),
        ("a: 1\nb: 2\na: 3\n", "a.yml:1:1: the same key twice: a; keep one of them"),
        ("x:\n  a: 1\n  a: 1\n", "a.yml:2:3: the same key twice: a; keep one of them"),
        ("a:\n\t- b\n", "a.yml:2:1: not valid YAML: found character that cannot start any token"),
        ("a: [1, 2\nb: 3\n", "a.yml:2:2: not valid YAML: did not find expected ',' or ']'"),
        ("a: b: c\n", "a.yml:1:5: not valid YAML: mapping values are not allowed in this context"),
        ("a: \"open\n", "a.yml:2:1: not valid YAML: found unexpected end of stream"),
        ("a: *nowhere\n", "a.yml:1:4: not valid YAML: found undefined alias"),
        ("a: 1\n b: 2\n", "a.yml:2:3: not valid YAML: mapping values are not allowed in this context"),
        ("? [a]\n: b\n", "a.yml:1:3: a key must be text"),
        ("a: \u{0}\n", "a.yml:1:4: not valid YAML: control characters are not allowed"),
        ("%YAML 3.0\n---\na: 1\n", "a.yml:1:1: not valid YAML: found incompatible YAML document"),
    ])
    func `a bad document is refused with its place`(text: String, problem: String) {
        #expect(problems(of: text) == [problem])
    }

    @Test func `all keys that are no text are told at once`() {
        #expect(problems(of: "? [a]\n: b\n? {c: d}\n: e\n").count == 2)
    }

    @Test func `aliases are what they stand for`() throws {
        let node = try parse("base: &b { x: 1 }\ncopy: *b\n")
        #expect(node.json == ["base": ["x": 1], "copy": ["x": 1]])
    }

    @Test func `a bomb of aliases is refused`() {
        var text = "a0: &a0 x\n"
        for level in 1...12 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let found = problems(of: text)
        #expect(found.count == 1)
        #expect(found.first?.contains("the document is too large") == true)
    }

    @Test(arguments: [
        "? *a20\n: x\n", "*a20 : x\n", "b: { *a20 : x }\n", "[*a20, *a20] : x\n", "b: [ { *a20 : 1 } : 2 ]\n",
    ])
    func `a bomb of aliases in a key is refused too`(key: String) {
        var text = "- &a0 x\n"
        for level in 1...20 {
            text += "- &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        text += "- " + key
        #expect(problems(of: text).contains { $0.contains("a key must be text") })
    }

    @Test(arguments: [
        ("[", "]"), ("{a: ", "}"), ("- ", ""), ("[{a: ", "}]"),
    ])
    func `nesting has its limit, and no depth overflows the stack`(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "x" + String(repeating: close, count: depth)
        }
        #expect(throws: Never.self) { try parse(nested(maximumDocumentDepth / (open.count > 4 ? 2 : 1))) }
        for depth in [maximumDocumentDepth + 1, 900, 10_000, 100_000] {
            #expect(problems(of: nested(depth)).count == 1, "depth \(depth)")
        }
    }

    @Test func `problems are sorted by place, those without one first`() {
        var problems = Problems()
        for (line, column) in [(3, 1), (1, 9), (1, 2)] {
            problems.add(Problem(at: SourceLocation(file: "a", line: line, column: column), "x"))
        }
        problems.add(Problem(at: nil, "y", advice: "do z"))
        #expect(problems.description == "y; do z\na:1:2: x\na:1:9: x\na:3:1: x")
    }

    @Test(
        arguments: [
            ("interval", ["interval", "timeout"], "interval"), ("intervall", ["interval", "timeout"], "interval"),
            ("time_out", ["interval", "timeout"], "timeout"), ("Timeout", ["interval", "timeout"], "timeout"),
            ("teh", ["the"], "the"), ("hots", ["hosts", "paths"], "hosts"),
            ("htpp_path", ["http_path", "https_path"], "http_path"),
            ("sucesses", ["successes", "statuses"], "successes"), ("xyz", ["hosts", "paths"], nil),
            ("", ["a", "bc"], "a"),
            ("a", [], nil), ("b", ["a"], "a"), ("healthy", ["unhealthy", "health"], "health"),
        ] as [(String, [String], String?)])
    func `a mistyped key has a nearest one`(word: String, keys: [String], expected: String?) {
        #expect(nearestKey(to: word, among: keys) == expected)
    }
}
