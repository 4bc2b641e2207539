// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

@testable import Chaos

/// Swift Testing has an `Expectation` too.
typealias ExpectationKind = Expectation.Kind
typealias ExpectationSeverity = Expectation.Severity

/// The plan that belongs to a `Story`, and short words for bounds and marks.
enum TestPlan {
    static let location = SourceLocation(file: "walk-through.yaml", line: 1, column: 1)
    static let api = TargetReference(
        name: "api", gateway: "gateway", upstream: "orders-up", target: "api:8080", mock: "api")

    static func healthChecks(
        passiveFailures: Int = 3, passiveSuccesses: Int = 0, successes: Int = 3, interval: Double = 5
    ) -> JSONValue {
        [
            "active": [
                "http_path": "/health",
                "healthy": [
                    "interval": .number(interval), "successes": .integer(successes), "http_statuses": [200, 302],
                ],
                "unhealthy": [
                    "interval": .number(interval), "http_failures": 3, "tcp_failures": 3, "timeouts": 3,
                    "http_statuses": [429, 404, 500, 501, 502, 503, 504, 505],
                ],
            ],
            "passive": [
                "healthy": ["successes": .integer(passiveSuccesses), "http_statuses": [200, 201, 302]],
                "unhealthy": [
                    "http_failures": .integer(passiveFailures), "tcp_failures": 0, "timeouts": 0,
                    "http_statuses": [429, 500, 503],
                ],
            ],
        ]
    }

    static func plan(
        _ expectations: [Expectation.Kind] = [], invariants: [Invariant.Kind] = [], grace: Int64 = ms(50),
        checks: JSONValue = healthChecks(), timer: Nanoseconds? = nil, steps: [String] = ["errors-on"]
    ) -> Plan {
        let items = expectations.enumerated().map { index, kind in
            Expectation(id: "\(kind.word)-\(index + 1)", why: nil, severity: .must, kind: kind, location: location)
        }
        let mock = MockNode(id: "api", group: "api", settings: [], healthPath: "/health", location: location)
        let gateway = GatewayNode(
            id: "gateway", source: .inline, document: .null,
            upstreams: [
                UpstreamFacts(
                    name: "orders-up", targets: [.init(target: "api:8080", host: "api", port: 8080, weight: 100)],
                    healthChecks: checks)
            ], environment: [], process: .spawn, location: location)
        let topology = Topology(
            gateways: [gateway], groups: [MockGroup(id: "api", nodes: [mock], location: location)], links: [],
            bindings: [Binding(gateway: "gateway", host: "api", port: 8080, mock: "api", link: "gateway->api")])
        return Plan(
            scenario: "walk-through", title: nil, summary: nil, tags: [], seed: 42, mode: .any, timeout: .seconds(120),
            repetitions: 1, tolerance: .init(timer: timer, maximumLateness: .milliseconds(50)), variables: [],
            topology: topology, loads: [], steps: [], expectations: items,
            invariants: invariants.enumerated().map { index, kind in
                Invariant(
                    id: "\(kind.word)-\(index + 1)", why: nil, kind: kind, grace: Nanoseconds(grace), during: .wholeRun,
                    location: location)
            }, marks: marks(expectations, steps), judgingOrder: Array(items.indices), location: location)
    }

    private static func marks(_ expectations: [Expectation.Kind], _ steps: [String]) -> [MarkDefinition] {
        var marks: [MarkDefinition] = []
        func add(_ name: String, _ origin: MarkDefinition.Origin) {
            marks.append(MarkDefinition(name: MarkName(name), origin: origin, location: nil))
        }
        add("start", .run)
        add("end", .run)
        for (index, step) in steps.enumerated() {
            add(step, .step(index))
            add(step + ".end", .step(index))
        }
        for (index, kind) in expectations.enumerated() {
            switch kind {
            case .transition(let value): if let mark = value.mark { add(mark.text, .expectation(index)) }
            case .recovery(let value): if let mark = value.mark { add(mark.text, .expectation(index)) }
            case .window(let value):
                if let mark = value.mark {
                    add(mark.text + ".start", .expectation(index))
                    add(mark.text + ".end", .expectation(index))
                }
            default: break
            }
        }
        return marks
    }

    static func bound(_ lower: Value?, _ upper: Value?, _ dimension: Dimension) -> Bound {
        Bound(
            lower: lower.map(Expression.literal), upper: upper.map(Expression.literal), dimension: dimension,
            text: "bound",
            location: location)
    }

    static func time(_ lower: Int64?, _ upper: Int64?) -> Bound {
        bound(
            lower.map { .duration(Nanoseconds($0)) }, upper.map { .duration(Nanoseconds($0)) }, .duration)
    }

    static func requests(_ upper: Int) -> Bound { bound(nil, .number(Double(upper)), .requests) }
    static func number(_ lower: Int?, _ upper: Int?) -> Bound {
        bound(lower.map { .number(Double($0)) }, upper.map { .number(Double($0)) }, .number)
    }
    static func ratio(_ lower: Double?, _ upper: Double? = nil) -> Bound {
        bound(lower.map { .ratio(Ratio($0)) }, upper.map { .ratio(Ratio($0)) }, .ratio)
    }

    static func mark(_ name: String, _ offset: Int64 = 0) -> MarkExpression {
        MarkExpression(MarkName(name), offset: Nanoseconds(offset))
    }
    static func during(_ from: String, _ to: String) -> During { During(from: mark(from), to: mark(to)) }

    static func becomes(
        _ state: HealthState, within: Bound, after: String = "errors-on", cause: HealthCause? = nil,
        as name: String? = nil
    ) -> Expectation.Kind {
        .transition(
            Transition(
                target: api, becomes: state, within: within, after: mark(after), cause: cause,
                mark: name.map { MarkName($0) }))
    }

    static func window(
        _ status: Int, origin: OutcomeFilter.Origin? = nil, starts: RelativeBound? = nil, ends: RelativeBound? = nil,
        lasts: Bound? = nil, count: Bound? = nil, purity: Double = 1, gap: Int64 = ms(200), as name: String? = nil
    ) -> Expectation.Kind {
        .window(
            Window(
                filter: OutcomeFilter(statuses: [status...status], origin: origin), starts: starts, ends: ends,
                lasts: lasts,
                count: count, purity: Ratio(purity), gap: Nanoseconds(gap), clock: .arrival, during: .wholeRun,
                mark: name.map { MarkName($0) }))
    }

    static func after(_ name: String, _ lower: Int64?, _ upper: Int64?) -> RelativeBound {
        RelativeBound(bound: time(lower, upper), after: mark(name))
    }
}
