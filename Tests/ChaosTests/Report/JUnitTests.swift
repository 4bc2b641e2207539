// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Testing

@testable import Chaos

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite struct JUnitTests {
    private func report(
        _ verdicts: [Verdict], _ result: RunResult, reasons: [String] = [],
        edit: (inout JournalEvent.Header) -> Void = { _ in }
    ) -> RunReport {
        var story = Story()
        story.editHeader(edit)
        story.end(s(45.12))
        story.mark("end", s(45.12))
        return RunReport(
            view: story.view,
            verdict: RunVerdict(
                result: result, reasons: reasons, verdicts: verdicts, reproduce: "gatecrash run x --seed 42"))
    }

    private func verdict(
        _ id: String, _ result: Verdict.Result, severity: ExpectationSeverity = .must, sentence: String = "it was so"
    ) -> Verdict {
        Verdict(
            id: id, group: .expectation, kind: "count", severity: severity, result: result, seen: "", allowed: "",
            sentence: sentence, location: SourceLocation(file: "a.yaml", line: 7, column: 1))
    }

    @Test func `a suite is read back as it was meant`() throws {
        let first = report(
            [
                verdict("good", .pass), verdict("bad", .fail), verdict("open", .inconclusive),
                verdict("soft", .fail, severity: .should),
            ], .fail
        ) { header in
            header.cell = [.init("health_hit", "false")]
            header.repetition = 2
        }
        let second = report([], .topology, reasons: ["mock api did not start"])
        let elements = try parse(JUnitReport([first, second], isStrict: true).text)
        let suites = elements.filter { $0.name == "testsuite" }
        #expect(
            suites.map { $0.attributes["name"] } == [
                "walk-through [health_hit=false] seed 42 repetition 2", "walk-through seed 42", "gatecrash",
            ])
        #expect(suites[0].attributes["tests"] == "4")
        #expect(suites[0].attributes["failures"] == "1")
        #expect(suites[0].attributes["skipped"] == "2")
        #expect(suites[0].attributes["time"] == "45.120")
        #expect(suites[1].attributes["errors"] == "1")
        let all = try #require(elements.first)
        #expect(all.name == "testsuites")
        #expect(all.attributes["tests"] == "6")
        let failure = try #require(elements.first { $0.name == "failure" })
        #expect(failure.text == "it was so. Reproduce: gatecrash run x --seed 42")
        let skipped = elements.filter { $0.name == "skipped" }.map { $0.attributes["message"] ?? "" }
        #expect(skipped == ["inconclusive: it was so.", "should: it was so. Reproduce: gatecrash run x --seed 42"])
        #expect(elements.first { $0.name == "error" }?.attributes["message"] == "topology: mock api did not start")
        #expect(elements.first { $0.attributes["name"] == "bad" }?.attributes["line"] == "7")
    }

    @Test func `inconclusive runs fail only when asked to`() throws {
        let run = report([verdict("open", .inconclusive)], .inconclusive, reasons: ["the host was too busy"])
        let relaxed = try parse(JUnitReport([run]).text)
        #expect(!relaxed.contains { $0.name == "failure" || $0.name == "error" })
        #expect(relaxed.filter { $0.name == "skipped" }.count == 2)
        let strict = try parse(JUnitReport([run], isStrict: true).text)
        #expect(strict.first { $0.name == "failure" }?.attributes["message"] == "1 inconclusive: walk-through seed 42")
    }

    @Test func `no text can break the document`() throws {
        let nasty = "<a href=\"x\">&amp; 'q' ]]> \u{0}\u{1B}[31m\u{FFFE} ü ± \u{1F4A5}\n\tend"
        let run = report([verdict(nasty, .fail, sentence: nasty)], .fail)
        let elements = try parse(JUnitReport([run]).text)
        let expected = "<a href=\"x\">&amp; 'q' ]]> \u{FFFD}\u{FFFD}[31m\u{FFFD} ü ± \u{1F4A5}\n\tend"
        #expect(elements.first { $0.name == "testcase" }?.attributes["name"] == expected)
        #expect(elements.first { $0.name == "failure" }?.attributes["message"] == expected)
        #expect(elements.first { $0.name == "failure" }?.text.hasPrefix(expected) == true)
    }

    // MARK: Reading

    private struct Element {
        var name: String
        var attributes: [String: String]
        var text = ""
    }

    private func parse(_ text: String) throws -> [Element] {
        let reader = Reader()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        return reader.elements
    }

    private final class Reader: NSObject, XMLParserDelegate {
        var elements: [Element] = []
        private var open: [Int] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String] = [:]
        ) {
            open.append(elements.count)
            elements.append(Element(name: name, attributes: attributes))
        }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            open.removeLast()
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) {
            if let index = open.last { elements[index].text += text }
        }
    }
}
