// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore

/// Gathers what was observed, turns every stamp into nanoseconds from the start of the load, and keeps it for the
/// judges and, when asked to, in a file. What comes before the start is known waits for it. Confined to the run's loop.
final class RunJournal {
    private(set) var builder = JournalView.Builder()
    private let writer: JournalWriter?
    private let observe: (JournalEvent) -> Void
    private var header: JournalEvent.Header?
    private var loadStart: NIODeadline?
    private var early: [(Int64) -> JournalEvent?] = []

    /// - Throws: `Problem` when the file cannot be created.
    init(path: String?, observe: @escaping (JournalEvent) -> Void) throws(Problem) {
        writer = if let path { try JournalWriter(path: path) } else { nil }
        self.observe = observe
    }

    var isBegun: Bool { loadStart != nil }

    /// Everything, for the judges; the journal holds nothing any more.
    func takeView() -> JournalView {
        var taken = JournalView.Builder()
        swap(&taken, &builder)
        return taken.finished()
    }

    /// The start of the load is known: what was held back follows the header.
    func begin(_ header: JournalEvent.Header, loadStart: NIODeadline) {
        guard self.loadStart == nil else { return }
        self.loadStart = loadStart
        write(.header(header))
        let held = early
        early = []
        for make in held { if let event = make(start) { write(event) } }
    }

    /// The instant of a stamp, from the start of the load.
    private var start: Int64 { Int64(loadStart?.uptimeNanoseconds ?? 0) }

    /// Makes an event of the start of the load (CLOCK_MONOTONIC nanoseconds), now or when it is known.
    private func append(_ make: @escaping (Int64) -> JournalEvent?) {
        guard loadStart != nil else { return early.append(make) }
        if let event = make(start) { write(event) }
    }

    func append(at moment: NIODeadline, _ make: @escaping (Instant) -> JournalEvent) {
        append { start in make(Instant(Int64(moment.uptimeNanoseconds) - start)) }
    }

    /// For events whose times count from the start of the load already.
    func append(_ event: JournalEvent) { append { _ in event } }

    func append(gatewayRecord record: JSONValue, of gateway: String) {
        append { start in
            Self.read("gateway \(gateway)", record, start) { () throws(Problem) in
                try JournalEvent(gatewayEvent: record, gateway: gateway, loadStart: start)
            }
        }
    }

    func append(mockRecord record: JSONValue, of mock: String) {
        append { start in
            Self.read("mock \(mock)", record, start) { () throws(Problem) in
                try JournalEvent(mockRecord: record, node: mock, loadStart: start)
            }
        }
    }

    /// A record that cannot be read is noted, never dropped in silence: it may have been the evidence.
    private static func read(
        _ source: String, _ record: JSONValue, _ start: Int64, _ body: () throws(Problem) -> JournalEvent?
    ) -> JournalEvent? {
        do {
            return try body()
        } catch {
            let at = Instant((record["t"]?.intValue).map { Int64($0) - start } ?? 0)
            return .note(.init(at: at, text: "a record of \(source) cannot be read (\(error)): \(record)"))
        }
    }

    /// Writes the last line and closes the file.
    /// - Returns: what is wrong with the file, if anything.
    func close(_ end: JournalEvent.End) -> Problem? {
        write(.end(end))
        do throws(Problem) {
            try writer?.close()
            return nil
        } catch {
            return error
        }
    }

    private func write(_ event: JournalEvent) {
        builder.append(event)
        writer?.append(event)
        observe(event)
    }
}
