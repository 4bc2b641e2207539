// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// FNV-1a, 64 bits, a byte at a time: the hash of a prefix is a step on the way to the hash of the whole.
struct ByteHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func feed(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

    static func of(_ bytes: UnsafeRawBufferPointer) -> ByteHash {
        var hash = ByteHash()
        for byte in bytes { hash.feed(byte) }
        return hash
    }
}

/// An immutable hash table from byte strings to small numbers, whose look-up takes bytes wherever they lie and
/// allocates nothing.
struct ByteIndex: Sendable {
    private struct Slot {
        var hash: UInt64
        var offset: UInt32
        var length: UInt32
        /// Negative: the slot is empty.
        var value: Int32
    }

    private var slots: [Slot]
    private var keys: [UInt8] = []
    private let mask: Int
    let isEmpty: Bool

    /// - Parameter entries: distinct keys.
    init(_ entries: [(key: [UInt8], value: Int)]) {
        // At most half full, so that a miss ends after a slot or two.
        var size = 2
        while size < entries.count * 2 { size *= 2 }
        mask = size - 1
        isEmpty = entries.isEmpty
        slots = Array(repeating: Slot(hash: 0, offset: 0, length: 0, value: -1), count: size)
        for (key, value) in entries {
            let hash = key.withUnsafeBytes { ByteHash.of($0) }
            var place = Self.place(of: hash, mask: mask)
            while slots[place].value >= 0 { place = (place + 1) & mask }
            slots[place] = Slot(
                hash: hash.value, offset: UInt32(keys.count), length: UInt32(key.count), value: Int32(value))
            keys += key
        }
    }

    /// - Parameter hash: of the key.
    /// - Returns: nil when there is no such key.
    func value(of key: UnsafeRawBufferPointer, hash: ByteHash) -> Int? {
        var place = Self.place(of: hash, mask: mask)
        while true {
            let slot = slots[place]
            if slot.value < 0 { return nil }
            if slot.hash == hash.value, Int(slot.length) == key.count, isEqual(key, at: Int(slot.offset)) {
                return Int(slot.value)
            }
            place = (place + 1) & mask
        }
    }

    private func isEqual(_ key: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        keys.withUnsafeBytes { keys in
            for place in 0..<key.count where keys[offset + place] != key[place] { return false }
            return true
        }
    }

    /// The low bits of FNV-1a depend on the low bits of the bytes alone; the high half is folded in.
    private static func place(of hash: ByteHash, mask: Int) -> Int {
        Int(truncatingIfNeeded: hash.value ^ (hash.value >> 32)) & mask
    }
}
