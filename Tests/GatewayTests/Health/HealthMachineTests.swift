// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import Testing

@Suite struct HealthMachineTests {
    typealias State = HealthMachine.State
    typealias Report = HealthMachine.Report

    /// The rule again in the words of its table, with a packed word of counters as the original has it, and nothing in
    /// common with the machine.
    struct NaiveMachine {
        var state = "healthy"
        var counters: [String: Int] = ["success": 0, "http_failure": 0, "tcp_failure": 0, "timeout": 0]

        mutating func report(_ kind: String, limit: Int) {
            let direction = kind == "success" ? "healthy" : "unhealthy"
            if limit == 0 || state == direction { return }
            counters[kind]! += 1
            if kind == "success" {
                for failure in ["http_failure", "tcp_failure", "timeout"] { counters[failure] = 0 }
            } else {
                counters["success"] = 0
            }
            let failures = counters["http_failure"]! + counters["tcp_failure"]! + counters["timeout"]!
            if counters[kind]! >= limit {
                state = direction
            } else if state == "healthy", failures > 0 {
                state = "mostly_healthy"
            } else if state == "unhealthy", counters["success"]! > 0 {
                state = "mostly_unhealthy"
            }
        }
    }

    @Test(arguments: [1, 2, 3])
    func `every word of up to five reports agrees with a naive machine`(limit: Int) {
        var words: [[Report]] = [[]]
        for length in 1...5 {
            words += words.filter { $0.count == length - 1 }.flatMap { word in Report.allCases.map { word + [$0] } }
        }
        #expect(words.count == 1 + 4 + 16 + 64 + 256 + 1024)
        for start in [true, false] {
            for word in words {
                var machine = HealthMachine(initiallyHealthy: start)
                var naive = NaiveMachine(state: start ? "healthy" : "unhealthy")
                for report in word {
                    _ = machine.report(report, limit: limit)
                    naive.report(report.rawValue, limit: limit)
                }
                #expect(machine.state.rawValue == naive.state, "\(word) from healthy=\(start), limit \(limit)")
                let counters = machine.counters
                #expect(
                    [counters.success, counters.http, counters.tcp, counters.timeout]
                        == ["success", "http_failure", "tcp_failure", "timeout"].map { naive.counters[$0] },
                    "counters of \(word) from healthy=\(start), limit \(limit)")
            }
        }
    }

    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var start = true
        var reports: [(Report, limit: Int)]
        var state: State
        var counters: HealthMachine.Counters
        var testDescription: String { name }
    }

    @Test(arguments: [
        Row(
            name: "a failure below its limit", reports: [(.httpFailure, 2)], state: .mostlyHealthy,
            counters: .init(http: 1)),
        Row(
            name: "limit 1 jumps over mostly_healthy", reports: [(.tcpFailure, 1)], state: .unhealthy,
            counters: .init(tcp: 1)),
        Row(
            name: "a success below its limit clears the failures but not the state",
            reports: [(.httpFailure, 3), (.success, 2)], state: .mostlyHealthy, counters: .init(success: 1)),
        Row(
            name: "alternating failure and success never ejects",
            reports: [
                (.httpFailure, 2), (.success, 1), (.httpFailure, 2), (.success, 1), (.httpFailure, 2), (.success, 1),
            ], state: .healthy, counters: .init(success: 1)),
        Row(
            name: "successes = 0 never clears: failures add up for ever",
            reports: [(.httpFailure, 3), (.success, 0), (.httpFailure, 3), (.success, 0), (.httpFailure, 3)],
            state: .unhealthy, counters: .init(http: 3)),
        Row(
            name: "failures of different kinds are not summed",
            reports: [(.httpFailure, 3), (.httpFailure, 3), (.tcpFailure, 3), (.tcpFailure, 3)],
            state: .mostlyHealthy, counters: .init(http: 2, tcp: 2)),
        Row(
            name: "a first success after ejection is mostly_unhealthy", start: false, reports: [(.success, 2)],
            state: .mostlyUnhealthy, counters: .init(success: 1)),
        Row(
            name: "a failure on the way back starts the successes again", start: false,
            reports: [(.success, 3), (.success, 3), (.timeout, 2), (.success, 3)],
            state: .mostlyUnhealthy, counters: .init(success: 1)),
        Row(
            name: "a success on healthy leaves the counters alone", reports: [(.success, 1)], state: .healthy,
            counters: .init()),
        Row(
            name: "a failure on unhealthy leaves the counters alone",
            reports: [(.httpFailure, 1), (.httpFailure, 1), (.timeout, 1)],
            state: .unhealthy, counters: .init(http: 1)),
    ])
    func `reports move the state as the table says`(row: Row) {
        var machine = HealthMachine(initiallyHealthy: row.start)
        for (report, limit) in row.reports { _ = machine.report(report, limit: limit) }
        #expect(machine.state == row.state)
        #expect(machine.counters == row.counters)
    }

    @Test func `a change says where from, where to, and by what`() {
        var machine = HealthMachine()
        let first = machine.report(.httpFailure, limit: 2)
        #expect(
            first
                == .changed(
                    .init(from: .healthy, to: .mostlyHealthy, counters: .init(http: 1), report: .httpFailure, limit: 2))
        )
        #expect(machine.report(.success, limit: 0) == .ignored(.noLimit))
        _ = machine.report(.httpFailure, limit: 2)
        #expect(machine.report(.timeout, limit: 2) == .ignored(.alreadyDecided))
    }

    @Test func `setting by hand zeroes the counters and does not pin`() {
        var machine = HealthMachine()
        _ = machine.report(.httpFailure, limit: 5)
        #expect(
            machine.set(healthy: false)
                == .changed(.init(from: .mostlyHealthy, to: .unhealthy, counters: .init(), report: nil, limit: nil)))
        #expect(machine.set(healthy: false) == .ignored(.alreadyDecided))
        _ = machine.report(.success, limit: 1)
        #expect(machine.state == .healthy)
    }

    @Test func `the healthy list wins, 0 is a failure and an unlisted status is nothing`() {
        let lists = StatusLists(healthy: [200, 500], unhealthy: [500, 503])
        #expect(lists.meaning(of: 500) == .success)
        #expect(lists.meaning(of: 503) == .failure)
        #expect(lists.meaning(of: 0) == .failure)
        #expect(lists.meaning(of: 404) == .ignored)
        #expect(lists.meaning(of: 1000) == .ignored)
        #expect(lists.meaning(of: -1) == .ignored)
    }

    @Test func `a counter stops at 255`() {
        var machine = HealthMachine()
        for _ in 0..<300 { _ = machine.report(.httpFailure, limit: 1000) }
        #expect(machine.counters.http == 255)
    }
}
