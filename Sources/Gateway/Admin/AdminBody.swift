// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The body of a request, read by its Content-Type (kong/api/api_helpers.lua and arguments.lua).
enum AdminBody {
    case none
    case json(JSONValue)
    case form([FormArgument])
    case yaml(String)

    /// - Throws: 400 for a body that is not what it says, 415 for a type that is not read here.
    init(_ request: AdminRequest, acceptsYAML: Bool = false) throws(AdminRefusal) {
        let types = request.values(of: "content-type")
        if types.count > 1 { throw AdminRefusal(400, "Multiple Content-Type headers not allowed") }
        guard let type = types.first else {
            if !request.body.isEmpty { throw AdminRefusal(AdminResponse(415)) }
            self = .none
            return
        }
        if type.hasPrefix("application/json") {
            guard let value = try? JSONValue(parsing: request.body), value.objectValue != nil else {
                throw AdminRefusal(400, "Cannot parse JSON body")
            }
            self = .json(value)
        } else if type.hasPrefix("application/x-www-form-urlencoded") {
            self = .form(try URLText.arguments(String(decoding: request.body, as: UTF8.self)))
        } else if type.hasPrefix("multipart/form-data") {
            self = .form(try MultipartForm.arguments(request.body, contentType: type))
        } else if acceptsYAML, type.hasPrefix("application/yaml") || type.hasPrefix("text/yaml") {
            self = .yaml(String(decoding: request.body, as: UTF8.self))
        } else {
            throw AdminRefusal(AdminResponse(415))
        }
    }

    /// The body as an object of a schema; the texts of a form take the schema's types, JSON stays as it is.
    func object(_ schema: RecordSchema) -> JSONValue {
        switch self {
        case .none, .yaml: [:]
        case .json(let value): value
        case .form(let arguments): FormTypes.typed(FormDecoding.object(arguments), as: schema)
        }
    }
}

/// `multipart/form-data` (RFC 7578). File names and the types of parts do not matter here.
enum MultipartForm {
    static func arguments(_ body: [UInt8], contentType: String) throws(AdminRefusal) -> [FormArgument] {
        guard let boundary = parameter("boundary", of: contentType), !boundary.isEmpty else { return [] }
        var arguments: [FormArgument] = []
        for part in parts(of: body, between: Array("--\(boundary)".utf8)) {
            guard let end = firstRange(of: [0x0D, 0x0A, 0x0D, 0x0A], in: part) else { continue }
            let head = String(decoding: part[..<end.lowerBound], as: UTF8.self)
            let line = head.split(whereSeparator: \.isNewline).first {
                $0.lowercased().hasPrefix("content-disposition:")
            }
            guard let line, let name = parameter("name", of: String(line)) else { continue }
            let value = String(decoding: part[end.upperBound...], as: UTF8.self)
            arguments.append(FormArgument(name: name, value: .string(value)))
            if arguments.count > URLText.maximumArguments { throw AdminRefusal(400, "Too many arguments") }
        }
        return arguments
    }

    /// What stands between delimiter lines, without the line ends that belong to these.
    private static func parts(of body: [UInt8], between delimiter: [UInt8]) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var rest = body[...]
        var isInside = false
        while let found = firstRange(of: delimiter, in: rest) {
            var part = rest[..<found.lowerBound]
            if isInside {
                if part.starts(with: [0x0D, 0x0A]) { part = part.dropFirst(2) }
                if part.suffix(2) == [0x0D, 0x0A] { part = part.dropLast(2) }
                parts.append(part)
            }
            isInside = true
            rest = rest[found.upperBound...]
            if rest.starts(with: [0x2D, 0x2D]) { break }
        }
        return parts
    }

    private static func firstRange(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
        guard let first = needle.first, bytes.count >= needle.count else { return nil }
        var start = bytes.startIndex
        let last = bytes.endIndex - needle.count
        while start <= last, let found = bytes[start...last].firstIndex(of: first) {
            if bytes[found..<found + needle.count].elementsEqual(needle) { return found..<found + needle.count }
            start = found + 1
        }
        return nil
    }

    /// `name="value"` or `name=value` of a header field.
    private static func parameter(_ name: String, of header: String) -> String? {
        for part in header.split(separator: ";").dropFirst() {
            guard let equals = part.firstIndex(of: "=") else { continue }
            let found = part[..<equals].filter { $0 != " " }
            if found.lowercased() != name { continue }
            let value = part[part.index(after: equals)...]
            let isQuoted = value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
            return String(isQuoted ? value.dropFirst().dropLast() : value)
        }
        return nil
    }
}
