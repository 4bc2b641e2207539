// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A stretch of a run in which a failing sort of answer came: what a user calls "the outage". Found in the requests
/// alone, whether the scenario expects it or not.
struct OutageWindow: Hashable, Sendable {
    /// `503 from gateway`
    var sort: String
    /// Planned start of the first and of the last such request, nanoseconds.
    var first: Int64
    var last: Int64
    var matching: Int
    /// All requests between the two.
    var total: Int

    var length: Int64 { last.clampedSubtracting(first) }
    var purity: Double { total == 0 ? 1 : Double(matching) / Double(total) }

    /// Windows of one sort further apart than this are two.
    static let gap: Int64 = 500_000_000
    /// More than so many of one sort are no windows but weather; the longest are kept.
    static let maximumPerSort = 40

    /// The windows of every sort of server error and of missing answer, the sort with the most requests first, each in
    /// the order of time.
    static func all(of report: RunReport) -> [(sort: RunStatistics.Sort, windows: [OutageWindow])] {
        let table = report.view.requests
        let failing = report.statistics.sorts.filter { isOutage($0.name) }
        guard !failing.isEmpty else { return [] }
        var open: [Int: OutageWindow] = [:]
        var starts: [Int: Int] = [:]
        var found: [Int: [OutageWindow]] = [:]
        for row in table.indices {
            let number = table.sort(row)
            guard let sort = failing.first(where: { $0.number == number }) else { continue }
            let at = table.planned[row]
            if var window = open[number], at.clampedSubtracting(window.last) <= gap {
                window.last = at
                window.matching += 1
                window.total = row - (starts[number] ?? row) + 1
                open[number] = window
            } else {
                if let window = open[number] { found[number, default: []].append(window) }
                open[number] = OutageWindow(sort: sort.name, first: at, last: at, matching: 1, total: 1)
                starts[number] = row
            }
        }
        return failing.map { sort in
            var windows = found[sort.number] ?? []
            if let window = open[sort.number] { windows.append(window) }
            if windows.count > maximumPerSort {
                windows = Array(windows.sorted { $0.length > $1.length }.prefix(maximumPerSort))
                windows.sort { $0.first < $1.first }
            }
            return (sort, windows)
        }
    }

    /// A server error or no answer at all; what a client did wrong (4xx) is none.
    static func isOutage(_ sort: String) -> Bool {
        guard let first = sort.first, first.isNumber else { return true }
        return first == "5"
    }
}
