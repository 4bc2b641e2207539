// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct DiffTests {
    private func digest(_ walks: WalkThrough...) throws -> ResultDigest {
        try ResultDigest(walks.map { RunReport(view: $0.played.view, verdict: $0.verdict) })
    }

    @Test func `equal results have no change`() throws {
        let diff = ResultDiff(try digest(WalkThrough()), try digest(WalkThrough()))
        #expect(!diff.isWorse)
        #expect(diff.text(style: Style()) == "= walk-through: no change\n1 runs compared: 0 changed, 0 worse")
    }

    @Test func `a verdict that fails now is worse, with what was seen`() throws {
        let diff = ResultDiff(try digest(WalkThrough()), try digest(WalkThrough(recoversAt: 5)))
        #expect(diff.isWorse)
        let lines = diff.text(style: Style()).split(separator: "\n").map(String.init)
        #expect(lines[0] == "walk-through")
        #expect(lines[1] == "  - result: pass -> fail")
        #expect(lines.contains { $0.hasPrefix("  - expectation becomes-2: pass (became healthy 10.26s after") })
        #expect(lines.contains { $0.hasPrefix("  ~ mark recovered: 20.3s -> 30.3s (+10s)") })
        #expect(lines.contains { $0.hasPrefix("  ~ answer 503 from gateway: 512 -> ") })
    }

    @Test func `what passes again is better`() throws {
        let diff = ResultDiff(try digest(WalkThrough(tripsAt: 4)), try digest(WalkThrough()))
        #expect(!diff.isWorse)
        #expect(diff.text(style: Style()).contains("  + expectation model-6: fail ("))
    }

    @Test func `a run that is missing is worse, whatever its place`() throws {
        let diff = ResultDiff(try digest(WalkThrough()), try ResultDigest([RunReport]()))
        #expect(diff.isWorse)
        #expect(diff.json["worse"] == true)
        #expect(diff.json["runs"]?.arrayValue?.first?["changes"]?.arrayValue?.first?["after"] == "missing")
    }

    @Test(arguments: ["{}", "[]", #"{"format":2,"runs":[]}"#, #"{"format":1}"#, #"{"format":1,"runs":7}"#])
    func `what is no result document is refused`(text: String) throws {
        let value = try JSONValue(parsing: text.utf8)
        #expect(throws: Problem.self) { try ResultDigest(value) }
    }

    @Test func `a document with gaps is read`() throws {
        let value = try JSONValue(parsing: #"{"format":1,"runs":[{"marks":[{"t_ns":99999999999999999}]},{},3]}"#.utf8)
        #expect(try ResultDigest(value).runs.count == 3)
    }
}
