// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Universally unique identifiers as text (RFC 9562).
package enum UUIDs {
    /// Whether a text is a UUID: 8-4-4-4-12 hexadecimal digits in either case.
    package static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.indices.allSatisfy { place in
            [8, 13, 18, 23].contains(place) ? bytes[place] == 0x2D : bytes[place].hexadecimalDigit != nil
        }
    }

    /// A version 5 UUID (RFC 9562 section 5.5): the same for the same name in the same namespace.
    ///
    /// - Parameter namespace: a valid UUID.
    package static func version5(namespace: String, name: String) -> String {
        precondition(isValid(namespace), "the namespace '\(namespace)' is no UUID")
        let digits = namespace.utf8.compactMap(\.hexadecimalDigit)
        var input = stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        input += Array(name.utf8)
        var bytes = Array(SHA1.digest(of: input).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = Array(SHA1.hexadecimal(bytes))
        for place in [8, 13, 18, 23] { text.insert("-", at: place) }
        return String(text)
    }
}

/// SHA-1 (RFC 3174), which version 5 UUIDs are defined with. Not for secrets.
enum SHA1 {
    static func digest(of message: [UInt8]) -> [UInt8] {
        var padded = message
        padded.append(0x80)
        padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
        let bits = UInt64(message.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) { padded.append(UInt8(bits >> UInt64(shift) & 0xFF)) }
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        var words = [UInt32](repeating: 0, count: 80)
        for block in stride(from: 0, to: padded.count, by: 64) {
            compress(padded[block..<block + 64], into: &state, &words)
        }
        return state.flatMap { word in [24, 16, 8, 0].map { UInt8(word >> $0 & 0xFF) } }
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32], _ words: inout [UInt32]) {
        for place in 0..<16 {
            let start = block.startIndex + place * 4
            words[place] = block[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        for place in 16..<80 {
            words[place] = rotate(words[place - 3] ^ words[place - 8] ^ words[place - 14] ^ words[place - 16], 1)
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for place in 0..<80 {
            let (mixed, key): (UInt32, UInt32) =
                switch place {
                case 0..<20: (b & c | ~b & d, 0x5A82_7999)
                case 20..<40: (b ^ c ^ d, 0x6ED9_EBA1)
                case 40..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
                default: (b ^ c ^ d, 0xCA62_C1D6)
                }
            let next = rotate(a, 5) &+ mixed &+ e &+ key &+ words[place]
            (a, b, c, d, e) = (next, a, rotate(b, 30), c, d)
        }
        for (place, value) in [a, b, c, d, e].enumerated() { state[place] &+= value }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
