// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Looks for keys that hold aliases before a document is parsed. The parser hashes every key with all that its aliases
/// stand for, so twenty short lines would keep it busy for years ("billion laughs"); elsewhere aliases cost nothing
/// until they are expanded, under a budget. Such a key is an error anyway: a key is text.
///
/// Goes by the look of the text, and so may take the content of a block scalar for a key; but only in a document that
/// has both anchors and aliases.
enum AliasGuard {
    static func keyMadeOfAliases(in text: String, file: String) -> SourceLocation? {
        guard text.utf8.contains(UInt8(ascii: "*")), text.utf8.contains(UInt8(ascii: "&")) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.contains(where: hasAlias) else { return nil }
        for (index, line) in lines.enumerated() {
            guard let column = columnOfKey(in: Array(line.utf8)) else { continue }
            return SourceLocation(file: file, line: index + 1, column: column)
        }
        return nil
    }

    /// `*name` where a value can begin.
    private static func hasAlias(_ line: Substring) -> Bool {
        let bytes = Array(line.utf8)
        return bytes.indices.contains { isAlias(bytes, at: $0) }
    }

    private static func isAlias(_ bytes: [UInt8], at place: Int) -> Bool {
        bytes[place] == UInt8(ascii: "*") && (place == 0 || " \t[{,".utf8.contains(bytes[place - 1]))
            && place + 1 < bytes.count && isName(bytes[place + 1])
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// The column of `? …` (a key that may be anything), `*name :`, `] :` or `} :`.
    private static func columnOfKey(in bytes: [UInt8]) -> Int? {
        for place in bytes.indices {
            switch bytes[place] {
            case UInt8(ascii: "?"):
                let isFirst = bytes[..<place].allSatisfy { " -[{,".utf8.contains($0) }
                let standsAlone = place + 1 == bytes.count || bytes[place + 1] == 0x20 || bytes[place + 1] == 0x09
                let isInFlow = place > 0 && "[{,".utf8.contains(bytes[..<place].last { $0 != 0x20 } ?? 0)
                if standsAlone, isFirst || isInFlow { return place + 1 }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if isColon(bytes, after: place + 1) { return place + 1 }
            case UInt8(ascii: "*") where isAlias(bytes, at: place):
                let end = bytes[(place + 1)...].firstIndex { !isName($0) } ?? bytes.count
                if isColon(bytes, after: end) { return place + 1 }
            default: break
            }
        }
        return nil
    }

    private static func isColon(_ bytes: [UInt8], after start: Int) -> Bool {
        var place = start
        while place < bytes.count, bytes[place] == 0x20 || bytes[place] == 0x09 { place += 1 }
        guard place < bytes.count, bytes[place] == UInt8(ascii: ":") else { return false }
        return place + 1 == bytes.count || " \t\r,]}".utf8.contains(bytes[place + 1])
    }
}
