// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// How both sides of a WebSocket prove that they mean one (RFC 6455 section 4).
package enum WebSocketHandshake {
    /// The only version there is (section 4.1).
    package static let version = "13"
    /// Section 1.3: no other protocol has it.
    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// What a server answers to the client's Sec-WebSocket-Key.
    package static func accept(for key: String) -> String {
        var hash = Insecure.SHA1()
        Array((key + suffix).utf8).withUnsafeBytes { hash.update(bufferPointer: $0) }
        return base64(Array(hash.finalize()))
    }

    /// A key is 16 bytes in Base64.
    package static func isKey(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes.suffix(2) == [UInt8(ascii: "="), UInt8(ascii: "=")] else { return false }
        return bytes.dropLast(2).allSatisfy(alphabet.contains)
    }

    /// - Parameter bytes: 16 of them, random.
    package static func key(_ bytes: [UInt8]) -> String { base64(bytes) }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// RFC 4648 section 4, with padding.
    static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for place in 0..<3 {
                bits = bits << 8 | (place < group.count ? UInt32(group[start + place]) : 0)
            }
            for place in 0..<4 {
                let digit = alphabet[Int(bits >> (18 - 6 * UInt32(place)) & 63)]
                text.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
