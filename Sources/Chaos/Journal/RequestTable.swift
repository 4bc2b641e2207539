// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The requests of a run, column by column: 10⁶ of them take about 60 MB and no allocation each.
///
/// Sorted by planned start once the view is finished. Row numbers are meaningful only within one view.
package struct RequestTable: Sendable {
    package typealias Request = JournalEvent.Request

    package private(set) var loads = Names()
    private var load: [UInt16] = []
    private var numbers: [Int32] = []
    private var methods = Names()
    private var method: [UInt8] = []
    private var paths = Names()
    private var path: [Int32] = []
    package private(set) var planned: [Int64] = []
    /// Nanoseconds after the planned start; `absent` when it never happened.
    private var sentAfter: [Int64] = []
    private var firstAfter: [Int64] = []
    private var endAfter: [Int64] = []
    private var statuses: [Int16] = []
    private var failures: [UInt8] = []
    private var origins: [UInt8] = []
    private var outcomes: [UInt8] = []
    private var warmup: [Bool] = []
    private var sizes: [Int32] = []
    private var connections: [Int32] = []

    private static let absent = Int64.min

    package var count: Int { planned.count }
    package var isEmpty: Bool { planned.isEmpty }
    package var indices: Range<Int> { 0..<planned.count }

    package mutating func append(_ request: Request) {
        let start = Instant.bounded(request.planned)
        func distance(_ time: Int64?) -> Int64 { time.map { Instant.bounded($0) - start } ?? Self.absent }
        load.append(UInt16(clamping: loads.index(of: request.load)))
        numbers.append(Int32(clamping: request.n))
        method.append(UInt8(clamping: methods.index(of: request.method)))
        path.append(Int32(clamping: paths.index(of: request.path)))
        planned.append(start)
        sentAfter.append(distance(request.sent))
        firstAfter.append(distance(request.firstByte))
        endAfter.append(distance(request.end))
        statuses.append(Int16(clamping: request.status ?? 0))
        failures.append(
            UInt8(request.failure.flatMap { Request.Failure.allCases.firstIndex(of: $0) }.map { $0 + 1 } ?? 0))
        origins.append(UInt8(Request.Origin.allCases.firstIndex(of: request.origin) ?? 0))
        outcomes.append(UInt8(Request.Outcome.allCases.firstIndex(of: request.outcome) ?? 0))
        warmup.append(request.isWarmup)
        sizes.append(Int32(clamping: request.bytes))
        connections.append(Int32(clamping: request.connection ?? -1))
    }

    package subscript(row: Int) -> Request {
        Request(
            load: loadName(row), n: number(row), method: method(row), path: path(row), planned: planned[row],
            sent: sent(row), firstByte: firstByte(row), end: end(row), status: status(row), failure: failure(row),
            origin: origin(row), outcome: outcome(row),
            bytes: Int(sizes[row]), connection: connections[row] < 0 ? nil : Int(connections[row]),
            isWarmup: warmup[row])
    }

    package func loadName(_ row: Int) -> String { loads[Int(load[row])] }
    package func loadIndex(_ row: Int) -> Int { Int(load[row]) }
    package func number(_ row: Int) -> Int { Int(numbers[row]) }
    package func method(_ row: Int) -> String { methods[Int(method[row])] }
    package func path(_ row: Int) -> String { paths[Int(path[row])] }
    package func id(_ row: Int) -> String { "\(loadName(row))-\(numbers[row])" }
    package func sent(_ row: Int) -> Int64? { moment(sentAfter[row], row) }
    package func firstByte(_ row: Int) -> Int64? { moment(firstAfter[row], row) }
    package func end(_ row: Int) -> Int64? { moment(endAfter[row], row) }
    /// The status that the client got; nil when it got none.
    package func status(_ row: Int) -> Int? { statuses[row] == 0 ? nil : Int(statuses[row]) }
    package func failure(_ row: Int) -> Request.Failure? {
        failures[row] == 0 ? nil : Request.Failure.allCases[Int(failures[row]) - 1]
    }
    package func origin(_ row: Int) -> Request.Origin { Request.Origin.allCases[Int(origins[row])] }
    package func outcome(_ row: Int) -> Request.Outcome { Request.Outcome.allCases[Int(outcomes[row])] }
    /// A number that stands for status, failure and origin together: equal for outcomes that are shown as one sort.
    package func sort(_ row: Int) -> Int {
        Int(statuses[row]) << 16 | Int(failures[row]) << 8 | (statuses[row] == 0 ? 0 : Int(origins[row]))
    }
    package func isWarmup(_ row: Int) -> Bool { warmup[row] }

    /// Nanoseconds from the planned start (`corrected`: as a user felt it) or from the real send to the end.
    package func latency(_ row: Int, corrected: Bool = true) -> Int64? {
        guard endAfter[row] != Self.absent else { return nil }
        if corrected { return endAfter[row] }
        return endAfter[row].clampedSubtracting(sentAfter[row] == Self.absent ? 0 : sentAfter[row])
    }

    /// The rows whose planned start lies in `first...last`; the table must be sorted.
    package func rows(from first: Int64, through last: Int64) -> Range<Int> {
        let lower = planned.partitionIndex { $0 >= first }
        let upper = planned.partitionIndex { $0 > last }
        return lower..<max(lower, upper)
    }

    private func moment(_ after: Int64, _ row: Int) -> Int64? {
        after == Self.absent ? nil : planned[row].clampedAdding(after)
    }
}

// MARK: Finishing

extension RequestTable {
    /// Rows in the order of planned start, then of the load, then of the number: the order in which judges see them.
    mutating func sort() {
        var order = Array(indices)
        order.sort { a, b in
            (planned[a], load[a], numbers[a]) < (planned[b], load[b], numbers[b])
        }
        guard order != Array(indices) else { return }
        load = order.map { load[$0] }
        numbers = order.map { numbers[$0] }
        method = order.map { method[$0] }
        path = order.map { path[$0] }
        planned = order.map { planned[$0] }
        sentAfter = order.map { sentAfter[$0] }
        firstAfter = order.map { firstAfter[$0] }
        endAfter = order.map { endAfter[$0] }
        statuses = order.map { statuses[$0] }
        failures = order.map { failures[$0] }
        origins = order.map { origins[$0] }
        outcomes = order.map { outcomes[$0] }
        warmup = order.map { warmup[$0] }
        sizes = order.map { sizes[$0] }
        connections = order.map { connections[$0] }
    }

    mutating func setOrigin(_ origin: Request.Origin, row: Int) {
        origins[row] = UInt8(Request.Origin.allCases.firstIndex(of: origin) ?? 0)
    }
}

extension [Int64] {
    /// The first index whose element satisfies a condition that no later element fails.
    func partitionIndex(_ belongsToUpperPart: (Int64) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if belongsToUpperPart(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Words numbered in the order in which they came.
package struct Names: Sendable {
    package private(set) var all: [String] = []
    private var numbers: [String: Int] = [:]

    package subscript(index: Int) -> String { all[index] }
    package func known(_ name: String) -> Int? { numbers[name] }

    mutating func index(of name: String) -> Int {
        if let number = numbers[name] { return number }
        all.append(name)
        numbers[name] = all.count - 1
        return all.count - 1
    }
}
