// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Words numbered in the order in which they came: for the few names of a run, each looked up again and again.
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

/// Texts by number, as bytes in one column: paths of requests, of which every request may have one of its own. The
/// first texts are kept once however often they come; when there are too many of them to be names, each is kept anew.
struct TextPool: Sendable {
    private var bytes = Column<UInt8>()
    private var ends = Column<UInt32>()
    private var numbers: [String: Int32] = [:]

    /// A dictionary entry costs five times what a short text does; a load that repeats more than this is rare.
    private static let mostNames = 4_096

    subscript(number: Int32) -> String {
        let first = number == 0 ? 0 : Int(ends[Int(number) - 1])
        return String(decoding: bytes[first..<Int(ends[Int(number)])], as: UTF8.self)
    }

    /// Bytes, without the few names that are looked up.
    var size: Int { bytes.size + ends.size }

    mutating func number(of text: String) -> Int32 {
        if let number = numbers[text] { return number }
        // 2^32 bytes of paths: what comes then has no path of its own.
        guard bytes.count + text.utf8.count < Int(UInt32.max), ends.count < Int(Int32.max) else { return 0 }
        for byte in text.utf8 { bytes.append(byte) }
        ends.append(UInt32(bytes.count))
        let number = Int32(ends.count - 1)
        if numbers.count < Self.mostNames { numbers[text] = number }
        return number
    }
}
