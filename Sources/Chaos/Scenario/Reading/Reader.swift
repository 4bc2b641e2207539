// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Reads typed values out of a document and gathers every mistake on the way. A reading function returns nil (or leaves
/// a part out) when it has reported why, so that one pass finds all mistakes.
struct Reader {
    var scope = Scope()
    /// What conditions may name; nil while the topology is read.
    var conditionTopology: Topology?
    /// For the default gap of windows.
    var knownLoads: [LoadSpec] = []
    /// What lies outside the scenario's text.
    var files = FileAccess.none
    /// Configurations that steps load, by the number of the step.
    var changes: [Int: WrittenChange] = [:]
    /// The scenario's id, for those that look for its earlier runs.
    var scenarioName = ""
    var problems = Problems()
    /// Well written, but not runnable yet (`Capabilities`).
    var unsupported = Problems()

    mutating func report(_ location: SourceLocation?, _ message: String, advice: String? = nil) {
        problems.add(Problem(at: location, message, advice: advice))
    }

    mutating func report(_ error: FoldError) {
        if case .mistake(let problem) = error { problems.add(problem) }
    }

    /// Notes that the file uses something; it is refused when it is not built yet.
    mutating func use(_ capability: Capability, at location: SourceLocation) {
        guard let reason = Capabilities.notYet[capability] else { return }
        unsupported.add(Problem(at: location, "not supported yet: \(reason)"))
    }

    /// Where a character of a scalar stands in the file. Exact for plain and quoted scalars of one line.
    static func place(in node: DocumentNode) -> (Int) -> SourceLocation {
        guard case .scalar(let text, let isPlain) = node.content, !text.contains("\n") else {
            return { _ in node.location }
        }
        let start = node.location.column + (isPlain ? 0 : 1)
        return { SourceLocation(file: node.location.file, line: node.location.line, column: start + $0) }
    }
}

// MARK: Mappings

/// The members of a mapping whose keys are all known.
struct Fields {
    var node: DocumentNode
    var location: SourceLocation { node.location }

    subscript(key: String) -> DocumentNode? { node[key] }
    func member(_ key: String) -> DocumentNode.Member? { node.members?.first { $0.key == key } }
    func keyLocation(_ key: String) -> SourceLocation { member(key)?.keyLocation ?? node.location }
}

extension Reader {
    /// The mapping, after a look at its keys: an unknown one is a mistake, with the nearest known key.
    ///
    /// - Parameter what: "a load", for messages.
    mutating func fields(_ node: DocumentNode, _ what: String, keys: [String]) -> Fields? {
        guard let members = node.members else {
            report(node.location, "\(what) must be a mapping, not \(node.kindName)", advice: Self.keyList(keys))
            return nil
        }
        for member in members where !keys.contains(member.key) {
            let near = nearestKey(to: member.key, among: keys)
            report(
                member.keyLocation, "unknown key `\(member.key)` in \(what)",
                advice: near.map { "did you mean `\($0)`?" } ?? Self.keyList(keys))
        }
        return Fields(node: node)
    }

    static func keyList(_ keys: [String]) -> String { "known keys: \(keys.joined(separator: ", "))" }

    /// The value of a key that must be there.
    mutating func required(_ key: String, in fields: Fields, _ what: String, advice: String? = nil) -> DocumentNode? {
        guard let node = fields[key], !(node.isNull && node.scalar == "") else {
            report(fields.member(key)?.keyLocation ?? fields.location, "\(what) needs `\(key)`", advice: advice)
            return nil
        }
        return node
    }

    /// The items of a list; nothing at all is an empty one.
    mutating func list(_ node: DocumentNode?, _ what: String) -> [DocumentNode] {
        guard let node, !node.isNull else { return [] }
        guard let items = node.items else {
            report(node.location, "\(what) must be a list, not \(node.kindName)", advice: "start each item with `- `")
            return []
        }
        return items
    }

    /// The members of a mapping whose keys are free names.
    mutating func members(_ node: DocumentNode?, _ what: String) -> [DocumentNode.Member] {
        guard let node, !node.isNull else { return [] }
        guard let members = node.members else {
            report(node.location, "\(what) must be a mapping, not \(node.kindName)")
            return []
        }
        return members
    }
}
