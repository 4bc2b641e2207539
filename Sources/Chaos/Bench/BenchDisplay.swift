// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a person sees of a bench that runs: a bar that moves on a terminal, whole lines in a log.
package struct BenchDisplay: Sendable {
    package enum Mode: Hashable, Sendable { case live, plain, quiet }

    private let mode: Mode
    private let style: Style
    /// A bar stands on the last line.
    private var hasBar = false
    private var widest = 0

    package init(mode: Mode, style: Style) {
        self.mode = mode
        self.style = style
    }

    /// To be written as it is; empty when there is nothing to say.
    package mutating func text(for update: BenchUpdate) -> String {
        if mode == .quiet { return "" }
        switch update {
        case .starting(let plan, let subjects):
            widest = subjects.map(\.count).max() ?? 0
            return "bench: \(plan.description), seed \(plan.seed)\n".withoutControlsButLineFeeds
        case .progress(let progress):
            guard mode == .live else { return "" }
            hasBar = true
            return "\r\u{1B}[K" + bar(progress)
        case .ended(let subject, let round, let count, let figures):
            let line = Self.line(subject.padded(to: widest), round, count, figures)
            return clear() + line.clipped(to: style.width) + "\n"
        }
    }

    /// Takes the bar away, before something else is written.
    package mutating func clear() -> String {
        defer { hasBar = false }
        return hasBar ? "\r\u{1B}[K" : ""
    }

    /// `  round 2/5  gateway   21,034 req/s  p50 1.42ms  p99 3.31ms  0 errors`
    private static func line(_ subject: String, _ round: Int, _ count: Int, _ figures: BenchFigures) -> String {
        let errors = figures.errors == 1 ? "1 error" : "\(BenchText.count(figures.errors)) errors"
        func quantile(_ percent: Double) -> String {
            figures.latency.count > 0 ? BenchText.time(figures.latency.quantile(percent)) : "-"
        }
        return
            ("  round \(round)/\(count)  \(subject)  \(BenchText.rate(figures.rps)) req/s  p50 \(quantile(50))  "
            + "p99 \(quantile(99))  \(errors)").withoutControls
    }

    /// `  gateway 2/5 [########------------]  40%  21,034 req/s  42,011 requests  0 errors  12s left`
    private func bar(_ progress: BenchProgress) -> String {
        var text = "  \(progress.subject) \(progress.round)/\(progress.rounds) "
        if let part = progress.part {
            let full = Int((part * 20).rounded(.down))
            let percent = "\(Int(part * 100))%"
            text += "[" + String(repeating: "#", count: full) + String(repeating: "-", count: 20 - full) + "] "
            text += String(repeating: " ", count: max(0, 4 - percent.count)) + percent + "  "
        }
        text += "\(BenchText.rate(progress.rps)) req/s  \(BenchText.count(progress.requests)) requests"
        if progress.errors > 0 { text += "  \(BenchText.count(progress.errors)) errors" }
        if let left = progress.left { text += "  \(max(0, left.count / 1_000_000_000))s left" }
        let clipped = text.withoutControls.clipped(to: style.width - 1)
        return style.paint(clipped, progress.errors > 0 ? .yellow : nil)
    }
}

extension String {
    fileprivate var withoutControlsButLineFeeds: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).withoutControls }
            .joined(separator: "\n")
    }
}
