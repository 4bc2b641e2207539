// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI

extension Reader {
    static let gatewayKeys = Vocabulary.gateway.names
    static let topologyKeys = Vocabulary.topology.names

    /// - Parameter timeline: its configurations name hosts too, and its `dns` steps names for the name server.
    mutating func topology(_ node: DocumentNode, timeline: DocumentNode?) -> Topology? {
        guard let fields = fields(node, "`topology`", keys: Self.topologyKeys) else { return nil }
        let groups = mockGroups(required("mocks", in: fields, "`topology`", advice: "write mocks: { api: {} }"))
        let nodes = groups.flatMap(\.nodes)
        scope.mocks = nodes.map(\.id)
        var gateways = gateways(
            required("gateway", in: fields, "`topology`", advice: "write gateway: { kong: ./kong.yml }"))
        readChanges(timeline, &gateways)
        scope.upstreams = gateways.flatMap(\.upstreams)
        for gateway in gateways where nodes.contains(where: { $0.id == gateway.id }) {
            report(gateway.location, "`\(gateway.id)` is a gateway and a mock", advice: "rename one")
        }
        var topology = Topology(gateways: gateways, groups: groups, links: [], bindings: [])
        topology.programs = programs(fields["processes"], topology)
        topology.links = links(fields["links"], topology)
        topology.bindings = bindings(fields["bind"], topology)
        topology.names = names(fields["dns"], timeline: timeline, topology)
        topology.bindings = nameBindings(topology, timeline: timeline)
        checkPorts(of: topology)
        checkReach(topology)
        return topology
    }

    // MARK: Mocks

    private mutating func mockGroups(_ node: DocumentNode?) -> [MockGroup] {
        var groups: [MockGroup] = []
        let list = members(node, "`mocks`")
        if let node, list.isEmpty, node.members != nil { report(node.location, "`mocks` is empty", advice: "name one") }
        for member in list {
            guard isNodeName(member.key, at: member.keyLocation) else { continue }
            guard let group = mockGroup(member) else { continue }
            let taken = groups.flatMap(\.nodes).map(\.id)
            for node in group.nodes where taken.contains(node.id) {
                report(member.keyLocation, "there are two mocks `\(node.id)`", advice: "rename one")
            }
            groups.append(group)
        }
        return groups
    }

    mutating func isNodeName(_ name: String, at location: SourceLocation) -> Bool {
        let scalars = name.unicodeScalars
        let isName =
            scalars.first.map(Lexer.isLetter) == true && scalars.last != "-"
            && scalars.allSatisfy { Lexer.isLetter($0) || Lexer.isDigit($0) || $0 == "-" }
        if !isName {
            report(
                location, "`\(name)` cannot name a node",
                advice: "use letters, digits, _ and -; `bind:` maps host names")
        }
        return isName
    }

    private mutating func mockGroup(_ member: DocumentNode.Member) -> MockGroup? {
        let id = member.key
        var count: Int?
        var healthPath = "/health"
        var settings: [MockSetting] = []
        var tls: TLSSpec?
        var speaksHTTP2 = false
        if !member.value.isNull {
            let what = "the mock `\(id)`"
            guard let fields = fields(member.value, what, keys: Vocabulary.mock.names) else {
                return nil
            }
            count = fields["count"].flatMap { integer($0, "`count` of \(what)", in: 1...1_000) }
            settings = mockSettings(fields["env"])
            if let node = fields["health"] { healthPath = path(node, "`health` of \(what)") ?? healthPath }
            if healthPath != MockSettings.usualHealthPath {
                settings.append(MockSetting(name: "HEALTH_PATH", value: .string(healthPath)))
            }
            if let node = fields["tls"] { tls = tlsSpec(node, "`tls` of \(what)") }
            if let node = fields["http2"] { speaksHTTP2 = boolean(node, "`http2` of \(what)") ?? false }
            if speaksHTTP2, fields["tls"] != nil {
                report(fields.keyLocation("http2"), "\(what) speaks HTTP/2 in plain text only", advice: "remove `tls`")
            }
            if let node = fields["routes"] { settings += routes(node) }
        }
        if !settings.contains(where: { $0.name == "CATCH_ALL" }) {
            settings.append(MockSetting(name: "CATCH_ALL", value: true))
        }
        let names = count.map { (1...$0).map { "\(id)-\($0)" } } ?? [id]
        let nodes = names.map {
            MockNode(
                id: $0, group: id, settings: settings, healthPath: healthPath, tls: tls, speaksHTTP2: speaksHTTP2,
                location: member.keyLocation)
        }
        return MockGroup(id: id, nodes: nodes, location: member.keyLocation)
    }

    /// `env:` of a mock and `set:` of a step, checked by the mock API's own reader.
    mutating func mockSettings(_ node: DocumentNode?) -> [MockSetting] {
        guard let node, !node.isNull else { return [] }
        guard let filled = filled(node) else { return [] }
        var settings = MockSettings()
        do {
            try settings.merge(filled)
        } catch {
            for problem in error.list { problems.add(problem) }
            return []
        }
        return (filled.members ?? []).map { MockSetting(name: $0.key, value: $0.value.isNull ? .null : $0.value.json) }
    }

    mutating func path(_ node: DocumentNode, _ what: String) -> String? {
        guard let path = word(node, what) else { return nil }
        guard path.hasPrefix("/"), !path.contains(where: { $0.isWhitespace }) else {
            report(node.location, "\(what) must start with / and have no blanks, not `\(path)`")
            return nil
        }
        return path
    }

    /// The document with every `$(…)` filled in; nil when one was wrong.
    func filledScalar(_ value: Value, key: String) -> String {
        // Kong counts seconds, but milliseconds in these three (kong/db/schema/entities/services.lua).
        let isMilliseconds = ["connect_timeout", "read_timeout", "write_timeout"].contains(key)
        switch value {
        case .duration(let duration): return plainNumber(Double(duration.count) / (isMilliseconds ? 1e6 : 1e9))
        default: return value.description
        }
    }

    /// - Parameter inKong: durations become the numbers Kong wants.
    mutating func filled(_ node: DocumentNode, key: String = "", inKong: Bool = false) -> DocumentNode? {
        switch node.content {
        case .scalar(let text, let isPlain):
            guard text.contains("$(") else { return node }
            guard let value = variableValue(node, key.isEmpty ? "the value" : "`\(key)`") else { return nil }
            let isText = if case .text = value { true } else { false }
            let result = inKong ? filledScalar(value, key: key) : value.description
            return DocumentNode(.scalar(result, isPlain: isText ? isPlain : true), at: node.location)
        case .sequence(let items):
            let before = problems.list.count
            let list = items.compactMap { filled($0, key: key, inKong: inKong) }
            return problems.list.count == before ? DocumentNode(.sequence(list), at: node.location) : nil
        case .mapping(let members):
            let before = problems.list.count
            var list = members
            for (index, member) in members.enumerated() {
                list[index].value = filled(member.value, key: member.key, inKong: inKong) ?? member.value
            }
            return problems.list.count == before ? DocumentNode(.mapping(list), at: node.location) : nil
        }
    }

    // MARK: Gateways

    private mutating func gateways(_ node: DocumentNode?) -> [GatewayNode] {
        guard let node else { return [] }
        guard Self.isMapOfGateways(node) else { return gateway("gateway", node, "the gateway").map { [$0] } ?? [] }
        return members(node, "`gateway`").compactMap {
            isNodeName($0.key, at: $0.keyLocation) ? gateway($0.key, $0.value, "the gateway `\($0.key)`") : nil
        }
    }

    /// Ids, each with a gateway, and not one gateway.
    private static func isMapOfGateways(_ node: DocumentNode) -> Bool {
        guard let members = node.members, !members.isEmpty, members.allSatisfy({ $0.value.members != nil }) else {
            return false
        }
        return members.allSatisfy { nearestKey(to: $0.key, among: gatewayKeys) == nil }
            || members.allSatisfy { member in ["kong", "inline", "url"].contains { member.value[$0] != nil } }
    }

    private mutating func gateway(_ id: String, _ node: DocumentNode, _ what: String) -> GatewayNode? {
        guard let fields = fields(node, what, keys: Self.gatewayKeys) else { return nil }
        // Beside `url` a document says what is known to run there.
        let documents = ["kong", "inline"].filter { fields[$0] != nil }
        let given =
            documents.isEmpty || documents.count > 1 ? documents + (fields["url"] == nil ? [] : ["url"]) : documents
        guard given.count == 1 else {
            report(
                given.count > 1 ? fields.keyLocation(given[1]) : node.location,
                given.isEmpty ? "the gateway has no configuration" : "the gateway has more than one configuration",
                advice: given.isEmpty
                    ? "write `kong: ./kong.yml` or `inline:`" : "keep one of \(given.joined(separator: ", "))")
            return nil
        }
        if fields["admin"] != nil, fields["url"] == nil {
            report(fields.keyLocation("admin"), "`admin` belongs to `url`")
        }
        var process = GatewayNode.Process.spawn
        if let node = fields["process"] { process = choice(node, "`process` of the gateway") ?? .spawn }
        if process == .inProcess, fields["url"] != nil {
            report(fields.keyLocation("process"), "`process` beside `url`: that gateway runs elsewhere")
        }
        guard let (source, document) = configuration(fields, files, of: what) else { return nil }
        return GatewayNode(
            id: id, source: source, document: document, upstreams: KongFacts(document).upstreams,
            environment: environment(fields["env"]), process: process, location: node.location)
    }

    private mutating func environment(_ node: DocumentNode?) -> [EnvironmentSetting] {
        members(node, "`env`").compactMap { member in
            text(member.value, "`\(member.key)`").map { EnvironmentSetting(name: member.key, value: $0) }
        }
    }

    /// `kong:`, `inline:` or `url:` and what they lead to.
    mutating func configuration(
        _ fields: Fields, _ files: FileAccess, of what: String
    ) -> (GatewayNode.Source, JSONValue)? {
        if let url = fields["url"] {
            let adminNode = required("admin", in: fields, "a gateway with `url`", advice: "write its Admin API")
            let proxy = word(url, "`url`")
            guard let admin = adminNode.flatMap({ word($0, "`admin`") }), let proxy else { return nil }
            var document = JSONValue.null
            if let given = fields["kong"] {
                guard let node = kongFile(given, "`kong`") else { return nil }
                document = node.json
            } else if let inline = fields["inline"] {
                guard let filled = filled(inline, inKong: true) else { return nil }
                for problem in files.checkKong(filled) { problems.add(problem) }
                document = filled.json
            }
            return (.remote(proxy: proxy, admin: admin), document)
        }
        var source = GatewayNode.Source.inline
        let node = fields["inline"]
        if let given = fields["kong"] {
            guard let path = word(given, "`kong`") else { return nil }
            source = .file(path: files.resolve(path))
            return kongFile(given, "`kong`").map { (source, $0.json) }
        }
        guard let node, node.members != nil else {
            report((node ?? fields.node).location, "a Kong document must be a mapping")
            return nil
        }
        // A file stays as it is; only what stands in the scenario has variables.
        guard let document = filled(node, inKong: true) else { return nil }
        for problem in files.checkKong(document) { problems.add(problem) }
        return (source, document.json)
    }

    /// A Kong document in a file of its own, checked.
    mutating func kongFile(_ given: DocumentNode, _ what: String) -> DocumentNode? {
        guard let path = word(given, what) else { return nil }
        let resolved = files.resolve(path)
        do {
            let node = try DocumentNode(parsing: try files.read(resolved), file: resolved)
            guard node.members != nil else {
                report(node.location, "a Kong document must be a mapping")
                return nil
            }
            for problem in files.checkKong(node) { problems.add(problem) }
            return node
        } catch {
            for problem in error.list {
                problems.add(
                    problem.location == nil
                        ? Problem(at: given.location, problem.message, advice: problem.advice) : problem)
            }
            return nil
        }
    }

    /// `routes:` of a mock, read by the mock API itself; durations and variables as everywhere.
    private mutating func routes(_ node: DocumentNode) -> [MockSetting] {
        var list: [JSONValue] = []
        for item in self.list(node, "`routes`") {
            guard let filled = filled(item) else { continue }
            var settings = MockSettings()
            do throws(Problem) {
                try settings.set("ROUTES", to: .array([filled.json]), from: .document(item.location))
                list.append(filled.json)
            } catch {
                problems.add(error)
            }
        }
        return list.isEmpty ? [] : [MockSetting(name: "ROUTES", value: .array(list))]
    }
}

/// What lies outside the scenario's text.
struct FileAccess {
    var resolve: (String) -> String
    /// Whether a resolved path lies in the scenario's folder.
    var contains: (String) -> Bool
    var read: (String) throws(Problems) -> String
    var checkKong: (DocumentNode) -> [Problem]
    /// A program of the scenario's folder: its absolute path, and the folder.
    var program: (String) throws(Problem) -> (path: String, folder: String)
    /// The scenario's folder, absolute.
    var folder: String

    /// For readers of pieces: there is no file.
    static var none: FileAccess {
        FileAccess(
            resolve: { $0 }, contains: { _ in false },
            read: { (path) throws(Problems) in throw Problems([Problem(at: nil, "\(path): cannot be read")]) },
            checkKong: { _ in [] },
            program: { (path) throws(Problem) in throw Problem(at: nil, "`\(path)` cannot be run") }, folder: "/")
    }
}
