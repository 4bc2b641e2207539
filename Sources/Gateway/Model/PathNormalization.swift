// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Request paths in the one form that routes are compared with (normalize in kong/tools/uri.lua): unreserved characters
/// are not percent-encoded, encodings are upper-case, there are no `.` and `..` segments and no empty ones.
package enum PathNormalization {
    package static func normalized(_ path: String) -> String {
        let decoded = decodingUnreserved(Array(path.utf8))
        var segments: [ArraySlice<UInt8>] = []
        var endsOpen = false
        let parts = decoded.split(separator: 0x2F, omittingEmptySubsequences: false)
        for (place, part) in parts.enumerated() {
            let isLast = place == parts.count - 1
            switch part {
            case []: endsOpen = isLast
            case [0x2E]: endsOpen = isLast
            case [0x2E, 0x2E]:
                _ = segments.popLast()
                endsOpen = isLast
            default: segments.append(part)
            }
        }
        let joined = segments.map { [0x2F] + $0 }.joined()
        return String(decoding: joined + (endsOpen || segments.isEmpty ? [0x2F] : []), as: UTF8.self)
    }

    private static func decodingUnreserved(_ bytes: [UInt8]) -> [UInt8] {
        let reserved = Set("!*'();:@&=+$,/?%#[]".utf8)
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            guard bytes[place] == 0x25, place + 2 < bytes.count, let high = bytes[place + 1].hexadecimalDigit,
                let low = bytes[place + 2].hexadecimalDigit
            else {
                result.append(bytes[place])
                place += 1
                continue
            }
            let byte = high << 4 | low
            if reserved.contains(byte) {
                result += [0x25] + String(byte, radix: 16, uppercase: true).utf8
            } else {
                result.append(byte)
            }
            place += 3
        }
        return result
    }
}
