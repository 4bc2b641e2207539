// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing
import World

@testable import Chaos

/// No text may crash the reader, and whatever it says must be one line at a place.
struct ScenarioFuzzTests {
    private static let pieces = [
        "$(", ")", "..", "±", "+-", "after", "requests", "5s", "1m30s", "50/s", "90%", "-", "hc.active", "tripped",
        "start", "end", "? 1 : 2", "&&", "!", "'", "\"", "min(", "inflight(api, ", "99999999999999999h", "0/s", "{ }",
        "[]",
        "null", "~", ": ", "- ", "\n", "é", "\u{1F600}", "0x1", "1e9", ".5", "9223372036854775807ns", ",", "*", "&a",
    ]

    @Test(arguments: 0..<8)
    func `any change of a good scenario is read or refused`(seed: UInt64) {
        var random = RandomStreams(seed: seed).stream("scenario fuzz")
        let bases = [Examples.base, (try? ScenarioFile.text(ofFile: Examples.walkThrough)) ?? ""]
        for round in 0..<60 {
            var text = Array(bases[round % bases.count])
            for _ in 0...Int(random.next() % 3) { Self.mutate(&text, &random) }
            Self.check(String(text))
        }
    }

    @Test func `any text is an expression or a mistake`() {
        var random = RandomStreams(seed: 1).stream("expression fuzz")
        var reader = Reader()
        reader.scope.marks = [.start, .end, MarkName("tripped")]
        for _ in 0..<20_000 {
            let count = Int(random.next() % 12)
            let text = (0..<count).map { _ in
                Self.pieces[Int(random.next() % UInt64(Self.pieces.count))] + (random.next() % 2 == 0 ? " " : "")
            }.joined()
            let node = DocumentNode(
                .scalar(text, isPlain: true), at: Document.SourceLocation(file: "f", line: 1, column: 1))
            _ = reader.bound(node, "`x`", over: [.duration, .requests], bare: .upTo)
            _ = reader.relativeBound(node, "`x`")
            _ = reader.during(node)
            _ = reader.template(node, "`x`")
            _ = reader.value(node, "`x`")
            _ = reader.condition(node, "`x`")
            reader.problems = Problems()
        }
    }

    private static func mutate(_ text: inout [Character], _ random: inout RandomStream) {
        guard !text.isEmpty else { return }
        let at = Int(random.next() % UInt64(text.count))
        switch random.next() % 4 {
        case 0: text.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))], at: at)
        case 1: text.removeSubrange(at..<min(text.count, at + 1 + Int(random.next() % 8)))
        case 2:
            let from = Int(random.next() % UInt64(text.count))
            text.insert(contentsOf: text[from..<min(text.count, from + 12)], at: at)
        default:
            let piece = Array(pieces[Int(random.next() % UInt64(pieces.count))])
            text.replaceSubrange(at..<min(text.count, at + piece.count), with: piece)
        }
    }

    private static func check(_ text: String) {
        do {
            for plan in try Examples.plans(text) { _ = explain(plan) }
        } catch {
            #expect(!error.list.isEmpty)
            for problem in error.list {
                #expect(!problem.description.contains("\n"), "\(problem) has more than one line")
            }
        }
    }
}
