// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

/// The package keeps its own rules.
@Suite struct TidyTests {
    private func expectNone(_ files: [SourceFile], _ rule: (SourceFile) -> [Finding]) {
        for finding in files.flatMap(rule) { Issue.record("\(finding)") }
    }

    @Test func `all files are seen`() {
        #expect(Tree.swift.count > 50)
        for path in ["Package.swift", "Sources/World/World.swift", "ci/test", ".ci/run"] {
            #expect(Tree.all.contains { $0.path == path }, "\(path)")
        }
        #expect(!Tree.all.contains { $0.path.contains(".build") })
    }

    @Test func `imports only point down`() { expectNone(Tree.swift, ImportRules.findings) }
    @Test func `clock, chance and network come from World`() { expectNone(Tree.swift, NameRules.findings) }
    @Test func `ways around the compiler are proven safe`() { expectNone(Tree.swift, NameRules.findingsWithoutProof) }
    @Test func `lines are short`() { expectNone(Tree.all, LayoutRules.longLines) }
    @Test func `files are short`() { expectNone(Tree.all, LayoutRules.longFiles) }
    @Test func `functions are short`() { expectNone(Tree.swift, LayoutRules.longFunctions) }
    @Test func `sources say what they belong to`() { expectNone(Tree.all, LayoutRules.headers) }
    @Test func `no white space at the ends of lines`() { expectNone(Tree.all, LayoutRules.whiteSpace) }
    @Test func `nothing is left unfinished`() { expectNone(Tree.all, LayoutRules.leftovers) }
    @Test func `nothing names the machine it was written on, or a registry`() {
        expectNone(Tree.all, LayoutRules.places)
    }

    @Test func `every scenario finds a defect, and every defect is found`() {
        for finding in DefectRules.findings(in: Tree.all) { Issue.record("\(finding)") }
    }

    @Test(arguments: ["README.md", "CHANGELOG.md", "LICENSE", "ci/test", "ci/scenarios", ".ci/run", ".swift-format"])
    func `a package has its papers`(path: String) {
        #expect(Tree.exists(path), "\(path) is missing; write it")
    }
}

/// Each rule objects to a bad example and to no good one.
@Suite struct TidyRuleTests {
    private static let good = "\(LayoutRules.header)\n\nimport NIOCore\n\nlet a = 1\n"

    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var path: String
        var text: String
        /// Found in the message; nil for an example that is good.
        var objection: String?

        init(_ description: String, _ path: String, _ text: String, _ objection: String?) {
            (testDescription, self.path, self.text, self.objection) = (description, path, text, objection)
        }
    }

    private func check(_ example: Example, _ rule: (SourceFile) -> [Finding]) {
        let found = rule(SourceFile(path: example.path, text: example.text))
        if let objection = example.objection {
            #expect(found.count == 1 && found.first?.message.contains(objection) == true, "\(found)")
        } else {
            #expect(found.isEmpty, "\(found)")
        }
    }

    @Test(arguments: [
        Example(
            "a mock that knows the gateway", "Sources/MockAPI/A.swift", "import Gateway\n", "must not import Gateway"),
        Example(
            "a gateway that knows the mock", "Sources/Gateway/A.swift", "package import MockAPI\n",
            "must not import MockAPI"),
        Example("a gateway that knows chaos", "Sources/Gateway/A.swift", "import Chaos\n", "must not import Chaos"),
        Example("an import that points up", "Sources/World/A.swift", "@testable import Wire\n", "must not import Wire"),
        Example(
            "a part of a module", "Sources/Wire/A.swift", "import struct Gateway.Route\n", "must not import Gateway"),
        Example(
            "a test of the mock that knows the gateway", "Tests/MockAPITests/A.swift", "import Gateway\n",
            "import Gateway"),
        Example(
            "sockets outside World", "Sources/Gateway/A.swift", "import NIOPosix\n",
            "Sources/World/Real imports NIOPosix"),
        Example(
            "sockets in World's seams", "Sources/World/A.swift", "import NIOPosix\n",
            "Sources/World/Real imports NIOPosix"),
        Example("the stock codec", "Sources/Wire/A.swift", "import NIOHTTP1\n", "Tests imports NIOHTTP1"),
        Example("all of Foundation", "Sources/Gateway/A.swift", "import Foundation\n", "FoundationEssentials"),
        Example("the old test library", "Tests/WireTests/A.swift", "import XCTest\n", "use Testing"),
        Example(
            "imports that point down", "Sources/Gateway/A.swift",
            "import Wire\npackage import World\nimport Document\n", nil),
        Example("sockets in the real world", "Sources/World/Real/A.swift", "import NIOPosix\n", nil),
        Example("an import in a comment", "Sources/MockAPI/A.swift", "// import Gateway\n", nil),
        Example("an import in a string", "Sources/MockAPI/A.swift", "let a = \"\"\"\nimport Gateway\n\"\"\"\n", nil),
    ])
    func `imports`(_ example: Example) { check(example, ImportRules.findings) }

    @Test(arguments: NameRules.all.map(\.name))
    func `every forbidden name is found, and its replacement named`(name: String) throws {
        let file = SourceFile(
            path: "Sources/Gateway/A.swift", text: "let a = 1\nlet b = x\(name.first == "." ? "" : " ")\(name)\n")
        let found = NameRules.findings(in: file)
        let rule = try #require(NameRules.all.first { $0.name == name })
        #expect(found.contains { $0.line == 2 && $0.message.contains("use \(rule.instead)") }, "\(found)")
        let inComment = SourceFile(path: "Sources/Gateway/A.swift", text: "// x \(name)\nlet b = \"x \(name)\"\n")
        #expect(NameRules.findings(in: inComment).isEmpty)
    }

    @Test(arguments: [
        Example("a real clock in World", "Sources/World/Real/A.swift", "let a = NIODeadline.now()\n", nil),
        Example("waiting at the edge", "Sources/CommandLine/A.swift", "try future.wait()\n", nil),
        Example("waiting in a test", "Tests/WorldTests/A.swift", "try future.wait()\n", nil),
        Example(
            "sleeping in a test", "Tests/WireTests/A.swift", "try await Task.sleep(for: a)\n", "scheduleTask"),
        Example("a longer word", "Sources/Gateway/A.swift", "let a = lastUpdate()\nlet b = MyUUID()\n", nil),
        Example(
            "within an interpolation's string", "Sources/Gateway/A.swift", "let a = \"\\(f(\"UUID()\")) b\"\n", nil),
        Example(
            "behind an interpolation", "Sources/Gateway/A.swift", "let a = \"\\(f(\"x\"))\" + UUID().text\n",
            "RandomStream"),
        Example("behind a raw string", "Sources/Gateway/A.swift", "let a = #\"\"\"# + UUID().text\n", "RandomStream"),
        Example(
            "behind a block comment", "Sources/Gateway/A.swift", "/* /* */ UUID() */ let a = UUID()\n", "RandomStream"),
    ])
    func `names`(_ example: Example) { check(example, NameRules.findings) }

    @Test(arguments: [
        Example("no proof", "Sources/A.swift", "struct A: @unchecked Sendable {}\n", "Proof:"),
        Example("a comment that proves nothing", "Sources/A.swift", "// It is fine.\nlet a = try! b()\n", "Proof:"),
        Example("a proof too far away", "Sources/A.swift", "// Proof: x\n\nnonisolated(unsafe) var a = 1\n", "Proof:"),
        Example(
            "a proof", "Sources/A.swift", "// Proof: immutable\n// since init.\nstruct A: @unchecked Sendable {}\n", nil
        ),
        Example(
            "a proof above an attribute", "Sources/A.swift",
            "/// Proof: x\n@frozen\nstruct A: @unchecked Sendable {}\n", nil),
    ])
    func `proofs`(_ example: Example) { check(example, NameRules.findingsWithoutProof) }

    @Test(arguments: [
        Example("121 columns", "Sources/A.swift", String(repeating: "x", count: 121) + "\n", "121 columns"),
        Example("120 columns", "Sources/A.swift", String(repeating: "x", count: 120) + "\n", nil),
        Example("120 columns of more bytes", "Sources/A.swift", String(repeating: "ä", count: 120) + "\n", nil),
        Example("a long line of prose", "README.md", String(repeating: "x", count: 200) + "\n", nil),
    ])
    func `columns`(_ example: Example) { check(example, LayoutRules.longLines) }

    @Test(arguments: [
        Example("501 lines", "Sources/A.swift", String(repeating: "x\n", count: 501), "501 lines"),
        Example("500 lines", "Sources/A.swift", String(repeating: "x\n", count: 500), nil),
    ])
    func `lines`(_ example: Example) { check(example, LayoutRules.longFiles) }

    private static func function(_ start: String, lines: Int) -> String {
        "struct A {\n    \(start) {\n" + String(repeating: "        b(\"}\") { c }\n", count: lines - 2) + "    }\n}\n"
    }

    @Test(arguments: [
        Example(
            "71 lines", "Sources/A.swift", function("func a(_ b: () -> Void = {}) -> Int", lines: 71),
            "a takes 71 lines"),
        Example("70 lines", "Sources/A.swift", function("func a(_ b: () -> Void = {}) -> Int", lines: 70), nil),
        Example("an initialiser", "Sources/A.swift", function("init?(a: Int)", lines: 71), "takes 71 lines"),
        Example(
            "parameters on many lines", "Sources/A.swift", function("func a(\n  b: Int,\n  c: Int\n)", lines: 68),
            "takes 71 lines"),
        Example(
            "a requirement", "Sources/A.swift",
            "protocol A {\n    func a()\n    func b()\n}\n\(function("func c()", lines: 60))", nil),
    ])
    func `functions`(_ example: Example) { check(example, LayoutRules.longFunctions) }

    @Test(arguments: [
        Example("no header", "Sources/A.swift", "import NIOCore\n", "the first line must be"),
        Example(
            "no empty line behind it", "Sources/A.swift", "\(LayoutRules.header)\nimport NIOCore\n",
            "the first line must be"),
        Example("a header", "Sources/A.swift", good, nil),
        Example("a manifest", "Package.swift", "// swift-tools-version: 6.2\n", nil),
    ])
    func `headers`(_ example: Example) { check(example, LayoutRules.headers) }

    @Test(arguments: [
        Example("a space", "README.md", "a \n", "white space"), Example("a tab", "ci/test", "a\t\n", "white space"),
        Example("CRLF", "README.md", "a\r\nb\n", "CRLF"),
        Example("no line feed at the end", "README.md", "a", "one line feed"),
        Example("two line feeds at the end", "README.md", "a\n\n", "one line feed"),
        Example("clean", "README.md", "a\n\nb\n", nil),
    ])
    func `white space`(_ example: Example) { check(example, LayoutRules.whiteSpace) }

    @Test(arguments: [
        Example("a marker", "Sources/A.swift", "// TO" + "DO: all of it\n", "unfinished work"),
        Example("a marker in prose", "README.md", "This is un" + "implemented.\n", "unfinished work"),
        Example("within a word", "Sources/A.swift", "let a = TO" + "DOS\n", nil),
    ])
    func `leftovers`(_ example: Example) { check(example, LayoutRules.leftovers) }

    @Test(arguments: [
        Example("a home", "README.md", "cd /ho" + "me/me/gatecrash\n", "a path of one machine"),
        Example("a path in quotes", "ci/test", "x=\"/wo" + "rk/a\"\n", "a path of one machine"),
        Example("a registry", "README.md", "from https://pypi" + ".org/simple\n", "a registry's host"),
        Example("a path of a URL", "README.md", "GET http://a/ho" + "me/x and /workers/1 and a/wo" + "rk/b\n", nil),
    ])
    func `places`(_ example: Example) { check(example, LayoutRules.places) }
}
