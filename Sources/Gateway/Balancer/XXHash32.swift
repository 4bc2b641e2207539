// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// xxHash, 32 bits (Yann Collet, doc/xxhash_spec.md 0.2.0): what Kong hashes for consistent hashing. Fast and well
/// spread; not for secrets.
package enum XXHash32 {
    private static let prime1: UInt32 = 0x9E37_79B1
    private static let prime2: UInt32 = 0x85EB_CA77
    private static let prime3: UInt32 = 0xC2B2_AE3D
    private static let prime4: UInt32 = 0x27D4_EB2F
    private static let prime5: UInt32 = 0x1656_67B1

    package static func hash(_ text: String, seed: UInt32 = 0) -> UInt32 {
        var text = text
        return text.withUTF8 { hash(UnsafeRawBufferPointer($0), seed: seed) }
    }

    package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        var offset = 0
        var sum: UInt32
        if bytes.count >= 16 {
            var lanes = (seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1)
            while offset + 16 <= bytes.count {
                lanes.0 = round(lanes.0, word(bytes, offset))
                lanes.1 = round(lanes.1, word(bytes, offset + 4))
                lanes.2 = round(lanes.2, word(bytes, offset + 8))
                lanes.3 = round(lanes.3, word(bytes, offset + 12))
                offset += 16
            }
            sum = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
        } else {
            sum = seed &+ prime5
        }
        sum &+= UInt32(truncatingIfNeeded: bytes.count)
        while offset + 4 <= bytes.count {
            sum = rotate(sum &+ word(bytes, offset) &* prime3, 17) &* prime4
            offset += 4
        }
        while offset < bytes.count {
            sum = rotate(sum &+ UInt32(bytes[offset]) &* prime5, 11) &* prime1
            offset += 1
        }
        sum = (sum ^ (sum >> 15)) &* prime2
        sum = (sum ^ (sum >> 13)) &* prime3
        return sum ^ (sum >> 16)
    }

    private static func round(_ lane: UInt32, _ word: UInt32) -> UInt32 {
        rotate(lane &+ word &* prime2, 13) &* prime1
    }

    private static func rotate(_ x: UInt32, _ count: UInt32) -> UInt32 { (x << count) | (x >> (32 - count)) }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
