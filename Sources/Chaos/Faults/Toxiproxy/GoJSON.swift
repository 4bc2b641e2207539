// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Bodies as Go's `encoding/json` reads and writes them: keys in any case, null for "not given", unknown keys ignored,
/// its words for what does not fit.
struct GoObject {
    let value: JSONValue
    /// The type and the path before a field, as errors name them: `LatencyToxic`, `attributes.`.
    let structName: String
    var path = ""

    /// The member of this name, in any case; nil when it is missing or null.
    func member(_ name: String) -> JSONValue? {
        guard let members = value.objectValue else { return nil }
        let found = members[name] ?? members.elements.last { $0.key.lowercased() == name.lowercased() }?.value
        return found == .null ? nil : found
    }

    func text(_ name: String) throws(ToxiproxyError) -> String? {
        guard let member = member(name) else { return nil }
        guard let text = member.stringValue else { throw mismatch(member, name, "string") }
        return text
    }

    func flag(_ name: String) throws(ToxiproxyError) -> Bool? {
        guard let member = member(name) else { return nil }
        guard let flag = member.boolValue else { throw mismatch(member, name, "bool") }
        return flag
    }

    func number(_ name: String, _ type: String = "float32") throws(ToxiproxyError) -> Double? {
        guard let member = member(name) else { return nil }
        guard let number = member.doubleValue else { throw mismatch(member, name, type) }
        return number
    }

    func attribute(_ attribute: ToxicAttribute) throws(ToxiproxyError) -> JSONValue? {
        guard let member = member(attribute.name) else { return nil }
        let fits =
            switch (attribute.kind, member) {
            case (.int64, .integer), (.int, .integer), (.float64, .integer), (.float64, .number), (.string, .string),
                (.bool, .bool):
                true
            default: false
            }
        guard fits else { throw mismatch(member, attribute.name, attribute.kind.rawValue) }
        return member
    }

    private func mismatch(_ value: JSONValue, _ name: String, _ type: String) -> ToxiproxyError {
        let kind =
            switch value {
            case .number where type.hasPrefix("int"): "number \(value)"
            default: Self.kind(of: value)
            }
        return .badRequestBody(
            "json: cannot unmarshal \(kind) into Go struct field \(structName).\(path)\(name) of type \(type)")
    }

    static func kind(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "bool"
        case .integer, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

enum GoJSON {
    /// Reads a body.
    ///
    /// - Parameter type: what Go would read into, for an error: `toxiproxy.Proxy`.
    static func object(_ body: [UInt8], _ structName: String, type: String) throws(ToxiproxyError) -> GoObject {
        let value = try Self.value(body)
        // null leaves everything as it was.
        guard value.objectValue != nil || value == .null else { throw mismatch(value, type) }
        return GoObject(value: value, structName: structName)
    }

    static func value(_ body: [UInt8]) throws(ToxiproxyError) -> JSONValue {
        guard body.contains(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) else { throw .badRequestBody("EOF") }
        do throws(Problem) {
            return try JSONValue(parsing: body)
        } catch {
            if isUnfinished(body) { throw .badRequestBody("unexpected EOF") }
            if error.message.contains("no value begins like this"), let first = firstBad(body) {
                throw .badRequestBody("invalid character \(first) looking for beginning of value")
            }
            throw .badRequestBody(error.message)
        }
    }

    /// The text breaks off within a string, a list or an object.
    private static func isUnfinished(_ body: [UInt8]) -> Bool {
        var (depth, isInString, isEscaped) = (0, false, false)
        for byte in body {
            switch byte {
            case _ where isEscaped: isEscaped = false
            case UInt8(ascii: "\\") where isInString: isEscaped = true
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += isInString ? 0 : 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= isInString ? 0 : 1
            default: break
            }
        }
        return isInString || depth > 0
    }

    static func mismatch(_ value: JSONValue, _ type: String) -> ToxiproxyError {
        .badRequestBody("json: cannot unmarshal \(GoObject.kind(of: value)) into Go value of type \(type)")
    }

    /// The first character that is no white space, as Go quotes it.
    private static func firstBad(_ body: [UInt8]) -> String? {
        guard let byte = body.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }), byte != UInt8(ascii: "{"),
            byte != UInt8(ascii: "[")
        else { return nil }
        return byte == UInt8(ascii: "'") ? "'\\''" : "'\(Character(Unicode.Scalar(byte)))'"
    }

    /// Go escapes what HTML could take for its own.
    static func text(_ value: JSONValue) -> String {
        let text = value.text()
        guard text.unicodeScalars.contains(where: { "<>&\u{2028}\u{2029}".unicodeScalars.contains($0) }) else {
            return text
        }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "<": result += "\\u003c"
            case ">": result += "\\u003e"
            case "&": result += "\\u0026"
            case "\u{2028}": result += "\\u2028"
            case "\u{2029}": result += "\\u2029"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    /// A float32 as Go prints it: the shortest digits that name it.
    static func float32(_ number: Double) -> JSONValue {
        let single = Float(number)
        if let whole = Int(exactly: single) { return .integer(whole) }
        return .number(Double("\(single)") ?? number)
    }
}
