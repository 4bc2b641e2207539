// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Yams

/// A YAML or JSON document with the place of every part. Scalars stay text: what they mean is for the reader's schema
/// to say, never for YAML's implicit types (where `on`, `12:30` and `1_000` surprise people).
package struct DocumentNode: Sendable {
    package indirect enum Content: Sendable {
        /// `isPlain` is false for quoted and block scalars, which are strings whatever they look like.
        case scalar(String, isPlain: Bool)
        case sequence([DocumentNode])
        case mapping([Member])
    }

    package struct Member: Sendable {
        package var key: String
        package var keyLocation: SourceLocation
        package var value: DocumentNode

        package init(key: String, keyLocation: SourceLocation, value: DocumentNode) {
            self.key = key
            self.keyLocation = keyLocation
            self.value = value
        }
    }

    package var content: Content
    package var location: SourceLocation

    package init(_ content: Content, at location: SourceLocation) {
        self.content = content
        self.location = location
    }

    package var scalar: String? { if case .scalar(let text, _) = content { text } else { nil } }
    package var items: [DocumentNode]? { if case .sequence(let items) = content { items } else { nil } }
    package var members: [Member]? { if case .mapping(let members) = content { members } else { nil } }

    /// The value of a key of a mapping, or nil.
    package subscript(key: String) -> DocumentNode? { members?.first { $0.key == key }?.value }

    /// True for a plain `null`, `~` or nothing at all.
    package var isNull: Bool {
        if case .scalar(let text, isPlain: true) = content {
            ["", "~", "null", "Null", "NULL"].contains(text)
        } else {
            false
        }
    }

    /// "a mapping", "a list" or "text", for messages.
    package var kindName: String {
        switch content {
        case .scalar: isNull ? "nothing" : "text"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

// MARK: Reading

/// Deepest nesting a document may have; deeper ones are refused rather than overflow the stack.
package let maximumDocumentDepth = 64
/// Most nodes a document may have after its aliases are expanded ("billion laughs").
package let maximumDocumentNodes = 1_000_000

extension DocumentNode {
    /// Reads the one document of a YAML (or JSON) text.
    ///
    /// - Throws: `Problems` with file, line and column: bad syntax, a second document, duplicate or non-text keys,
    ///   nesting deeper than `maximumDocumentDepth`, more than `maximumDocumentNodes` nodes.
    package init(parsing text: String, file: String) throws(Problems) {
        // JSON is YAML too, and sooner read. Whatever is wrong with it is for the YAML reader to say.
        if let json = DocumentNode(json: text, file: file) {
            self = json
        } else {
            try self.init(yaml: text, file: file)
        }
    }

    init(yaml text: String, file: String) throws(Problems) {
        var problems = Problems()
        if let place = AliasGuard.keyMadeOfAliases(in: text, file: file) {
            throw Problems([Problem(at: place, "a key must be text", advice: "an alias or a list cannot be one")])
        }
        let root: Node?
        do {
            let parser = try Parser(yaml: text, resolver: .basic)
            root = try parser.singleRoot()
        } catch let error as YamlError {
            throw Problems([Self.problem(of: error, file: file)])
        } catch {
            throw Problems([Problem(at: SourceLocation(file: file, line: 1, column: 1), "cannot be read: \(error)")])
        }
        guard let root else {
            throw Problems([Problem(at: SourceLocation(file: file, line: 1, column: 1), "the document is empty")])
        }
        var budget = maximumDocumentNodes
        self = Self.convert(root, file: file, depth: 0, budget: &budget, problems: &problems)
        if !problems.isEmpty { throw problems }
    }

    private static func convert(
        _ node: Node, file: String, depth: Int, budget: inout Int, problems: inout Problems
    ) -> DocumentNode {
        let place = SourceLocation(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        budget -= 1
        if depth > maximumDocumentDepth || budget < 0 {
            if problems.isEmpty {
                problems.add(
                    Problem(
                        at: place, budget < 0 ? "the document is too large" : "nested too deeply",
                        advice: "at most \(maximumDocumentDepth) levels and \(maximumDocumentNodes) nodes"))
            }
            return DocumentNode(.scalar("", isPlain: true), at: place)
        }
        switch node {
        case .scalar(let scalar):
            return DocumentNode(
                .scalar(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any), at: place)
        case .sequence(let sequence):
            let items = sequence.map { convert($0, file: file, depth: depth + 1, budget: &budget, problems: &problems) }
            return DocumentNode(.sequence(items), at: place)
        case .mapping(let mapping):
            var members: [Member] = []
            for (key, value) in mapping {
                let keyPlace = SourceLocation(
                    file: file, line: key.mark?.line ?? place.line, column: key.mark?.column ?? place.column)
                guard case .scalar(let name) = key else {
                    problems.add(Problem(at: keyPlace, "a key must be text"))
                    continue
                }
                let value = convert(value, file: file, depth: depth + 1, budget: &budget, problems: &problems)
                members.append(Member(key: name.string, keyLocation: keyPlace, value: value))
            }
            return DocumentNode(.mapping(members), at: place)
        case .alias:
            problems.add(Problem(at: place, "an alias without an anchor"))
            return DocumentNode(.scalar("", isPlain: true), at: place)
        }
    }

    private static func problem(of error: YamlError, file: String) -> Problem {
        switch error {
        case .scanner(_, let text, let mark, _), .parser(_, let text, let mark, _), .composer(_, let text, let mark, _):
            Problem(at: SourceLocation(file: file, line: mark.line, column: mark.column), "not valid YAML: \(text)")
        case .duplicatedKeysInMapping(let keys, let context):
            Problem(
                at: SourceLocation(file: file, line: context.mark.line, column: context.mark.column),
                "the same key twice: \(keys.map { "\($0)" }.joined(separator: ", "))", advice: "keep one of them")
        case .reader(let text, let offset, _, let yaml):
            Problem(at: place(ofByte: offset ?? 0, in: yaml, file: file), "not valid YAML: \(text)")
        default:
            Problem(at: SourceLocation(file: file, line: 1, column: 1), "not valid YAML: \(error)")
        }
    }
}

extension DocumentNode {
    private static func place(ofByte offset: Int, in text: String, file: String) -> SourceLocation {
        let before = text.utf8.prefix(offset)
        let line = before.split(separator: 0x0A, omittingEmptySubsequences: false).last ?? before[...]
        return SourceLocation(
            file: file, line: before.count { $0 == 0x0A } + 1, column: String(decoding: line, as: UTF8.self).count + 1)
    }
}

// MARK: Comparing

extension DocumentNode {
    /// Whether both say the same, wherever it stands.
    ///
    /// - Parameter key: a key of the mapping itself that does not count.
    package func says(_ other: DocumentNode, leavingOut key: String? = nil) -> Bool {
        switch (content, other.content) {
        case (.scalar(let text, let isPlain), .scalar(let otherText, let otherIsPlain)):
            return isPlain == otherIsPlain && text == otherText
        case (.sequence(let items), .sequence(let others)):
            return items.count == others.count && zip(items, others).allSatisfy { $0.says($1) }
        case (.mapping(let members), .mapping(let others)):
            if let key {
                let (members, others) = (members.filter { $0.key != key }, others.filter { $0.key != key })
                return Self.say(members, others)
            }
            return Self.say(members, others)
        default: return false
        }
    }

    private static func say(_ members: [Member], _ others: [Member]) -> Bool {
        members.count == others.count
            && zip(members, others).allSatisfy { $0.key == $1.key && $0.value.says($1.value) }
    }
}

// MARK: As JSON

extension DocumentNode {
    /// The document as Kong and other YAML 1.2 readers see it: plain scalars become null, booleans (`true`, `false`),
    /// integers and numbers by the core schema; everything else is a string.
    package var json: JSONValue {
        switch content {
        case .scalar(let text, let isPlain): isPlain ? Self.typed(text) : .string(text)
        case .sequence(let items): .array(items.map(\.json))
        case .mapping(let members):
            .object(.init(members.map { ($0.key, $0.value.json) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func typed(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        guard let first = text.utf8.first,
            first == 0x2B || first == 0x2D || first == 0x2E || (0x30...0x39).contains(first)
        else { return .string(text) }
        if let value = Int(text) { return .integer(value) }
        let isNumeric = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x65, 0x45].contains($0)
        }
        if isNumeric, let value = Double(text) { return .number(value) }
        return .string(text)
    }
}
