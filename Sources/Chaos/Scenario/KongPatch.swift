// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

/// Parts of a Kong document, laid over a whole one. A gateway without a database takes no PATCH of an entity, so this
/// is what an operator does instead: edit the file, load it again.
///
///     upstreams:
///       orders-up: { healthchecks: { active: { healthy: { interval: 1 } } }, targets: { "api-2:8080": null } }
///
/// Entities are found by their name (targets by their `target`), whether the patch has them in a list, as the document
/// does, or in a map of names. Records are merged field by field, null takes a field or an entity away, everything else
/// is replaced. A target that is not there yet is added; any other entity must be there.
enum KongPatch {
    /// The lists of entities and what an entity is known by.
    private static let kinds: [String: (key: String, noun: String)] = [
        "services": ("name", "service"), "routes": ("name", "route"), "upstreams": ("name", "upstream"),
        "targets": ("target", "target"),
    ]

    static func apply(_ patch: JSONValue, to document: JSONValue) throws(Problem) -> JSONValue {
        guard case .object(let changes) = patch, case .object(var members) = document else { return patch }
        for (key, change) in changes {
            if let kind = kinds[key] {
                members[key] = try entities(members[key]?.arrayValue ?? [], kind, change)
            } else if change.isNull {
                members[key] = nil
            } else if case .object = change, case .object? = members[key] {
                members[key] = try apply(change, to: members[key] ?? .null)
            } else {
                members[key] = change
            }
        }
        return .object(members)
    }

    private static func entities(
        _ list: [JSONValue], _ kind: (key: String, noun: String), _ change: JSONValue
    ) throws(Problem) -> JSONValue {
        var list = list
        for (name, part) in try parts(change, kind) {
            let index = list.firstIndex { spelling($0[kind.key]?.stringValue, kind) == spelling(name, kind) }
            if let index {
                if part.isNull { list.remove(at: index) } else { list[index] = try apply(part, to: list[index]) }
            } else if kind.noun == "target", !part.isNull {
                list.append(try apply(part, to: ["target": .string(name)]))
            } else {
                let known = list.compactMap { $0[kind.key]?.stringValue }
                throw Problem(
                    at: nil, "there is no \(kind.noun) `\(name)` to patch",
                    advice: nearestKey(to: name, among: known).map { "did you mean `\($0)`?" }
                        ?? (known.isEmpty ? "the document has none" : "there are \(known.joined(separator: ", "))"))
            }
        }
        return .array(list)
    }

    /// The entities of a patch by name, from a map or from a list.
    private static func parts(
        _ change: JSONValue, _ kind: (key: String, noun: String)
    ) throws(Problem) -> [(name: String, JSONValue)] {
        if case .object(let members) = change { return members.map { ($0.key, $0.value) } }
        var parts: [(name: String, JSONValue)] = []
        for item in change.arrayValue ?? [] {
            guard let name = item[kind.key]?.stringValue else {
                throw Problem(
                    at: nil, "a \(kind.noun) of a patch needs its `\(kind.key)`", advice: "it says which one is meant")
            }
            parts.append((name, item))
        }
        if change.arrayValue == nil {
            throw Problem(at: nil, "a patch names each \(kind.noun)", advice: "write { <name>: { … } }")
        }
        return parts
    }

    /// Kong's default port of a target is 8000.
    private static func spelling(_ name: String?, _ kind: (key: String, noun: String)) -> String? {
        guard kind.noun == "target", let name, !name.contains(":") else { return name }
        return name + ":8000"
    }

    /// `upstreams orders-up`: what is patched, for people.
    static func label(_ patch: JSONValue) -> String {
        let parts = (patch.objectValue ?? [:]).map { key, value in
            let names =
                value.objectValue.map { Array($0.keys) }
                ?? (value.arrayValue ?? []).compactMap {
                    $0["name"]?.stringValue ?? $0["target"]?.stringValue
                }
            return kinds[key] == nil ? key : "\(key) \(names.joined(separator: ", "))"
        }
        return parts.joined(separator: "; ")
    }
}
