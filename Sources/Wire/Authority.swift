// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// `uri-host [ ":" port ]` (RFC 3986 section 3.2, RFC 9110 section 7.2): a Host field, the authority of an absolute
/// target and the target of CONNECT.
enum Authority {
    /// - Parameter needsPort: as CONNECT does (RFC 9112 section 3.2.3).
    @inline(__always)
    static func isValid(_ bytes: UnsafeRawBufferPointer, needsPort: Bool = false) -> Bool {
        let end = bytes.first == UInt8(ascii: "[") ? endOfLiteral(bytes) : endOfName(bytes)
        guard end > 0 else { return false }
        if end == bytes.count { return !needsPort }
        guard bytes[end] == UInt8(ascii: ":"), bytes.count - end <= 6 else { return false }
        let port = bytes[(end + 1)...]
        return port.allSatisfy { (0x30...0x39).contains($0) } && !(needsPort && port.isEmpty)
    }

    @inline(__always)
    private static func endOfName(_ bytes: UnsafeRawBufferPointer) -> Int {
        var i = 0
        while i < bytes.count, ByteClass.isMember(bytes[i], of: ByteClass.host) { i += 1 }
        return i
    }

    /// The place behind the `]` of an IPv6 address in brackets; 0 when there is none.
    private static func endOfLiteral(_ bytes: UnsafeRawBufferPointer) -> Int {
        var i = 1
        while i < bytes.count, ByteClass.isMember(bytes[i], of: ByteClass.host) || bytes[i] == UInt8(ascii: ":") {
            i += 1
        }
        return i > 1 && i < bytes.count && bytes[i] == UInt8(ascii: "]") ? i + 1 : 0
    }
}
