// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Gateway
import Testing

/// The machine against traces that were recorded from the reference implementation, lua-resty-healthcheck.
///
/// `GATECRASH_HEALTH_TRACES=FILE` reads other traces of the same form.
@Suite struct HealthTraceTests {
    struct Trace {
        var initiallyHealthy: Bool
        var checks: HealthChecks
        var events: [JSONValue]
        /// The state before the first event, then after each.
        var expected: [String]

        init(_ json: JSONValue) throws {
            initiallyHealthy = try #require(json["initially_healthy"]?.boolValue as Bool?)
            checks = HealthChecks(json: try #require(json["healthchecks"]))
            events = try #require(json["events"]?.arrayValue)
            expected = try #require(json["expected"]?.arrayValue).compactMap(\.stringValue)
        }
    }

    static func traces() throws -> [Trace] {
        let named = ProcessInfo.processInfo.environment["GATECRASH_HEALTH_TRACES"].map(URL.init(fileURLWithPath:))
        let file = try #require(
            named ?? Bundle.module.url(forResource: "health-traces", withExtension: "json", subdirectory: "Data"))
        let document = try JSONValue(parsing: Data(contentsOf: file))
        return try #require(document.arrayValue).map(Trace.init)
    }

    @Test func `every recorded trace agrees`() throws {
        let traces = try Self.traces()
        #expect(!traces.isEmpty)
        for (number, trace) in traces.enumerated() {
            try #require(trace.expected.count == trace.events.count + 1, "trace \(number)")
            var machine = HealthMachine(initiallyHealthy: trace.initiallyHealthy)
            #expect(machine.state.rawValue == trace.expected[0], "trace \(number) before its first event")
            for (place, event) in trace.events.enumerated() {
                try apply(event, of: trace, to: &machine)
                let wanted = trace.expected[place + 1]
                #expect(machine.state.rawValue == wanted, "trace \(number) after event \(place): \(event)")
            }
        }
    }

    @Test func `the recorded traces are all there`() throws {
        guard ProcessInfo.processInfo.environment["GATECRASH_HEALTH_TRACES"] == nil else { return }
        #expect(try Self.traces().count == 150)
    }

    private func apply(_ event: JSONValue, of trace: Trace, to machine: inout HealthMachine) throws {
        let isActive = event["source"]?.stringValue == "active"
        let limits = isActive ? trace.checks.active.limits : trace.checks.passive.limits
        let lists = isActive ? trace.checks.active.statusLists : trace.checks.passive.statusLists
        switch event["kind"]?.stringValue {
        case "http_status":
            _ = machine.httpStatus(try #require(event["status"]?.intValue), lists: lists, limits: limits)
        case "tcp_failure": _ = machine.report(.tcpFailure, limit: limits.tcpFailures)
        case "timeout": _ = machine.report(.timeout, limit: limits.timeouts)
        case "set": _ = machine.set(healthy: try #require(event["healthy"]?.boolValue as Bool?))
        default: Issue.record("an event of unknown kind: \(event)")
        }
    }
}
