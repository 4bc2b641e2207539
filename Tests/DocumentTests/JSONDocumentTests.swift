// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Document

/// JSON texts are read by a reader of their own; it must say what YAML's says, place by place.
@Suite struct JSONDocumentTests {
    private static let escapes = #"{"a": "\"\\\/\b\f\n\r\tA\u00e9", "": "", "b c": "yes"}"#

    @Test(arguments: [
        #"{}"#, #"{"a": 1}"#, #" { "a" : [ ] , "b" : { } } "#, #"{"a": null, "b": true, "c": false, "d": "null"}"#,
        #"{"a": -1, "b": 1.50, "c": 1e3, "d": 0, "e": 12345678901234567890, "f": "1"}"#, escapes,
        """
        {
          "grün": [1,
            {"日本": "x", "y": 2},

            []],
          "z": "é", "last": {"a": {"b": 3}}
        }
        """,
        "{\"many\": {" + (0..<40).map { "\"k\($0)\": \($0)" }.joined(separator: ",\n ") + "}}",
    ])
    func `says what YAML's reader says, at the same places`(text: String) throws {
        let json = try #require(DocumentNode(json: text, file: "a.json"))
        let yaml = try DocumentNode(yaml: text, file: "a.json")
        #expect(Self.lines(json) == Self.lines(yaml))
        #expect(json.json == yaml.json)
        #expect(json.says(yaml))
    }

    /// Every part with its place.
    private static func lines(_ node: DocumentNode) -> [String] {
        switch node.content {
        case .scalar(let text, let isPlain): ["\(node.location) \(isPlain ? text : "'\(text)'")"]
        case .sequence(let items): ["\(node.location) list"] + items.flatMap(lines)
        case .mapping(let members):
            ["\(node.location) mapping"] + members.flatMap { ["\($0.keyLocation) \($0.key):"] + lines($0.value) }
        }
    }

    @Test(arguments: [
        "", "a: 1", "[1]", "{a: 1}", #"{"a": 1,}"#, #"{"a": 01}"#, #"{"a": 1} x"#, #"{"a": 1, "a": 2}"#,
        "{" + (0..<20).map { "\"k\($0)\": 1" }.joined(separator: ",") + ", \"k3\": 1}",
        "{\"a\": " + String(repeating: "[", count: 65) + String(repeating: "]", count: 65) + "}",
    ])
    func `leaves what is no JSON, or more than a document may be, to YAML's reader`(text: String) {
        #expect(DocumentNode(json: text, file: "a.json") == nil)
    }

    @Test func `a key twice is told with its place`() {
        #expect(throws: Problems.self) { try DocumentNode(parsing: #"{"a": 1, "a": 2}"#, file: "a.json") }
    }

    @Test func `surrogate pairs are one character, as JSON has it`() throws {
        let node = try DocumentNode(parsing: #"{"a": "\ud83d\ude00"}"#, file: "a.json")
        #expect(node["a"]?.scalar == "😀")
    }

    @Test func `nodes are compared by what they say, not by where`() throws {
        func parse(_ text: String) throws -> DocumentNode { try DocumentNode(parsing: text, file: "a") }
        let one = try parse(#"{"a": 1, "b": ["x", {"c": null}], "children": [1]}"#)
        #expect(!one.says(try parse("a: 1\nb:\n- x\n- c: null\nchildren: [1]\n")), "x is not quoted")
        #expect(one.says(try parse("{\"a\": 1,\n\n \"b\": [\"x\", {\"c\": null}], \"children\": [1]}")))
        for other in [
            #"{"a": "1", "b": ["x", {"c": null}], "children": [1]}"#, #"{"a": 1, "b": ["x"], "children": [1]}"#,
            #"{"a": 1, "b": ["x", {"c": 0}], "children": [1]}"#, #"{"b": ["x", {"c": null}], "a": 1, "children": [1]}"#,
            #"{"a": 1, "b": ["x", {"c": null}], "children": [2]}"#,
        ] { #expect(!one.says(try parse(other)), "\(other)") }
        let other = try parse(#"{"a": 1, "b": ["x", {"c": null}], "children": [2, 3]}"#)
        #expect(one.says(other, leavingOut: "children"))
        #expect(!one.says(other, leavingOut: "a"))
    }
}
