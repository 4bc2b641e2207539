// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

struct ExampleTests {
    @Test func `the walk-through makes two cells`() throws {
        let plans = try Examples.plans(file: Examples.walkThrough)
        #expect(plans.map(\.name) == ["walk-through [health_hit=false]", "walk-through [health_hit=true]"])
    }

    @Test func `a crash of one of three parses`() throws {
        let plans = try Examples.plans(file: Examples.crashOneOfThree)
        #expect(plans.count == 1)
    }

    @Test func `a slow upstream parses`() throws {
        let plans = try Examples.plans(file: Examples.slowUpstream)
        #expect(plans.count == 1)
    }

    @Test(arguments: [Examples.killTheOnlyTarget, Examples.shortSlowUpstream])
    func `the scenarios of the suite are valid`(path: String) throws {
        #expect(try Examples.plans(file: path).count == 1)
    }

    @Test func `print them`() throws {
        for file in [
            Examples.walkThrough, Examples.killTheOnlyTarget, Examples.shortSlowUpstream, Examples.crashOneOfThree,
        ] {
            for plan in try Examples.plans(file: file) { print(explain(plan)) }
        }
    }
}
