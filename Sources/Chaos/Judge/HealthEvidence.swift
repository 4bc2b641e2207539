// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What the mocks recorded, held against the reports that the gateway made of it. A gateway that counts what never
/// happened, or that does not count what did, contradicts itself here.
struct HealthEvidence {
    /// A sentence each, in the order of time.
    private(set) var contradictions: [String] = []

    private let replay: HealthReplay
    private let context: JudgeContext
    private let name: String
    private let mock: String

    private var view: JournalView { context.view }

    init(replay: HealthReplay, context: JudgeContext) {
        self.replay = replay
        self.context = context
        let diagnosis = Diagnosis(context: context)
        name = diagnosis.name(of: replay.place)
        mock = diagnosis.mock(of: replay.place) ?? ""
        guard view.served.nodes.known(mock) != nil else { return }
        // With several addresses behind one mock nobody can tell which of them a record belongs to.
        let rivals = context.replays.filter { diagnosis.mock(of: $0.place) == mock && $0.place != replay.place }
        guard rivals.isEmpty else { return }
        let found = uncounted() + inventedAttempts() + inventedProbes() + misreadProbes()
        contradictions = found.sorted { ($0.at, $0.text) < ($1.at, $1.text) }.map(\.text)
    }

    /// How long after the client's answer a report may come on a busy host.
    private static let margin: Int64 = 200_000_000

    private typealias Contradiction = (at: Int64, text: String)

    /// Answers that the client got from this mock, that count by the configuration, and of which no report was made.
    private func uncounted() -> [Contradiction] {
        let reported = Set(replay.inputs.compactMap(\.chaosID))
        let exits = view.processes.filter { $0.node == replay.place.gateway && $0.change == .exited }.map(\.at.t)
        var found: [Contradiction] = []
        for row in view.served.rows(of: mock) {
            let status = view.served.status(row)
            guard let request = view.served.request(row), let end = view.requests.end(request),
                view.requests.status(request) == status,
                let report = replay.rules(at: end).passiveReport(ofStatus: status),
                replay.rules(at: end).passive[report] > 0,
                !reported.contains(view.requests.id(request))
            else { continue }
            let settled: JournalEvent.AddressState = report == .success ? .healthy : .unhealthy
            let last = end.clampedAdding(Self.margin + context.slack)
            let first = view.served.times[row].clampedSubtracting(Self.margin)
            // A gateway that ended then took its last events with it.
            if exits.contains(where: { (first...last.clampedAdding(1_000_000_000)).contains($0) }) { continue }
            // In that very state the report counts for nothing; around a change it may have come before or after.
            if replay.isEver(settled, from: first, through: last) { continue }
            if report == .success && !replay.isEver(.mostlyHealthy, from: first, through: first) { continue }
            found.append(
                (
                    view.served.times[row],
                    "The gateway did not count the answer \(status) of \(name) to \(view.requests.id(request)) at "
                        + "\(readable(view.served.times[row])) as \(article(report)) "
                        + "(\(replay.rules.setting(report, .passive)))"
                ))
        }
        return found
    }

    /// Counted answers that the mock did not give. 502 and 504 the gateway makes itself.
    private func inventedAttempts() -> [Contradiction] {
        let attempts = view.attempts.filter { $0.place == replay.place && $0.result == .httpStatus }
        guard !attempts.isEmpty else { return [] }
        let wanted = Set(attempts.compactMap(\.chaosID))
        var requestRows: [String: Int] = [:]
        for row in view.served.rows(of: mock) {
            guard let request = view.served.request(row) else { continue }
            let id = view.requests.id(request)
            if wanted.contains(id) { requestRows[id] = request }
        }
        return attempts.compactMap { attempt in
            guard let status = attempt.status, status != 502, status != 504, let id = attempt.chaosID,
                let request = requestRows[id]
            else { return nil }
            let answers = view.served.rows(ofRequest: request).filter { view.served.node($0) == mock }
            guard !answers.contains(where: { view.served.status($0) == status }), let answer = answers.first else {
                return nil
            }
            return (
                attempt.at.t,
                "The gateway counted status \(status) for \(id), \(name) answered \(view.served.status(answer))"
            )
        }
    }

    /// Probes with a status of which the mock has no record.
    private func inventedProbes() -> [Contradiction] {
        let seen = view.served.rows(of: mock).filter { view.served.isProbe($0) }
        let times = seen.map { view.served.times[$0] }
        let margin: Int64 = 1_000_000
        return view.probes.filter { $0.place == replay.place }.compactMap { probe in
            guard let status = probe.status else { return nil }
            let first = times.partitionIndex { $0 >= probe.started - margin }
            let last = times.partitionIndex { $0 > probe.at.t.clampedAdding(margin) }
            let answers = seen[first..<max(first, last)].map { view.served.status($0) }
            if answers.contains(status) { return nil }
            let answered = answers.isEmpty ? "saw no probe then" : "answered \(answers[0])"
            return (
                probe.at.t, "The gateway says its probe at \(readable(probe.at.t)) got \(status), \(name) \(answered)"
            )
        }
    }

    /// Probes whose result is not what the lists make of their status.
    private func misreadProbes() -> [Contradiction] {
        view.probes.filter { $0.place == replay.place }.compactMap { probe in
            guard let status = probe.status else { return nil }
            let report = replay.rules(at: probe.at.t).active.report(ofStatus: status)
            guard report != probe.result.report else { return nil }
            return (
                probe.at.t,
                "The gateway took the status \(status) of the probe at \(readable(probe.at.t)) for "
                    + "\(probe.result.rawValue), by the lists of active it is \(report?.rawValue ?? "ignored")"
            )
        }
    }

    private func article(_ report: JournalEvent.Report) -> String {
        report == .httpFailure ? "an HTTP failure" : "a \(report.words)"
    }
}
