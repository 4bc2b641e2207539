// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The path of a request in the form that routes are compared with, in bytes (normalize and escape in
/// kong/tools/uri.lua): unreserved and other characters decoded, reserved ones encoded in upper case, no empty, `.` or
/// `..` segments. Written out again, all but reserved and unreserved characters are encoded.
enum RequestPath {
    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")
    private static let percent = UInt8(ascii: "%")

    /// True when the path is normal already and can be sent as it stands: the case that must cost nothing.
    @inline(__always)
    static func isNormal(_ path: UnsafeRawBufferPointer) -> Bool {
        guard path.first == slash else { return false }
        var previous: UInt8 = 0
        for place in 0..<path.count {
            let byte = path[place]
            guard isSafe(byte) else { return false }
            if previous == slash, byte == slash || byte == dot && isDotSegment(path, at: place) { return false }
            if byte == percent, !isNormalEncoding(path, at: place) { return false }
            previous = byte
        }
        return true
    }

    private static func isDotSegment(_ path: UnsafeRawBufferPointer, at place: Int) -> Bool {
        var end = place + 1
        if end < path.count, path[end] == dot { end += 1 }
        return end == path.count || path[end] == slash
    }

    /// A reserved character in upper-case digits, or a `%` that encodes nothing: both stay as they are.
    private static func isNormalEncoding(_ path: UnsafeRawBufferPointer, at place: Int) -> Bool {
        guard let byte = encodedByte(path, at: place) else { return true }
        let isUpperCase = path[place + 1] < 0x61 && path[place + 2] < 0x61
        return isUpperCase && isReserved(byte)
    }

    /// The byte that the three bytes from `place` on stand for, or nil.
    private static func encodedByte(_ path: UnsafeRawBufferPointer, at place: Int) -> UInt8? {
        guard path[place] == percent, place + 2 < path.count, let high = path[place + 1].hexadecimalDigit,
            let low = path[place + 2].hexadecimalDigit
        else { return nil }
        return high << 4 | low
    }

    /// The normal form of a path, never empty: an empty path is `/` (RFC 9110 section 4.2.3).
    /// - Parameter path: empty or beginning with a slash.
    static func normalized(_ path: UnsafeRawBufferPointer) -> ContiguousArray<UInt8> {
        let text = decoded(path)
        var result: ContiguousArray<UInt8> = []
        result.reserveCapacity(text.count + 1)
        var start = text.first == slash ? 1 : 0
        while start <= text.count {
            let end = text[start...].firstIndex(of: slash) ?? text.count
            let segment = text[start..<end]
            let isDots = segment.count <= 2 && segment.allSatisfy { $0 == dot }
            if isDots {
                if segment.count == 2 { removeLastSegment(&result) }
                if end == text.count { result.append(slash) }
            } else {
                result.append(slash)
                result.append(contentsOf: segment)
            }
            start = end + 1
        }
        return result
    }

    private static func removeLastSegment(_ path: inout ContiguousArray<UInt8>) {
        while let last = path.popLast(), last != slash {}
    }

    /// Decodes all but reserved characters; those get upper-case digits.
    private static func decoded(_ path: UnsafeRawBufferPointer) -> ContiguousArray<UInt8> {
        var result: ContiguousArray<UInt8> = []
        result.reserveCapacity(path.count)
        var place = 0
        while place < path.count {
            guard let byte = encodedByte(path, at: place) else {
                result.append(path[place])
                place += 1
                continue
            }
            if isReserved(byte) { appendEncoded(byte, to: &result) } else { result.append(byte) }
            place += 3
        }
        return result
    }

    /// The bytes with everything encoded that is neither reserved nor unreserved nor a `%`.
    static func escaped(_ path: some Sequence<UInt8>) -> ContiguousArray<UInt8> {
        var result: ContiguousArray<UInt8> = []
        result.reserveCapacity(path.underestimatedCount)
        for byte in path {
            if isSafe(byte) { result.append(byte) } else { appendEncoded(byte, to: &result) }
        }
        return result
    }

    /// True when the bytes are UTF-8.
    static func isText(_ path: UnsafeRawBufferPointer) -> Bool {
        path.allSatisfy { $0 < 0x80 } || String(validating: path, as: UTF8.self) != nil
    }

    private static func appendEncoded(_ byte: UInt8, to result: inout ContiguousArray<UInt8>) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
        result.append(percent)
        result.append(digit(byte >> 4))
        result.append(digit(byte & 15))
    }
}

// MARK: Character classes, as bits of two words: no table to load, nothing to initialise

extension RequestPath {
    /// `!*'();:@&=+$,/?%#[]`: decoding one of these would change what the path means.
    @inline(__always)
    private static func isReserved(_ byte: UInt8) -> Bool {
        contains(byte, 0xAC00_9FFA_0000_0000, 0x0000_0000_2800_0001)
    }

    /// Reserved, or a letter, a digit or one of `-._~`: may stand in a request target.
    @inline(__always)
    private static func isSafe(_ byte: UInt8) -> Bool { contains(byte, 0xAFFF_FFFA_0000_0000, 0x47FF_FFFE_AFFF_FFFF) }

    /// - Parameters: bit n of `low` stands for byte n, bit n of `high` for byte 64 + n.
    @inline(__always)
    private static func contains(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        byte < 128 && (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
    }
}
