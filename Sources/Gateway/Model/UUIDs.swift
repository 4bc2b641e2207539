// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Crypto

/// Universally unique identifiers as text (RFC 9562).
package enum UUIDs {
    /// Whether a text is a UUID: 8-4-4-4-12 hexadecimal digits in either case.
    package static func isValid(_ text: String) -> Bool {
        guard text.utf8.count == 36 else { return false }
        var place = 0
        for byte in text.utf8 {
            let isDash = place == 8 || place == 13 || place == 18 || place == 23
            guard isDash ? byte == 0x2D : byte.hexadecimalDigit != nil else { return false }
            place += 1
        }
        return true
    }

    /// A version 5 UUID (RFC 9562 section 5.5): the same for the same name in the same namespace.
    ///
    /// - Parameter namespace: a valid UUID.
    package static func version5(namespace: String, name: String) -> String {
        precondition(isValid(namespace), "the namespace '\(namespace)' is no UUID")
        let digits = namespace.utf8.compactMap(\.hexadecimalDigit)
        var hash = Insecure.SHA1()
        hash.update(data: stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
        hash.update(data: Array(name.utf8))
        var bytes = Array(hash.finalize().prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text: [UInt8] = []
        for (place, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(place) { text.append(0x2D) }
            text += hexadecimal(byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Two lower-case digits.
    static func hexadecimal(_ byte: UInt8) -> [UInt8] {
        [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
    }
}
