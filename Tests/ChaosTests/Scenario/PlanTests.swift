// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

struct PlanTests {
    private func transition(_ plan: Plan, _ id: String) throws -> Transition {
        let expectation = try #require(plan.expectations.first { $0.id == id })
        guard case .transition(let transition) = expectation.kind else {
            throw Problem(at: nil, "\(id) is another kind")
        }
        return transition
    }

    @Test func `the walk-through is what it says`() throws {
        let plan = try Examples.plans(file: Examples.walkThrough)[0]
        #expect(plan.seed == 42)
        #expect(plan.length == .seconds(45))
        #expect(plan.loads.map(\.id) == ["users"])
        #expect(
            plan.topology.bindings == [
                Binding(gateway: "gateway", host: "api", port: 8080, mock: "api", link: "gateway->api")
            ])
        let step = plan.steps[1]
        #expect(step.trigger == .at(MarkExpression(.start, offset: .seconds(10))))
        #expect(step.endMark == MarkName("errors-on.end"))
        let settings: [MockSetting] = [
            .init(name: "ERROR_RATE", value: .number(0.9)), .init(name: "ERROR_STATUS", value: .integer(500)),
            .init(name: "ERROR_SKIP_HEALTH", value: .bool(true)),
        ]
        #expect(step.action == .set(mock: "api", settings))
        let trips = try transition(plan, "trips")
        #expect(trips.within.constant == Limits(lower: nil, upper: .requests(16)))
        #expect(trips.target.upstream == "orders-up" && trips.target.target == "api:8080")
        #expect(trips.cause == .passive && trips.mark == MarkName("tripped"))
    }

    @Test(arguments: [(0, "tripped", "10s..15.3s"), (1, "errors-on.end", "0s..15.3s")])
    func `a cell chooses its own mark and bound`(cell: Int, mark: String, within: String) throws {
        let back = try transition(try Examples.plans(file: Examples.walkThrough)[cell], "comes-back")
        #expect(back.after == MarkExpression(MarkName(mark)))
        #expect(back.within.constant?.description == within)
    }

    @Test func `an expectation is judged after those whose marks it needs`() throws {
        let plan = try Examples.plans(
            Examples.broken(
                "starts: 0ms..100ms after tripped, as: dark }",
                "starts: 0ms..100ms after late, as: dark }\n"
                    + "  - { target: api, becomes: healthy, after: tripped, within: 9s, as: late }"
            ))[0]
        let order = plan.judgingOrder.map { plan.expectations[$0].id }
        #expect(order == ["trips", "becomes-3", "dark", "after-all"])
    }

    @Test func `the numbers of the two short scenarios`() throws {
        let kill = try Examples.plans(file: Examples.killTheOnlyTarget)[0]
        #expect(try transition(kill, "trips").within.constant == Limits(lower: .requests(3), upper: .requests(3)))
        #expect(try transition(kill, "comes-back").within.constant?.description == "1.9s..3.3s")
        #expect(kill.steps[1].length == .seconds(5))
        #expect(kill.steps[1].trigger == .at(MarkExpression(.start, offset: .milliseconds(4050))))
        let slow = try Examples.plans(file: Examples.shortSlowUpstream)[0]
        #expect(try transition(slow, "recovers").within.constant?.description == "1.45s..3.3s")
        guard case .count(let count) = try #require(slow.expectations.first { $0.id == "how-many" }).kind else {
            throw Problem(at: nil, "how-many is another kind")
        }
        #expect(count.bound.constant?.description == "== 7")
        #expect(try transition(slow, "trips").within.constant?.description == "1.456s..1.656s")
        #expect(slow.topology.gateways[0].document["services"]?.arrayValue?[0]["read_timeout"] == 1000)
        #expect(slow.topology.gateways[0].upstreams[0].healthChecks["active"]?["timeout"] == 0.5)
    }

    @Test func `what depends on the run stays an expression`() throws {
        struct Shown: Environment {
            func instant(of mark: MarkName) -> Sighting? { nil }
            func requestsInFlight(to target: String, at mark: MarkExpression, load: String?) -> Int? {
                target == "api-2" && mark.mark.text == "crash" && load == "writes" ? 2 : nil
            }
        }
        let plan = try Examples.plans(file: Examples.crashOneOfThree)[0]
        guard case .count(let count) = try #require(plan.expectations.first { $0.id == "writes-bounded" }).kind else {
            throw Problem(at: nil, "writes-bounded is another kind")
        }
        #expect(count.bound.constant == nil)
        #expect(try count.bound.limits(in: Shown()) == Limits(lower: nil, upper: .number(2)))
    }

    // MARK: Variables

    @Test func `a variable from the command line wins over the environment`() throws {
        var options = PlanOptions(environment: ["GATECRASH_VAR_RATE": "70/s", "GATECRASH_VAR_SLOW": "1s"])
        func variables() throws -> [String] {
            try Examples.plans(Examples.base, options)[0].variables.map { "\($0.value)" }
        }
        #expect(try variables() == ["70/s", "1s"])
        options.variables = [("rate", "80/s"), ("rate", "90/s")]
        #expect(try variables() == ["90/s", "1s"])
    }

    @Test(arguments: [
        ("rat", "80/s", "--var rat=80/s: the file has no variable `rat`; did you mean `rate`?"),
        (
            "rate", "80",
            "the variable `rate` is a rate (50/s), not a number (80); give a value like the file's"
        ),
    ])
    func `a wrong variable is refused`(name: String, value: String, message: String) {
        #expect(Examples.messages(Examples.base, PlanOptions(variables: [(name, value)])) == [message])
    }

    @Test func `a matrix is every combination but the excluded`() throws {
        let text = Examples.broken(
            "vars: { rate: 50/s, slow: 3s }",
            "vars: { rate: \"$(a * 10/s)\" }\nmatrix: { a: [1, 2], b: [x, y], exclude: [{ a: 2, b: x }] }")
        let cells = try Examples.plans(text).map(\.cell)
        #expect(cells == ["a=1, b=x", "a=1, b=y", "a=2, b=y"])
        #expect(try Examples.plans(text)[2].variables.last?.value == .rate(Rate(perSecond: 20)))
        let narrowed = try Examples.plans(text, PlanOptions(variables: [("a", "1"), ("b", "z")]))
        #expect(narrowed.map(\.cell) == ["a=1, b=z"])
    }

    @Test func `what is not built is let through when asked`() throws {
        let text = Examples.broken("scenario: small", "scenario: small\nmode: virtual")
        #expect(Examples.messages(text).count == 1)
        #expect(try Examples.plans(text, PlanOptions(checksCapabilities: false))[0].mode == .virtual)
    }

    @Test func `a file that is not there is one line at the place that names it`() {
        let text = Examples.base.replacingOccurrences(of: "    inline:", with: "    kong: ./none.yml\n    inlined:")
        #expect(Examples.messages(text).contains("s.yml:8:11: none.yml: cannot be read; there is no such file"))
    }

    @Test func `a mistake in the Kong document is at its own place`() {
        let text = Examples.broken("retries: 0 }", "retrys: 0 }")
        let messages = Examples.messages(text)
        #expect(messages.count == 1 && messages[0].hasPrefix("s.yml:10:"), "\(messages)")
    }

    @Test func `the gap of a window follows the load`() throws {
        func gap(_ load: String) throws -> Nanoseconds? {
            guard
                case .window(let window) = try Examples.plans(Examples.broken("rate: \"$(rate)\"", load))[0]
                    .expectations[1].kind
            else { return nil }
            return window.gap
        }
        #expect(try gap("rate: 50/s") == .milliseconds(200))
        #expect(try gap("rate: 5/s") == .milliseconds(600))
        #expect(try gap("rate: 5/s, arrivals: poisson") == .seconds(4))
    }
}
