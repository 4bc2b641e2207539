// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a suite shows while it goes on: on a terminal one line that changes, elsewhere whole lines, few enough for a
/// log. A value: it takes updates and returns the text to write.
package struct SuiteDisplay: Sendable {
    package enum Mode: Sendable, Hashable {
        /// One line, written over and over; finished runs stay above it.
        case live
        /// A line for every event that a person would note, and one every `plainInterval`.
        case plain
        /// Only results.
        case quiet
    }

    /// A log gets a status line this seldom.
    package static let plainInterval = Nanoseconds.seconds(5)

    private let mode: Mode
    private let style: Style
    private var statuses: [(index: Int, status: LiveStatus)] = []
    private var lastPlain: [Int: Nanoseconds] = [:]
    private var finished = 0
    private let total: Int

    package init(mode: Mode, style: Style, total: Int) {
        self.mode = mode
        self.style = style
        self.total = total
    }

    /// The text to write as it is; empty when there is nothing to say.
    package mutating func text(for update: SuiteUpdate) -> String {
        switch update {
        case .began(_, let name, let seed): mode == .plain ? "\(name): seed \(seed)\n" : ""
        case .run(let index, let name, .status(let status)): shown(status, index, name)
        case .run(_, let name, .event(let event)):
            mode == .plain ? LiveLine.plain(event, run: name).map { $0 + "\n" } ?? "" : ""
        case .finished(let run): ended(run)
        }
    }

    private mutating func shown(_ status: LiveStatus, _ index: Int, _ name: String) -> String {
        switch mode {
        case .quiet: return ""
        case .plain:
            if let last = lastPlain[index], status.elapsed - last < Self.plainInterval, status.elapsed >= last {
                return ""
            }
            lastPlain[index] = status.elapsed
            return LiveLine.plain(status) + "\n"
        case .live:
            if let place = statuses.firstIndex(where: { $0.index == index }) {
                statuses[place].status = status
            } else {
                statuses.append((index, status))
            }
            return line
        }
    }

    /// One run in full; of several the names, times and phases.
    private var line: String {
        guard statuses.count > 1 else { return statuses.first.map { LiveLine.terminal($0.status, style: style) } ?? "" }
        let runs = statuses.map {
            "\($0.status.run) \(max(0, $0.status.elapsed.count / 1_000_000_000))s \($0.status.phase)"
        }
        let text = "\(finished) of \(total) done  " + runs.joined(separator: "  ")
        return "\r\u{1B}[K" + text.withoutControls.clipped(to: style.width - 1)
    }

    private mutating func ended(_ run: FinishedRun) -> String {
        finished += 1
        statuses.removeAll { $0.index == run.index }
        let clear = mode == .live ? "\r\u{1B}[K" : ""
        let report = run.report
        let isPass = report.verdict.result == .pass
        if mode == .quiet, isPass { return "" }
        var text = clear + RunText(report, style: style).text + "\n"
        if !isPass, let folder = run.folder { text += "  logs are kept in \(folder.path)\n" }
        return text + "\n" + (mode == .live ? line : "")
    }
}
