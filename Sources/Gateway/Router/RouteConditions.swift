// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Wire

/// What a part asks for beside method, host and path.
struct RouteConditions: Sendable {
    let route: CompiledRoute
    /// Methods that `HTTPMethod` has no case for.
    let otherMethods: [ContiguousArray<UInt8>]
    let headers: [HeaderCondition]
    let serverNames: [ServerNameCondition]

    var isEmpty: Bool { otherMethods.isEmpty && headers.isEmpty && serverNames.isEmpty }

    func hold(
        _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ scheme: RequestScheme, _ serverName: String?
    )
        -> Bool
    {
        if head.method == .other, !otherMethods.isEmpty,
            !otherMethods.contains(where: { bytes[head.methodRange].elementsEqual($0) })
        {
            return false
        }
        // Server names are not looked at when there is no TLS.
        if scheme == .https, !serverNames.isEmpty {
            guard let serverName, serverNames.contains(where: { $0.holds(serverName) }) else { return false }
        }
        return headers.allSatisfy { $0.holds(head.fields, bytes) }
    }
}

/// One header that must have one of some values, or match one of some regular expressions, in any case of letters.
struct HeaderCondition: Sendable {
    private let name: ContiguousArray<UInt8>
    private var values: [ContiguousArray<UInt8>] = []
    private var patterns: [RoutePattern] = []

    /// - Throws: when a value with `~*` in front is no regular expression.
    init(_ header: Route.Header) throws {
        name = ContiguousArray(header.name.utf8.map(HostIndex.folded))
        for value in header.values {
            if value.hasPrefix("~*") {
                patterns.append(try RoutePattern(headerValue: String(value.dropFirst(2))))
            } else {
                values.append(ContiguousArray(value.utf8.map(HostIndex.folded)))
            }
        }
    }

    /// Any field of this name may hold the value: fields are not joined.
    func holds(_ fields: HeadFields, _ bytes: UnsafeRawBufferPointer) -> Bool {
        for field in fields.list where Int(field.name.count) == name.count && isEqual(bytes[field.name], name) {
            let value = bytes[field.value]
            if values.contains(where: { isEqual(value, $0) }) { return true }
            guard !patterns.isEmpty else { continue }
            let text = String(decoding: value, as: UTF8.self)
            if patterns.contains(where: { $0.isFound(in: text) }) { return true }
        }
        return false
    }

    @inline(__always)
    private func isEqual(_ bytes: UnsafeRawBufferPointer, _ folded: ContiguousArray<UInt8>) -> Bool {
        guard bytes.count == folded.count else { return false }
        for place in 0..<bytes.count where HostIndex.folded(bytes[place]) != folded[place] { return false }
        return true
    }
}

/// A server name of TLS, `*.example.com` or `example.*`; a dot at the end is no part of it.
struct ServerNameCondition: Sendable {
    private enum Form: Sendable { case exact, suffix, prefix }

    private let form: Form
    private let text: String

    init(_ pattern: String) {
        let name = Self.canonical(pattern)
        if name.hasPrefix("*") {
            (form, text) = (.suffix, String(name.dropFirst()))
        } else if name.hasSuffix("*") {
            (form, text) = (.prefix, String(name.dropLast()))
        } else {
            (form, text) = (.exact, name)
        }
    }

    private static func canonical(_ name: String) -> String {
        let name = name.count > 1 && name.hasSuffix(".") ? name.dropLast() : name[...]
        return name.lowercased()
    }

    func holds(_ serverName: String) -> Bool {
        let name = Self.canonical(serverName)
        return switch form {
        case .exact: name == text
        case .suffix: name.hasSuffix(text)
        case .prefix: name.hasPrefix(text)
        }
    }
}
