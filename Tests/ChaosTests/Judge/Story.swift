// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

@testable import Chaos

func s(_ seconds: Double) -> Int64 { Int64((seconds * 1e9).rounded()) }
func ms(_ milliseconds: Double) -> Int64 { Int64((milliseconds * 1e6).rounded()) }

/// A journal told event by event: one gateway, one mock `api` behind the target `api:8080` of upstream `orders-up`.
struct Story {
    typealias State = JournalEvent.AddressState

    static let place = JournalEvent.Address(upstream: "orders-up", target: "api:8080", address: "127.0.0.1:4001")

    private(set) var events: [JournalEvent] = []
    private var sequence = 0
    private var requests: [String: Int] = [:]
    private var served = 0

    init(isVirtual: Bool = false, scenario: String = "walk-through") {
        var header = JournalEvent.Header(scenario: scenario)
        header.file = "walk-through.yaml"
        header.seed = 42
        header.isVirtual = isVirtual
        header.nodes = [.init("gateway", .gateway), .init("api", .mock, names: ["api:8080"])]
        events.append(.header(header))
    }

    var view: JournalView {
        var builder = JournalView.Builder()
        for event in events { builder.append(event) }
        return builder.finished()
    }

    mutating func append(_ event: JournalEvent) { events.append(event) }

    mutating func editHeader(_ edit: (inout JournalEvent.Header) -> Void) {
        guard case .header(var header) = events[0] else { return }
        edit(&header)
        events[0] = .header(header)
    }

    /// A request of a load that ended with a status; the mock has a record when it came from there.
    @discardableResult
    mutating func answer(
        _ at: Int64, _ status: Int, from origin: JournalEvent.Request.Origin = .upstream, took: Int64 = ms(2),
        late: Int64 = 0, load: String = "users", path: String = "/orders/1", warmup: Bool = false
    ) -> String {
        let n = requests[load, default: 0] + 1
        requests[load] = n
        let id = "\(load)-\(n)"
        if origin == .upstream {
            serve(at + late + took / 4, status, id: id, path: path)
        }
        events.append(
            .request(
                .init(
                    load: load, n: n, path: path, planned: at, sent: at + late, firstByte: at + late + took,
                    end: at + late + took, status: status, outcome: status < 400 ? .ok : .failed, bytes: 34,
                    isWarmup: warmup)))
        return id
    }

    /// A request that got no answer.
    mutating func noAnswer(
        _ at: Int64, _ failure: JournalEvent.Request.Failure = .timeout,
        outcome: JournalEvent.Request.Outcome = .unknown,
        load: String = "users"
    ) {
        let n = requests[load, default: 0] + 1
        requests[load] = n
        events.append(
            .request(
                .init(load: load, n: n, planned: at, sent: at, end: at + s(2), failure: failure, outcome: outcome)))
    }

    mutating func serve(
        _ at: Int64, _ status: Int, id: String?, path: String = "/orders/1", node: String = "api",
        connection: Int? = nil
    ) {
        served += 1
        events.append(
            .served(
                .init(
                    at: Instant(at), node: node, chaosID: id, n: served, path: path, status: status,
                    connection: connection)))
    }

    mutating func health(
        _ at: Int64, _ from: State, _ to: State, _ cause: JournalEvent.Cause, _ report: JournalEvent.Report? = nil,
        status: Int? = nil, counters: JournalEvent.Counters = .init(), limit: Int? = nil, lo: Int64 = 0, hi: Int64 = 0
    ) {
        sequence += 1
        events.append(
            .health(
                .init(
                    at: Instant(at, lo: lo, hi: hi), sequence: sequence, place: Self.place, from: from, to: to,
                    cause: cause,
                    report: report, status: status, counters: counters, limit: limit)))
    }

    mutating func attempt(_ at: Int64, _ status: Int, id: String) {
        sequence += 1
        events.append(
            .attempt(
                .init(
                    at: Instant(at), sequence: sequence, place: Self.place, chaosID: id, result: .httpStatus,
                    status: status))
        )
    }

    /// A probe and the mock's record of it.
    mutating func probe(_ at: Int64, _ status: Int, _ result: JournalEvent.Probe.Result) {
        serve(at - ms(1), status, id: nil, path: "/health")
        sequence += 1
        events.append(
            .probe(
                .init(
                    at: Instant(at), sequence: sequence, place: Self.place, started: at - ms(2), result: result,
                    status: status)))
    }

    mutating func step(_ name: String, _ from: Int64, to: Int64? = nil, lo: Int64 = 0, hi: Int64 = 0, text: String = "")
    {
        let index = events.count
        events.append(
            .step(.init(at: Instant(from, lo: lo, hi: hi), index: index, name: name, phase: .started, text: text)))
        if let to {
            events.append(
                .step(.init(at: Instant(to, lo: lo, hi: hi), index: index, name: name, phase: .ended, text: text)))
        }
    }

    mutating func mark(_ name: String, _ at: Int64) { events.append(.mark(.init(at: Instant(at), name: name))) }

    mutating func process(
        _ at: Int64, _ node: String, _ change: JournalEvent.Process.Change, code: Int? = nil, signal: Int? = nil
    ) {
        events.append(.process(.init(at: Instant(at), node: node, change: change, code: code, signal: signal)))
    }

    mutating func end(
        _ at: Int64, _ reason: JournalEvent.End.Reason = .finished, canary: Int64 = 0, generator: Int64 = 0
    ) {
        func quantiles(_ value: Int64) -> JournalEvent.Quantiles {
            .init(count: 1000, p50: value / 4, p99: value / 2, p999: value, max: value)
        }
        events.append(
            .end(.init(at: Instant(at), reason: reason, canary: quantiles(canary), generator: quantiles(generator))))
    }
}
