// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Percent-encoding and `application/x-www-form-urlencoded` (WHATWG URL standard, section 5).
enum URLText {
    /// Most arguments of a query or a form (kong/api/arguments.lua).
    static let maximumArguments = 1000

    /// A `%` that is not followed by two hexadecimal digits stays as it is; bytes that are no UTF-8 are replaced.
    static func decoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            if bytes[place] == 0x25, place + 2 < bytes.count, let high = bytes[place + 1].hexadecimalDigit,
                let low = bytes[place + 2].hexadecimalDigit
            {
                result.append(high << 4 | low)
                place += 3
            } else {
                result.append(plusIsSpace && bytes[place] == 0x2B ? 0x20 : bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Everything but unreserved characters (RFC 3986 section 2.3) as upper-case hexadecimal digits.
    static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            if byte.isASCIILetter || byte.isASCIIDigit || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    /// The arguments in their order. One without `=` has the value true, as in Kong.
    static func arguments(_ text: some StringProtocol) throws(AdminRefusal) -> [FormArgument] {
        let parts = text.split(separator: "&")
        if parts.count > maximumArguments { throw AdminRefusal(400, "Too many arguments") }
        return parts.map { part in
            guard let equals = part.firstIndex(of: "=") else {
                return FormArgument(name: decoded(part, plusIsSpace: true), value: true)
            }
            let value = decoded(part[part.index(after: equals)...], plusIsSpace: true)
            return FormArgument(name: decoded(part[..<equals], plusIsSpace: true), value: .string(value))
        }
    }
}

/// One name and value of a form or a query.
struct FormArgument: Hashable, Sendable {
    var name: String
    /// A string, or true for an argument without a value.
    var value: JSONValue
}
