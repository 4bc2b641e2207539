// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A name of the domain name system (RFC 1035 section 3.1), absolute, in lower case: names that differ in case alone
/// are the same (RFC 4343).
package struct DomainName: Hashable, Sendable, CustomStringConvertible {
    /// Bytes a label may have, and those of a whole name with its length bytes.
    static let longestLabel = 63
    static let longestName = 255

    /// From the left, without the root's empty one.
    package let labels: [[UInt8]]

    /// - Returns: nil when a label is empty or longer than 63 bytes, or all of it longer than 255.
    package init?(labels: [[UInt8]]) {
        guard labels.allSatisfy({ (1...Self.longestLabel).contains($0.count) }),
            labels.reduce(1, { $0 + $1.count + 1 }) <= Self.longestName
        else { return nil }
        self.labels = labels.map { $0.map(Self.lowercased) }
    }

    /// As people write it, `api.internal`; a dot at its end is allowed. Nil for what no name server could know: blanks,
    /// control characters, empty labels.
    package init?(_ text: String) {
        var text = text[...]
        if text.last == ".", text.count > 1 { text = text.dropLast() }
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
        self.init(labels: text.split(separator: ".", omittingEmptySubsequences: false).map { Array($0.utf8) })
    }

    package static let root = DomainName(unchecked: [])

    private init(unchecked labels: [[UInt8]]) { self.labels = labels }

    /// The name without its first label; nil for the root.
    package var parent: DomainName? {
        labels.isEmpty ? nil : DomainName(unchecked: Array(labels.dropFirst()))
    }

    /// Without a dot at the end; bytes that are no printable ASCII as `\DDD` (RFC 4343 section 2.1).
    package var description: String {
        labels.isEmpty ? "." : labels.map { $0.map(Self.text).joined() }.joined(separator: ".")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func text(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
        case 0x21...0x7e: String(UnicodeScalar(byte))
        default: "\\" + String(repeating: "0", count: byte < 10 ? 2 : byte < 100 ? 1 : 0) + "\(byte)"
        }
    }
}
