// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

// Configurations that a time line loads: read before the topology's names are settled, because their hosts are mocks
// too.
extension Reader {
    /// The gateway that a step reconfigures, and how; by the number of the step.
    struct WrittenChange {
        var gateway: String
        var change: ConfigurationChange
        /// What it says as a Kong document, for hosts and targets.
        var document: JSONValue
    }

    /// Reads `config:` and `patch:` of every step and notes in the gateways what they add.
    mutating func readChanges(_ timeline: DocumentNode?, _ gateways: inout [GatewayNode]) {
        let ids = gateways.map(\.id)
        var documents = Dictionary(gateways.map { ($0.id, $0.document) }, uniquingKeysWith: { first, _ in first })
        for (index, item) in (timeline?.items ?? []).enumerated() {
            guard let node = item["config"] ?? item["patch"], !ids.isEmpty else { continue }
            var gateway = ids[0]
            if let to = item["to"] {
                guard let name = name(to, kind: "gateway", among: ids) else { continue }
                gateway = name
            }
            guard let place = gateways.firstIndex(where: { $0.id == gateway }) else { continue }
            if case .remote = gateways[place].source {
                report(
                    node.location, "`\(gateway)` runs elsewhere: its configuration is its own",
                    advice: "reconfigure a gateway that the scenario starts")
                continue
            }
            var way = ConfigurationChange.Way.admin
            if let by = item["by"] { way = choice(by, "`by` of a new configuration") ?? way }
            let read =
                item["config"] == nil
                ? patch(node, over: documents[gateway] ?? .null) : wholeDocument(node)
            guard let (kind, document, label) = read else { continue }
            documents[gateway] = document
            gateways[place].isReconfigured = true
            gateways[place].laterDocuments.append(document)
            changes[index + 1] = WrittenChange(
                gateway: gateway, change: ConfigurationChange(kind: kind, way: way, label: label), document: document)
        }
    }

    /// What `readChanges` found for a step; nil when it reported why not.
    mutating func configuration(number: Int, _ fields: Fields) -> WrittenAction? {
        changes[number].map { WrittenAction(action: .configure(gateway: $0.gateway, $0.change)) }
    }

    private typealias ReadChange = (ConfigurationChange.Kind, document: JSONValue, label: String)

    /// `config: ./kong-2.yml`, `{ kong: ./kong-2.yml }` or `{ inline: … }`.
    private mutating func wholeDocument(_ node: DocumentNode) -> ReadChange? {
        if node.members != nil {
            guard let fields = fields(node, "`config`", keys: Vocabulary.configuration.names) else { return nil }
            guard fields["kong"] != nil || fields["inline"] != nil else {
                report(node.location, "`config` has no configuration", advice: "write `kong: ./kong.yml` or `inline:`")
                return nil
            }
            guard let (source, document) = configuration(fields, files, of: "`config`") else { return nil }
            let label = if case .file(let path) = source { path } else { "the scenario's document" }
            return (.document(document), document, label)
        }
        guard let document = kongFile(node, "`config`") else { return nil }
        return (.document(document.json), document.json, node.scalar ?? "")
    }

    /// Parts of a Kong document, laid over the one in force; it must give a valid document.
    private mutating func patch(_ node: DocumentNode, over document: JSONValue) -> ReadChange? {
        guard node.members != nil else {
            report(
                node.location, "`patch` must be a part of a Kong document, not \(node.kindName)",
                advice: "write patch: { upstreams: { orders-up: { healthchecks: … } } }")
            return nil
        }
        guard let filled = filled(node, inKong: true) else { return nil }
        do throws(Problem) {
            let patched = try KongPatch.apply(filled.json, to: document)
            for problem in files.checkKong(Self.node(patched, at: node.location)) {
                report(node.location, "the patched document is wrong: \(problem.message)", advice: problem.advice)
            }
            return (.patch(filled.json), patched, KongPatch.label(filled.json))
        } catch {
            report(node.location, error.message, advice: error.advice)
            return nil
        }
    }

    /// A JSON value as a document that stands at one place.
    private static func node(_ value: JSONValue, at location: SourceLocation) -> DocumentNode {
        switch value {
        case .string(let text): DocumentNode(.scalar(text, isPlain: false), at: location)
        case .array(let items): DocumentNode(.sequence(items.map { node($0, at: location) }), at: location)
        case .object(let members):
            DocumentNode(
                .mapping(
                    members.map {
                        DocumentNode.Member(key: $0.key, keyLocation: location, value: node($0.value, at: location))
                    }
                ), at: location)
        case .null, .bool, .integer, .number: DocumentNode(.scalar(value.description, isPlain: true), at: location)
        }
    }
}
