// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A column of a table that grows to millions of rows: chunks of one size, so that growing copies nothing and leaves
/// nothing unused. (An array that doubles needs three times its size while it grows, and half of it stays empty.)
package struct Column<Element: Sendable>: Sendable {
    private var chunks: [[Element]] = []
    package private(set) var count = 0

    /// 65 536 elements: the slack of the last chunk is small beside a table for which columns are worth it.
    private static var bits: Int { 16 }
    private static var mask: Int { (1 << bits) - 1 }
    /// Up to here the first chunk grows as an array does; a table that is longer will be long.
    private static var short: Int { 1 << 12 }

    package init() {}

    package mutating func append(_ element: Element) {
        if count & Self.mask == 0 {
            var chunk: [Element] = []
            // A short table stays short.
            if count > 0 { chunk.reserveCapacity(1 << Self.bits) }
            chunks.append(chunk)
        } else if count == Self.short {
            chunks[0].reserveCapacity(1 << Self.bits)
        }
        chunks[chunks.count - 1].append(element)
        count += 1
    }

    /// What its elements take of the memory, bytes, with what the last chunk has to spare.
    package var size: Int { chunks.reduce(0) { $0 + $1.capacity } * MemoryLayout<Element>.stride }

    /// The elements at these places, in this order.
    package func permuted(by order: some Sequence<Int32>) -> Column {
        var result = Column()
        for place in order { result.append(self[Int(place)]) }
        return result
    }
}

extension Column: RandomAccessCollection, MutableCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }
    package subscript(index: Int) -> Element {
        get { chunks[index >> Self.bits][index & Self.mask] }
        set { chunks[index >> Self.bits][index & Self.mask] = newValue }
    }
}

extension Column {
    package init(repeating element: Element, count: Int) {
        for _ in 0..<count { append(element) }
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first index whose element satisfies a condition that no later element fails.
    func partitionIndex(_ belongsToUpperPart: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if belongsToUpperPart(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Rows of a table in order: all of a range, or some.
package struct RowList: Sendable, RandomAccessCollection {
    private enum Storage: Sendable {
        case range(Range<Int>)
        case some(Column<Int32>)
    }

    private let storage: Storage

    package init(_ range: Range<Int>) { storage = .range(range) }
    package init(_ rows: Column<Int32>) { storage = .some(rows) }

    package var startIndex: Int { 0 }
    package var endIndex: Int {
        switch storage {
        case .range(let range): range.count
        case .some(let rows): rows.count
        }
    }
    package subscript(index: Int) -> Int {
        switch storage {
        case .range(let range): range.lowerBound + index
        case .some(let rows): Int(rows[index])
        }
    }
}

extension RowList {
    /// Those that satisfy a condition; costs no memory when all do.
    package func narrowed(_ belongs: (Int) -> Bool) -> RowList {
        guard let first = indices.first(where: { !belongs(self[$0]) }) else { return self }
        var rows = Column<Int32>()
        for index in 0..<first { rows.append(Int32(self[index])) }
        for index in first..<count where belongs(self[index]) { rows.append(Int32(self[index])) }
        return RowList(rows)
    }
}

/// A length of time of up to six days in four bytes, or none: exact to the nanosecond up to half a second, to the
/// microsecond up to nine minutes, to the millisecond beyond. What a clock of this program can tell is coarser.
struct CompactTime: Sendable {
    private let code: Int32

    private enum Unit: Int32 { case nanosecond, microsecond, millisecond, absent }
    private static let limit: Int64 = 1 << 29

    init(_ time: Int64?) {
        guard let time else {
            code = Unit.absent.rawValue
            return
        }
        if time.magnitude < Self.limit.magnitude {
            code = Int32(time) << 2 | Unit.nanosecond.rawValue
        } else if let microseconds = Self.rounded(time, 1_000) {
            code = microseconds << 2 | Unit.microsecond.rawValue
        } else {
            let furthest = Int32(Self.limit - 1)
            code = (Self.rounded(time, 1_000_000) ?? (time < 0 ? -furthest : furthest)) << 2 | Unit.millisecond.rawValue
        }
    }

    var value: Int64? {
        let amount = Int64(code >> 2)
        switch Unit(rawValue: code & 3) {
        case .nanosecond: return amount
        case .microsecond: return amount * 1_000
        case .millisecond: return amount * 1_000_000
        case .absent, nil: return nil
        }
    }

    /// Nil when it does not fit.
    private static func rounded(_ time: Int64, _ unit: Int64) -> Int32? {
        let (half, rest) = (unit / 2, time % unit)
        let amount = time / unit + (rest >= half ? 1 : rest <= -half ? -1 : 0)
        return amount.magnitude < limit.magnitude ? Int32(amount) : nil
    }
}
