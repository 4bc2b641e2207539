// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI
import NIOCore
import Testing
import World

/// A machine of seed 1 with some settings.
private func machine(_ settings: JSONValue = [:], name: String = "api", seed: UInt64 = 1) throws -> MockMachine {
    var parsed = MockSettings()
    try parsed.merge(settings)
    return MockMachine(name: name, settings: parsed, random: RandomStreams(seed: seed))
}

@Suite struct MockMachineTests {
    typealias Row = (method: MockRequest.Method, path: String, settings: JSONValue, decision: MockDecision)

    static let table: [Row] = [
        // Flask's mock.
        (.get, "/hello", [:], MockDecision(.hello)),
        (.head, "/hello", [:], MockDecision(.hello)),
        (.get, "/hell%6f", [:], MockDecision(.hello)),
        (.get, "/hello%2", [:], MockDecision(.notFound)),
        (.options, "/hello", ["ERROR_RATE": 1.5], MockDecision(.options(.reading))),
        (.other, "/hello", ["ERROR_RATE": 1.5], MockDecision(.methodNotAllowed(.reading))),
        (.get, "/hello/", [:], MockDecision(.notFound)),
        (.other, "/orders", ["ERROR_RATE": 1.5], MockDecision(.notFound)),
        (.get, "/health", ["ERROR_RATE": 1.5], MockDecision(.healthy)),
        (.get, "/hello", ["ERROR_RATE": 1.5], MockDecision(.error(status: 500))),
        (.get, "/hello", ["ERROR_RATE": -1], MockDecision(.hello)),
        // Ours: the root, and every path when asked.
        (.get, "/", [:], MockDecision(.hello)),
        (.other, "/", [:], MockDecision(.methodNotAllowed(.reading))),
        (.other, "/", ["CATCH_ALL": true], MockDecision(.hello)),
        (.get, "/orders/1", ["CATCH_ALL": true], MockDecision(.hello)),
        (.other, "/items", ["CATCH_ALL": true, "ERROR_RATE": 1], MockDecision(.error(status: 500))),
        (.options, "/items", ["CATCH_ALL": true], MockDecision(.options(.every))),
        (.other, "/hello", ["CATCH_ALL": true], MockDecision(.methodNotAllowed(.reading))),
        // The other switches.
        (.get, "/hello", ["ERROR_RATE": 1, "ERROR_STATUS": 503], MockDecision(.error(status: 503))),
        (.get, "/health", ["ERROR_RATE": 1, "ERROR_SKIP_HEALTH": false], MockDecision(.error(status: 500))),
        (.get, "/health", ["HEALTH": "unhealthy"], MockDecision(.unhealthy)),
        (.get, "/hello", ["HEALTH": "unhealthy"], MockDecision(.hello)),
        (.get, "/health", ["HEALTH": "hang"], MockDecision(.healthy, ending: .hang)),
        (.get, "/hello", ["HANG": true], MockDecision(.hello, ending: .hang)),
        (.get, "/health", ["HANG": true], MockDecision(.healthy)),
        (.get, "/health", ["HANG": true, "ERROR_SKIP_HEALTH": false], MockDecision(.healthy, ending: .hang)),
        (.get, "/hello", ["CLOSE": "before head"], MockDecision(.hello, ending: .closeBeforeHead)),
        (.get, "/hello", ["CLOSE": "mid body"], MockDecision(.hello, ending: .closeMidBody)),
        (.get, "/health", ["CLOSE": "mid body"], MockDecision(.healthy)),
        (.get, "/hello", ["LATENCY": "7ms"], MockDecision(.hello, delay: .milliseconds(7))),
        (.get, "/health", ["LATENCY": "7ms"], MockDecision(.healthy, delay: .milliseconds(7))),
        (.get, "/health", ["LATENCY": "7ms", "LATENCY_SKIP_HEALTH": true], MockDecision(.healthy)),
    ]

    @Test(arguments: table)
    func `a request is decided by path, method and settings`(row: Row) throws {
        var machine = try machine(row.settings)
        #expect(machine.decide(MockRequest(row.method, .init(row.path))) == row.decision)
    }

    @Test func `answers are Flask's to the byte`() {
        #expect(MockAnswer.hello.body() == "{\"message\":\"Hello from Mock API\"}\n")
        #expect(MockAnswer.error(status: 500).body() == "{\"message\":\"Internal Server Error\"}\n")
        #expect(MockAnswer.healthy.body() == "{\"status\":\"healthy\"}\n")
        #expect(MockAnswer.methodNotAllowed(.reading).body().hasPrefix("<!doctype html>\n<html lang=en>\n<title>405 "))
        let lengths: [(MockAnswer, Int)] = [
            (.hello, 34), (.methodNotAllowed(.reading), 153), (.notFound, 207), (.options(.reading), 0),
        ]
        for (answer, length) in lengths { #expect(answer.body().utf8.count == length) }
    }

    @Test(arguments: [(nil, 34), (0, 34), (35, 35), (1000, 1000)] as [(Int?, Int)])
    func `padding keeps the JSON`(padding: Int?, length: Int) throws {
        let body = MockAnswer.hello.body(paddedTo: padding)
        #expect(body.utf8.count == length)
        #expect(try JSONValue(parsing: body.utf8) == ["message": "Hello from Mock API"])
    }

    @Test func `exactly the first n of the next m fail`() throws {
        var machine = try machine(["ERROR_NEXT": "3 of 5", "ERROR_RATE": 1])
        var fates: [Int] = []
        for path in ["/hello", "/health", "/hello", "/none", "/", "/hello", "/hello", "/hello"] {
            fates.append(machine.decide(MockRequest(.get, .init(path))).answer.status)
        }
        // /health and /none are not eligible; after five eligible requests ERROR_RATE rules again.
        #expect(fates == [500, 200, 500, 404, 500, 200, 200, 500])
        #expect(machine.settings.errorNext == nil)
    }

    @Test func `the n-th fate depends on seed, name and n alone`() throws {
        func fates(of machine: MockMachine, between: [MockRequest] = []) -> [Bool] {
            var machine = machine
            return (0..<200).map { _ in
                for request in between { _ = machine.decide(request) }
                return machine.decide(MockRequest(.get, .hello)).answer == .error(status: 500)
            }
        }
        let plain = fates(of: try machine(["ERROR_RATE": 0.5]))
        let disturbed = try machine(["ERROR_RATE": 0.5, "LATENCY": "uniform 1ms..9ms", "ERROR_SKIP_HEALTH": false])
        let others: [MockRequest] = [.init(.get, .health), .init(.other, .hello), .init(.get, .other)]
        #expect(fates(of: disturbed, between: others) == plain)
        #expect(fates(of: try machine(["ERROR_RATE": 0.5], name: "api-2")) != plain)
        #expect(fates(of: try machine(["ERROR_RATE": 0.5], seed: 2)) != plain)

        // A switch that is turned on later finds the draw it would have found anyway.
        var late = try machine()
        for _ in 0..<100 { _ = late.decide(MockRequest(.get, .hello)) }
        late.settings.errorRate = 0.5
        #expect(Array(fates(of: late).prefix(100)) == Array(plain[100...]))
    }

    @Test func `the error rate is met`() throws {
        var machine = try machine(["ERROR_RATE": 0.9])
        let errors = (0..<20_000).count { _ in machine.decide(MockRequest(.get, .hello)).answer != .hello }
        // Five standard deviations of a binomial count.
        #expect(abs(Double(errors) - 18_000) < 5 * (20_000 * 0.9 * 0.1).squareRoot())
    }

    /// Mean (or median) in milliseconds, and how near 20,000 draws must come.
    static let distributions: [(text: String, mean: Double, deviation: Double, tolerance: Double)] = [
        ("20ms", 20, 0, 0),
        ("uniform 10ms..50ms", 30, 40 / 12.squareRoot(), 0.5),
        ("normal mean 100ms deviation 10ms", 100, 10, 0.5),
        // e^(sigma^2 / 2) above the median; variance (e^(sigma^2) - 1) e^(sigma^2) times its square.
        ("lognormal median 3ms sigma 0.4", 3 * 1.083287, 1.3535, 0.1),
        // shape / (shape - 1) times the scale; variance shape / ((shape - 1)^2 (shape - 2)) times its square.
        ("pareto scale 2ms shape 5", 2.5, 2 * (5.0 / 48).squareRoot(), 0.1),
    ]

    @Test(arguments: distributions)
    func `a distribution has its mean and deviation`(
        text: String, mean: Double, deviation: Double, tolerance: Double
    ) throws {
        var settings = MockSettings()
        try settings.set("LATENCY", to: .string(text), from: .flag)
        var random = RandomStreams(seed: 3).stream("test")
        let draws = (0..<20_000).map { _ in Double(settings.latency.sample(&random).nanoseconds) / 1e6 }
        let average = draws.reduce(0, +) / Double(draws.count)
        let variance = draws.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(draws.count)
        #expect(abs(average - mean) <= tolerance)
        #expect(abs(variance.squareRoot() - deviation) <= tolerance)
        #expect(draws.allSatisfy { $0 >= 0 })
    }
}
