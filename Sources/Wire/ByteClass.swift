// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Which bytes may stand where (RFC 9110 section 5.6.2, RFC 9112 section 3).
enum ByteClass {
    /// Letters, digits and `!#$%&'*+-.^_`|~`: a method or a field name.
    static let token: UInt8 = 1
    /// Everything of a request target: visible ASCII, and bytes of 0x80 and above as nginx takes them; never a space.
    static let target: UInt8 = 2
    /// Everything of a field value: visible ASCII, space, tab, 0x80 and above.
    static let value: UInt8 = 4
    /// Everything of a registered name (RFC 3986 section 3.2.2): letters, digits and `-._~!$&'()*+,;=%`.
    static let host: UInt8 = 8

    @inline(__always)
    static func isMember(_ byte: UInt8, of mask: UInt8) -> Bool { table[Int(byte)] & mask != 0 }

    /// Bits of every byte. Computed once; read by index only.
    static let table: [UInt8] = (0...255).map { code in
        let byte = UInt8(code)
        var bits: UInt8 = 0
        let isAlphanumeric =
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        if isAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(byte) { bits |= token }
        if (0x21...0x7e).contains(byte) || byte >= 0x80 { bits |= target }
        if (0x20...0x7e).contains(byte) || byte == 0x09 || byte >= 0x80 { bits |= value }
        if isAlphanumeric || "-._~!$&'()*+,;=%".utf8.contains(byte) { bits |= host }
        return bits
    }
}
