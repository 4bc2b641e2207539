// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Wire

/// The hosts that routes name, numbered, and found by hash: how many there are costs nothing per request.
///
/// A request host has one exact form, one suffix a dot (for `*.example.com`) and one prefix a dot (for `example.*`).
/// Two passes over its bytes give the hashes of all of them. Number 0 stands for routes without hosts.
struct HostIndex: Sendable {
    static let anyHost: UInt32 = 0

    enum Form: UInt64, Hashable, Sendable { case exact = 1, suffix, prefix }

    private struct Entry: Sendable {
        var hash: UInt64
        var form: Form
        var text: ContiguousArray<UInt8>
    }

    private struct Name: Hashable {
        var form: Form
        var text: ContiguousArray<UInt8>
    }

    private var entries: ContiguousArray<Entry> = []
    private var numbers: [Name: UInt32] = [:]
    private var slots: ContiguousArray<UInt32> = [0]
    /// As many numbers as one host can have at once.
    private(set) var longestAnswer = 1

    var isEmpty: Bool { entries.isEmpty }

    // MARK: Building

    /// The number of a host of a route, without its port.
    mutating func number(of host: some Sequence<UInt8>) -> UInt32 {
        var text = ContiguousArray(host.lazy.map(Self.folded))
        var form = Form.exact
        if text.first == UInt8(ascii: "*") {
            form = .suffix
            text.removeFirst()
        } else if text.last == UInt8(ascii: "*") {
            form = .prefix
            text.removeLast()
        }
        let name = Name(form: form, text: text)
        if let number = numbers[name] { return number }
        let hash = form == .suffix ? Self.hash(text.reversed()) : Self.hash(text)
        entries.append(Entry(hash: Self.mixed(hash, form), form: form, text: text))
        numbers[name] = UInt32(entries.count)
        return UInt32(entries.count)
    }

    /// Makes the numbers findable; to be called when all hosts are there.
    mutating func freeze() {
        numbers = [:]
        var capacity = 2
        while capacity < entries.count * 2 { capacity *= 2 }
        slots = ContiguousArray(repeating: 0, count: capacity)
        for (place, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & (capacity - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            slots[slot] = UInt32(place + 1)
        }
        // Two different suffixes of one host differ in length, and so do two prefixes.
        let wildcards = Set(entries.filter { $0.form != .exact }.map { [Int($0.form.rawValue), $0.text.count] })
        longestAnswer = 2 + wildcards.count
    }

    // MARK: Finding

    /// Writes the numbers of all entries that fit, number 0 first.
    /// - Parameter answer: has room for `longestAnswer` numbers.
    /// - Returns: how many there are.
    func find(_ host: UnsafeRawBufferPointer, _ answer: UnsafeMutableBufferPointer<UInt32>) -> Int {
        answer[0] = Self.anyHost
        guard !entries.isEmpty, !host.isEmpty else { return 1 }
        var count = 1
        var hash = Self.seed
        for place in 0..<host.count {
            hash = Self.step(hash, Self.folded(host[place]))
            guard host[place] == UInt8(ascii: ".") else { continue }
            append(host, 0..<place + 1, hash, .prefix, answer, &count)
        }
        append(host, 0..<host.count, hash, .exact, answer, &count)
        guard longestAnswer > 2 else { return count }
        hash = Self.seed
        for place in (0..<host.count).reversed() {
            hash = Self.step(hash, Self.folded(host[place]))
            guard host[place] == UInt8(ascii: ".") else { continue }
            append(host, place..<host.count, hash, .suffix, answer, &count)
        }
        return count
    }

    @inline(__always)
    private func append(
        _ host: UnsafeRawBufferPointer, _ range: Range<Int>, _ hash: UInt64, _ form: Form,
        _ answer: UnsafeMutableBufferPointer<UInt32>, _ count: inout Int
    ) {
        let hash = Self.mixed(hash, form)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = slots[slot]
            if entries[Int(number) - 1].hash == hash, isEqual(entries[Int(number) - 1], form, host, range) {
                answer[count] = number
                count += 1
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
    }

    private func isEqual(_ entry: Entry, _ form: Form, _ host: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        guard entry.form == form, entry.text.count == range.count else { return false }
        for place in 0..<range.count where Self.folded(host[range.lowerBound + place]) != entry.text[place] {
            return false
        }
        return true
    }

    // MARK: Hashing (FNV-1a, whose prefixes are hashes of prefixes)

    private static var seed: UInt64 { 0xcbf2_9ce4_8422_2325 }

    @inline(__always)
    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(seed, step) }

    @inline(__always)
    private static func mixed(_ hash: UInt64, _ form: Form) -> UInt64 {
        let product = (hash ^ form.rawValue) &* 0x9e37_79b9_7f4a_7c15
        return product ^ product >> 32
    }

    @inline(__always)
    static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

/// A host and its port, of a Host field, an absolute target or a route.
struct HostAndPort {
    /// Without the brackets of an IPv6 address.
    let host: Range<Int>
    let port: Int?

    /// A text whose port is no number is all host, as in Kong (split_host_port in kong/router/transform.lua).
    @inline(__always)
    init(_ text: UnsafeRawBufferPointer) {
        let colon = UInt8(ascii: ":")
        if text.first == UInt8(ascii: "["), let bracket = text.firstIndex(of: UInt8(ascii: "]")) {
            let rest = UnsafeRawBufferPointer(rebasing: text[(bracket + 1)...])
            host = 1..<bracket
            port = rest.first == colon ? decimal(UnsafeRawBufferPointer(rebasing: rest.dropFirst())).map(Int.init) : nil
            return
        }
        guard let first = text.firstIndex(of: colon) else {
            (host, port) = (0..<text.count, nil)
            return
        }
        let digits = UnsafeRawBufferPointer(rebasing: text[(first + 1)...])
        let number = decimal(digits).map(Int.init)
        port = number
        host = 0..<(number != nil || digits.isEmpty ? first : text.count)
    }
}
