// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a run looks like at one moment, for the person who watches it.
package struct LiveStatus: Hashable, Sendable {
    package struct Target: Hashable, Sendable {
        package var name: String
        package var state: JournalEvent.AddressState
        package init(name: String, state: JournalEvent.AddressState) {
            self.name = name
            self.state = state
        }
    }

    package struct StatusCount: Hashable, Sendable {
        /// `200`, `503`, `timeout`
        package var name: String
        package var count: Int
        package init(name: String, count: Int) {
            self.name = name
            self.count = count
        }
    }

    /// `walk-through [health_hit=false]`
    package var run: String
    /// `starting`, `errors-on`, `load`, `stopping`.
    package var phase: String
    package var elapsed: Nanoseconds
    /// Nil when nobody can know.
    package var left: Nanoseconds?
    package var requests: Int
    /// In the order in which they are to be shown.
    package var statuses: [StatusCount]
    package var targets: [Target]

    package init(
        run: String, phase: String, elapsed: Nanoseconds, left: Nanoseconds?, requests: Int, statuses: [StatusCount],
        targets: [Target]
    ) {
        self.run = run
        self.phase = phase
        self.elapsed = elapsed
        self.left = left
        self.requests = requests
        self.statuses = statuses
        self.targets = targets
    }
}

/// Renders a moment of a run as one line.
package enum LiveLine {
    /// For a terminal: to be written over the line before (begins with `\r` and a clear). Never wider than the style.
    package static func terminal(_ status: LiveStatus, style: Style) -> String {
        var parts: [(text: String, colour: Style.Colour?)] = [
            ("\(seconds(status.elapsed)) \(status.phase)", nil), ("\(status.requests) requests", nil),
        ]
        parts += status.statuses.map { ("\($0.name) × \($0.count)", colour($0.name)) }
        parts += status.targets.map { ("\($0.name) \($0.state.rawValue)", colour($0.state)) }
        if let left = status.left { parts.append(("\(seconds(left)) left", .grey)) }
        var line = "\r\u{1B}[K"
        var room = style.width - 1
        for (index, part) in parts.enumerated() {
            let text = ((index == 0 ? "" : "  ") + part.text.withoutControls).clipped(to: room)
            room -= text.count
            line += style.paint(text, part.colour)
            if room <= 0 { break }
        }
        return line
    }

    /// For a log: a whole line that stands by itself, without colour and without a line feed.
    package static func plain(_ status: LiveStatus) -> String {
        let statuses = status.statuses.map { "\($0.name)=\($0.count)" }.joined(separator: " ")
        let targets = status.targets.map { "\($0.name)=\($0.state.rawValue)" }.joined(separator: " ")
        let left = status.left.map { "left=\(seconds($0))" } ?? ""
        return [
            "\(status.run): t=\(seconds(status.elapsed))", status.phase, "requests=\(status.requests)", statuses,
            targets, left,
        ].filter { !$0.isEmpty }.joined(separator: " ").withoutControls
    }

    /// What to say the moment it happens, in a log:
    /// `walk-through: 10.07s api:8080 unhealthy (HTTP failure 3 of 3, passive)`. Nil for what is not news.
    package static func plain(_ event: JournalEvent, run: String) -> String? {
        let text: String
        switch event {
        case .health(let event):
            guard event.from.isRoutable != event.to.isRoutable else { return nil }
            let limit = event.limit.map { " of \($0)" } ?? ""
            let cause = event.report.map { "\($0.words) \(event.counters[$0])\(limit), " } ?? ""
            text = "\(event.place.target) \(event.to.rawValue) (\(cause)\(event.cause.rawValue))"
        case .step(let event):
            let what = event.name.map { "\($0): \(event.text)" } ?? event.text
            text = "\(event.phase == .started ? "step" : "step \(event.phase.rawValue)") \(what)"
        case .process(let event): text = "\(event.node) \(JudgeContext.words(event))"
        case .note(let event): text = event.text
        default: return nil
        }
        return "\(run): \(readable(event.instant?.t ?? 0)) \(text)".withoutControls
    }

    /// Whole seconds: a line that changes every tenth of a second cannot be read.
    private static func seconds(_ time: Nanoseconds) -> String { "\(max(0, time.count / 1_000_000_000))s" }

    private static func colour(_ status: String) -> Style.Colour {
        switch status.first {
        case "2", "3": .green
        case "4": .yellow
        default: .red
        }
    }

    private static func colour(_ state: JournalEvent.AddressState) -> Style.Colour {
        switch state {
        case .healthy: .green
        case .mostlyHealthy, .mostlyUnhealthy: .yellow
        case .unhealthy: .red
        }
    }
}
