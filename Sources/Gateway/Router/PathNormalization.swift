// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The form of a path that routes are compared with (kong/tools/uri.lua, normalize with merged slashes): what is
/// unreserved or not mentioned by RFC 3986 is percent-decoded, reserved characters stay encoded with upper-case digits,
/// dot segments are removed, runs of slashes become one.
package enum PathNormalization {
    /// Whether `normalize` would return the path as it is. Reads the path once and allocates nothing.
    package static func isNormalized(_ path: UnsafeRawBufferPointer) -> Bool {
        guard path.first == slash else { return path.isEmpty }
        var place = 0
        let end = path.count
        while place < end {
            let byte = path[place]
            if byte == percent { return false }
            place += 1
            guard byte == slash, place < end else { continue }
            if path[place] == slash || isDotSegment(path, at: place) { return false }
        }
        return true
    }

    package static func normalize(_ path: UnsafeRawBufferPointer) -> [UInt8] {
        let decoded = decode(path)
        return decoded.withUnsafeBytes { removeDotSegments($0) }
    }

    /// Whether a segment `.` or `..` starts here.
    private static func isDotSegment(_ path: UnsafeRawBufferPointer, at start: Int) -> Bool {
        var place = start
        while place < path.count, place < start + 2, path[place] == dot { place += 1 }
        return place > start && (place == path.count || path[place] == slash)
    }

    // MARK: Percent signs

    private static func decode(_ path: UnsafeRawBufferPointer) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(path.count)
        var place = 0
        while place < path.count {
            guard path[place] == percent, place + 2 < path.count, let high = digit(path[place + 1]),
                let low = digit(path[place + 2])
            else {
                out.append(path[place])
                place += 1
                continue
            }
            let byte = high << 4 | low
            if isReserved(byte) {
                out += [percent, hexadecimal(high), hexadecimal(low)]
            } else {
                out.append(byte)
            }
            place += 3
        }
        return out
    }

    /// RESERVED_CHARS of kong/tools/uri.lua: those of RFC 3986 and the percent sign.
    private static func isReserved(_ byte: UInt8) -> Bool { "!*'();:@&=+$,/?%#[]".utf8.contains(byte) }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    static func hexadecimal(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 + nibble : 55 + nibble }

    // MARK: Dots and slashes

    private static func removeDotSegments(_ path: UnsafeRawBufferPointer) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(path.count)
        /// Where the segments in `out` start, each with its slash.
        var starts: [Int] = []
        var place = 0
        func byte(_ offset: Int) -> UInt8? { place + offset < path.count ? path[place + offset] : nil }
        func endsSegment(_ offset: Int) -> Bool { byte(offset) == nil || byte(offset) == slash }
        /// The rest is only the slash that a removed last segment leaves behind.
        var leavesSlash = false
        while place < path.count {
            if byte(0) == slash, byte(1) == slash {
                place += 1
            } else if byte(0) == slash, byte(1) == dot, endsSegment(2) {
                leavesSlash = byte(2) == nil
                place += 2
            } else if byte(0) == slash, byte(1) == dot, byte(2) == dot, endsSegment(3) {
                leavesSlash = byte(3) == nil
                if let start = starts.popLast() { out.removeSubrange(start...) }
                place += 3
            } else if byte(0) == dot, endsSegment(1) {
                place += byte(1) == nil ? 1 : 2
            } else if byte(0) == dot, byte(1) == dot, endsSegment(2) {
                place += byte(2) == nil ? 2 : 3
            } else {
                starts.append(out.count)
                repeat {
                    out.append(path[place])
                    place += 1
                } while place < path.count && path[place] != slash
            }
        }
        if leavesSlash { out.append(slash) }
        return out
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
private let percent = UInt8(ascii: "%")
