// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension DocumentNode {
    /// Reads a JSON object in a fraction of the time that YAML's reader takes for it.
    ///
    /// - Returns: nil for everything else, and for what documents may not have: equal keys, too much of it.
    package init?(json text: String, file: String) {
        guard text.utf8.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else { return nil }
        var parser = JSONParser<DocumentNode>(
            Array(text.utf8), file: file, maximumDepth: maximumDocumentDepth, maximumValues: maximumDocumentNodes)
        guard let document = try? parser.document() else { return nil }
        self = document
    }
}

extension DocumentNode: JSONTree {
    /// The members of a mapping while it is read.
    struct JSONMembers: ExpressibleByDictionaryLiteral {
        fileprivate var list: [Member] = []
        /// Of a mapping that is not short.
        private var keys: Set<String> = []

        init(dictionaryLiteral elements: (String, Never)...) {}

        fileprivate mutating func add(_ member: Member) -> Bool {
            if list.count < 16 {
                if list.contains(where: { $0.key == member.key }) { return false }
            } else {
                if keys.isEmpty { keys = Set(list.map(\.key)) }
                if !keys.insert(member.key).inserted { return false }
            }
            list.append(member)
            return true
        }
    }

    static var keepsPlaces: Bool { true }

    static func scalar(_ scalar: JSONScalar, at place: SourceLocation) -> DocumentNode? {
        switch scalar {
        case .null: DocumentNode(.scalar("null", isPlain: true), at: place)
        case .bool(let flag): DocumentNode(.scalar(flag ? "true" : "false", isPlain: true), at: place)
        case .string(let text): DocumentNode(.scalar(text, isPlain: false), at: place)
        case .number(let text, _): DocumentNode(.scalar(text, isPlain: true), at: place)
        }
    }

    static func array(_ items: [DocumentNode], at place: SourceLocation) -> DocumentNode {
        DocumentNode(.sequence(items), at: place)
    }

    static func object(_ members: JSONMembers, at place: SourceLocation) -> DocumentNode {
        DocumentNode(.mapping(members.list), at: place)
    }

    static func add(
        _ value: DocumentNode, key: String, at place: SourceLocation, to members: inout JSONMembers
    ) -> Bool {
        members.add(Member(key: key, keyLocation: place, value: value))
    }
}
