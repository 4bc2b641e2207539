// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The requests of a run, column by column: 45 bytes each, and no allocation of their own (10⁷ of them take 0.45 GB;
/// paths that differ from request to request come on top).
///
/// Sorted by planned start once the view is finished. Row numbers are meaningful only within one view.
package struct RequestTable: Sendable {
    package typealias Request = JournalEvent.Request

    package private(set) var loads = Names()
    private var load = Column<UInt16>()
    private var numbers = Column<Int32>()
    private var methods = Names()
    private var method = Column<UInt8>()
    private var paths = TextPool()
    private var path = Column<Int32>()
    package private(set) var planned = Column<Int64>()
    /// After the planned start.
    private var sentAfter = Column<CompactTime>()
    private var firstAfter = Column<CompactTime>()
    private var endAfter = Column<CompactTime>()
    private var statuses = Column<Int16>()
    private var kinds = Column<RequestKind>()
    private var sizes = Column<Int32>()
    private var connections = Column<Int32>()

    package var count: Int { planned.count }
    package var isEmpty: Bool { planned.isEmpty }
    package var indices: Range<Int> { 0..<planned.count }

    package mutating func append(_ request: Request) {
        let start = Instant.bounded(request.planned)
        func distance(_ time: Int64?) -> CompactTime { CompactTime(time.map { Instant.bounded($0) - start }) }
        load.append(UInt16(clamping: loads.index(of: request.load)))
        numbers.append(Int32(clamping: request.n))
        method.append(UInt8(clamping: methods.index(of: request.method)))
        path.append(paths.number(of: request.path))
        planned.append(start)
        sentAfter.append(distance(request.sent))
        firstAfter.append(distance(request.firstByte))
        endAfter.append(distance(request.end))
        statuses.append(Int16(clamping: request.status ?? 0))
        kinds.append(RequestKind(request))
        sizes.append(Int32(clamping: request.bytes))
        connections.append(Int32(clamping: request.connection ?? -1))
    }

    /// What the rows take of the memory, bytes.
    package var size: Int {
        let small = load.size + method.size + statuses.size + kinds.size
        let times = planned.size + sentAfter.size + firstAfter.size + endAfter.size
        return small + times + numbers.size + path.size + sizes.size + connections.size + paths.size
    }

    package subscript(row: Int) -> Request {
        Request(
            load: loadName(row), n: number(row), method: method(row), path: path(row), planned: planned[row],
            sent: sent(row), firstByte: firstByte(row), end: end(row), status: status(row), failure: failure(row),
            origin: origin(row), outcome: outcome(row),
            bytes: Int(sizes[row]), connection: connections[row] < 0 ? nil : Int(connections[row]),
            isWarmup: isWarmup(row))
    }

    package func loadName(_ row: Int) -> String { loads[Int(load[row])] }
    package func loadIndex(_ row: Int) -> Int { Int(load[row]) }
    package func number(_ row: Int) -> Int { Int(numbers[row]) }
    package func method(_ row: Int) -> String { methods[Int(method[row])] }
    package func path(_ row: Int) -> String { paths[path[row]] }
    package func id(_ row: Int) -> String { "\(loadName(row))-\(numbers[row])" }
    package func sent(_ row: Int) -> Int64? { moment(sentAfter[row], row) }
    package func firstByte(_ row: Int) -> Int64? { moment(firstAfter[row], row) }
    package func end(_ row: Int) -> Int64? { moment(endAfter[row], row) }
    /// The status that the client got; nil when it got none.
    package func status(_ row: Int) -> Int? { statuses[row] == 0 ? nil : Int(statuses[row]) }
    package func failure(_ row: Int) -> Request.Failure? { kinds[row].failure }
    package func origin(_ row: Int) -> Request.Origin { kinds[row].origin }
    package func outcome(_ row: Int) -> Request.Outcome { kinds[row].outcome }
    /// A number that stands for status, failure and origin together: equal for outcomes that are shown as one sort.
    package func sort(_ row: Int) -> Int {
        Int(statuses[row]) << 16 | kinds[row].sort(hasStatus: statuses[row] != 0)
    }
    package func isWarmup(_ row: Int) -> Bool { kinds[row].isWarmup }

    /// Nanoseconds from the planned start (`corrected`: as a user felt it) or from the real send to the end.
    package func latency(_ row: Int, corrected: Bool = true) -> Int64? {
        guard let end = endAfter[row].value else { return nil }
        return corrected ? end : end.clampedSubtracting(sentAfter[row].value ?? 0)
    }

    /// The rows whose planned start lies in `first...last`; the table must be sorted.
    package func rows(from first: Int64, through last: Int64) -> Range<Int> {
        let lower = planned.partitionIndex { $0 >= first }
        let upper = planned.partitionIndex { $0 > last }
        return lower..<Swift.max(lower, upper)
    }

    private func moment(_ after: CompactTime, _ row: Int) -> Int64? {
        after.value.map { planned[row].clampedAdding($0) }
    }
}

/// What became of a request, in two bytes.
private struct RequestKind: Sendable {
    private typealias Request = JournalEvent.Request

    /// failure (5 bits, 0 for none) | origin (2) | outcome (2) | warm-up (1)
    private var bits: UInt16

    init(_ request: JournalEvent.Request) {
        let failure = request.failure.flatMap { Request.Failure.allCases.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
        let outcome = Request.Outcome.allCases.firstIndex(of: request.outcome) ?? 0
        bits = UInt16(failure & 31) << 5 | UInt16(outcome) << 1 | (request.isWarmup ? 1 : 0)
        origin = request.origin
    }

    var failure: JournalEvent.Request.Failure? {
        let number = Int(bits >> 5)
        return number == 0 ? nil : Request.Failure.allCases[number - 1]
    }
    var origin: JournalEvent.Request.Origin {
        get { Request.Origin.allCases[Int(bits >> 3 & 3)] }
        set { bits = bits & ~(3 << 3) | UInt16(Request.Origin.allCases.firstIndex(of: newValue) ?? 0) << 3 }
    }
    var outcome: JournalEvent.Request.Outcome { Request.Outcome.allCases[Int(bits >> 1 & 3)] }
    var isWarmup: Bool { bits & 1 == 1 }
    func sort(hasStatus: Bool) -> Int { Int(bits >> 5) << 8 | (hasStatus ? Int(bits >> 3 & 3) : 0) }
}

// MARK: Finishing

extension RequestTable {
    /// Rows in the order of planned start, then of the load, then of the number: the order in which judges see them.
    mutating func sort() {
        func precedes(_ a: Int, _ b: Int) -> Bool {
            (planned[a], load[a], numbers[a]) < (planned[b], load[b], numbers[b])
        }
        guard indices.dropFirst().contains(where: { precedes($0, $0 - 1) }) else { return }
        var order = (0..<Int32(count)).map { $0 }
        order.sort { precedes(Int($0), Int($1)) }
        load = load.permuted(by: order)
        numbers = numbers.permuted(by: order)
        method = method.permuted(by: order)
        path = path.permuted(by: order)
        planned = planned.permuted(by: order)
        sentAfter = sentAfter.permuted(by: order)
        firstAfter = firstAfter.permuted(by: order)
        endAfter = endAfter.permuted(by: order)
        statuses = statuses.permuted(by: order)
        kinds = kinds.permuted(by: order)
        sizes = sizes.permuted(by: order)
        connections = connections.permuted(by: order)
    }

    mutating func setOrigin(_ origin: Request.Origin, row: Int) { kinds[row].origin = origin }
}
