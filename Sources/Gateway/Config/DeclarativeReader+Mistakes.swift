// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Keys at the top of a file.
enum DeclarativeKeys {
    static let meta = ["_format_version", "_transform", "_comment", "_ignore"]
    static let known = meta + EntityKind.allCases.map(\.rawValue)
    /// Kong reads these, this gateway does not.
    static let unsupported = [
        "consumers", "plugins", "keyauth_credentials", "basicauth_credentials", "jwt_secrets", "acls",
        "hmacauth_credentials", "oauth2_credentials", "vaults",
        "key_sets", "keys", "filter_chains", "consumer_groups",
    ]
    /// decK writes these, Kong does not read them.
    static let deck = ["_info", "_workspace", "_konnect", "_plugin_configs"]
}

extension DeclarativeReader {
    func mistake(
        _ path: [DeclarativeMistake.Step], _ message: String, at location: SourceLocation, advice: String?
    ) -> DeclarativeMistake {
        let place = DeclarativeMistake.text(path)
        let text = place.isEmpty ? message : "\(place): \(message)"
        return DeclarativeMistake(path: path, message: message, problem: Problem(at: location, text, advice: advice))
    }

    /// Reports a key at the top of the document that nobody knows.
    mutating func refuse(_ member: DocumentNode.Member) {
        mistakes.append(
            mistake(
                [.key(member.key)], "unknown field", at: member.keyLocation,
                advice: Self.advice(forUnknown: member.key, among: DeclarativeKeys.known)))
    }

    /// Reports every violation of an entity at the part of the document it belongs to.
    mutating func record(_ violation: Violation, _ item: Item, _ schema: RecordSchema) {
        record(violation, at: item.node, item.path, schema)
    }

    private mutating func record(
        _ violation: Violation, at node: DocumentNode, _ path: [DeclarativeMistake.Step], _ schema: RecordSchema?
    ) {
        switch violation {
        case .message(let text):
            mistakes.append(mistake(path, text, at: node.location, advice: Self.advice(for: text, node)))
        case .items(let items):
            for item in items {
                record(item.violation, at: node.items?[item.index] ?? node, path + [.index(item.index)], nil)
            }
        case .fields(let members):
            for (name, violation) in members {
                if name == Violation.entityKey {
                    recordWhole(violation, at: node, path)
                } else {
                    record(violation, ofField: name, at: node, path, schema)
                }
            }
        }
    }

    /// What concerns an entity as a whole. A failed condition between fields is already told at the field.
    private mutating func recordWhole(_ violation: Violation, at node: DocumentNode, _ path: [DeclarativeMistake.Step])
    {
        guard case .items(let items) = violation else { return }
        for item in items {
            guard case .message(let text) = item.violation else { continue }
            var found = mistake(path, text, at: node.location, advice: nil)
            found.path += [.key(Violation.entityKey), .index(item.index)]
            if text.hasPrefix("failed conditional validation") { found.problem = nil }
            mistakes.append(found)
        }
    }

    private mutating func record(
        _ violation: Violation, ofField name: String, at node: DocumentNode, _ path: [DeclarativeMistake.Step],
        _ schema: RecordSchema?
    ) {
        let path = path + [.key(name)]
        guard let member = node.members?.first(where: { $0.key == name }) else {
            // A service's url stands for four fields that are not in the document.
            let source = ["protocol", "host", "port", "path"].contains(name) ? node["url"] : nil
            if case .message(let text) = violation {
                let advice = source == nil ? Self.advice(forMissing: name, text) : "correct the url"
                mistakes.append(mistake(path, text, at: (source ?? node).location, advice: advice))
            } else {
                record(violation, at: source ?? node, path, nil)
            }
            return
        }
        if violation == .message("unknown field") {
            let names = schema.map { Array($0.fields.keys) + $0.shorthands.map(\.name) } ?? []
            mistakes.append(
                mistake(
                    path, "unknown field", at: member.keyLocation,
                    advice: Self.advice(forUnknown: name, among: names)))
            return
        }
        var inner: RecordSchema?
        if case .record(let record) = schema?.fields[name]?.kind { inner = record }
        record(violation, at: member.value, path, inner)
    }
}

// MARK: What to do

extension DeclarativeReader {
    private static func advice(forUnknown name: String, among known: [String]) -> String {
        if DeclarativeKeys.unsupported.contains(name) { return "this gateway has no \(name); remove it" }
        if DeclarativeKeys.deck.contains(name) { return "decK writes it, Kong does not read it; remove it" }
        if let near = nearestKey(to: name, among: known) { return "did you mean '\(near)'?" }
        return known.isEmpty || known.count > 12 ? "remove it" : "known are: " + known.joined(separator: ", ")
    }

    private static func advice(forMissing name: String, _ message: String) -> String? {
        message == "required field missing" ? "add \(name)" : nil
    }

    private static func advice(for message: String, _ node: DocumentNode) -> String? {
        guard message.hasPrefix("expected a") else { return nil }
        guard case .scalar(let text, let isPlain) = node.content else { return "found \(node.kindName)" }
        switch message {
        case "expected an integer", "expected a number", "expected a boolean":
            return isPlain ? "found '\(text)'" : "write it without quotes"
        case "expected a string":
            return "put it in quotes"
        case "expected an array", "expected a set":
            return "write it as a list: [\(text)]"
        case "expected a valid UUID":
            return "found '\(text)'; leave it out to get one"
        default:
            return "found \(node.kindName)"
        }
    }
}
