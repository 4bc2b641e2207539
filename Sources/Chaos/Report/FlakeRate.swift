// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// How often repetitions of one scenario differ from the rest: a line for each that was run more than once, and one for
/// all of them.
package struct FlakeRate: Sendable {
    /// One scenario or cell.
    package struct Entry: Hashable, Sendable {
        package var name: String
        package var runs = 0
        package var passed = 0
        package var failed = 0
        /// Neither: inconclusive, precondition, topology, interrupted.
        package var other = 0
        /// Seeds of runs that did not pass.
        package var seeds: [UInt64] = []

        /// The share of runs whose result is not that of most: 0 when all agree, whatever they say.
        package var rate: Double { runs == 0 ? 0 : Double(runs - max(passed, failed, other)) / Double(runs) }
    }

    package private(set) var entries: [Entry] = []

    /// More seeds than this are counted, not listed.
    private static let mostSeeds = 5

    package init(_ reports: [RunReport]) {
        for report in reports {
            var place = entries.firstIndex { $0.name == report.name }
            if place == nil {
                entries.append(Entry(name: report.name))
                place = entries.count - 1
            }
            guard let place else { continue }
            entries[place].runs += 1
            switch report.verdict.result {
            case .pass: entries[place].passed += 1
            case .fail: entries[place].failed += 1
            default: entries[place].other += 1
            }
            if report.verdict.result != .pass { entries[place].seeds.append(report.seed) }
        }
        entries.removeAll { $0.runs < 2 }
    }

    /// `walk-through [health_hit=true]: 19 of 20 passed, 1 failed: flake rate 5% (seed 42)`; empty when nothing was
    /// repeated.
    package var lines: [String] {
        guard !entries.isEmpty else { return [] }
        let total = entries.reduce(into: Entry(name: "all repetitions")) { total, entry in
            total.runs += entry.runs
            total.passed += entry.passed
            total.failed += entry.failed
            total.other += entry.other
        }
        // A scenario that always fails does not flake, also beside one that always passes.
        let flaky = entries.reduce(0.0) { $0 + $1.rate * Double($1.runs) } / Double(total.runs)
        return (entries.count > 1 ? entries : []).map { Self.line($0, rate: $0.rate) }
            + [Self.line(entries.count > 1 ? total : entries[0], rate: flaky)]
    }

    private static func line(_ entry: Entry, rate: Double) -> String {
        let parts = [(entry.failed, "failed"), (entry.other, "came to no verdict")].filter { $0.0 > 0 }
        let rest = parts.map { ", \($0.0) \($0.1)" }.joined()
        let shown = entry.seeds.prefix(mostSeeds).map(String.init).joined(separator: ", ")
        let more = entry.seeds.count > mostSeeds ? " and \(entry.seeds.count - mostSeeds) more" : ""
        let seeds = shown.isEmpty ? "" : " (\(entry.seeds.count == 1 ? "seed" : "seeds") \(shown)\(more))"
        let percent = plainNumber((rate * 1_000).rounded() / 10)
        return "\(entry.name): \(entry.passed) of \(entry.runs) passed\(rest): flake rate \(percent)%\(seeds)"
    }
}
