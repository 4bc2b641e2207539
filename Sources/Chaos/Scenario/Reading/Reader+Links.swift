// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    /// One link for every gateway -> mock pair; the file may rename it and say more.
    mutating func links(_ node: DocumentNode?, _ topology: Topology) -> [LinkSpec] {
        var links = topology.gateways.flatMap { gateway in
            topology.mocks.map { mock in
                LinkSpec(
                    id: "\(gateway.id)->\(mock.id)", from: gateway.id, to: mock.id,
                    transport: mock.tls == nil ? .http : .tcp, port: nil,
                    location: nil)
            }
        }
        if topology.gateways.isEmpty || topology.mocks.isEmpty { return [] }
        for member in members(node, "`links`") {
            let what = "the link `\(member.key)`"
            scope.brokenLinks.insert(member.key)
            guard let fields = fields(member.value, what, keys: Vocabulary.link.names) else { continue }
            var from = topology.gateways.first?.id ?? "gateway"
            if let node = fields["from"] {
                guard let name = name(node, kind: "gateway", among: topology.gateways.map(\.id)) else { continue }
                from = name
            }
            guard let toNode = required("to", in: fields, what),
                let to = name(toNode, kind: "mock", among: topology.mocks.map(\.id)),
                let index = links.firstIndex(where: { $0.from == from && $0.to == to })
            else { continue }
            if links[index].location != nil {
                report(member.keyLocation, "two links go from `\(from)` to `\(to)`", advice: "keep one")
                continue
            }
            if links.contains(where: { $0.id == member.key }) {
                report(member.keyLocation, "there are two links `\(member.key)`", advice: "rename one")
                continue
            }
            scope.brokenLinks.remove(member.key)
            links[index].id = member.key
            links[index].location = member.keyLocation
            if let node = fields["protocol"] { transport(node, what, &links[index], topology) }
            if let node = fields["port"], let port = integer(node, "`port` of \(what)", in: 1...65535) {
                if let other = links.first(where: { $0.port == port }) {
                    report(
                        node.location, "the link `\(other.id)` has port \(port) already", advice: "give each its own")
                }
                links[index].port = port
            }
        }
        return links
    }

    /// `http`, `tcp`, `tls`, or `{ tls: { cert: expired } }`.
    private mutating func transport(
        _ node: DocumentNode, _ what: String, _ link: inout LinkSpec, _ topology: Topology
    ) {
        if node.members != nil {
            guard let fields = fields(node, "`protocol` of \(what)", keys: ["tls"]),
                let tls = required("tls", in: fields, "`protocol` of \(what)", advice: "write { tls: { cert: expired } }")
            else { return }
            link.transport = .tls
            link.tls = tlsSpec(tls, "`tls` of \(what)")
            return
        }
        link.transport = choice(node, "`protocol` of \(what)") ?? link.transport
        link.tls = link.transport == .tls ? TLSSpec() : nil
        if link.transport == .http, topology.mocks.contains(where: { $0.id == link.to && $0.tls != nil }) {
            report(
                node.location, "the mock `\(link.to)` serves TLS, in which no HTTP can be seen",
                advice: "write protocol: tls, so that the link decrypts, or leave it out")
        }
    }

    /// Which `host:port` of the Kong documents goes to which mock: a host named like a mock does by itself.
    mutating func bindings(_ node: DocumentNode?, _ topology: Topology) -> [Binding] {
        var bound: [(host: String, port: Int?, mock: String)] = []
        for member in members(node, "`bind`") {
            guard let mock = name(member.value, kind: "mock", among: topology.mocks.map(\.id)) else { continue }
            let parts = member.key.split(separator: ":", omittingEmptySubsequences: false)
            let port = parts.count == 2 ? Int(parts[1]) : nil
            guard parts.count == 1 || parts.count == 2 && port != nil else {
                report(member.keyLocation, "`\(member.key)` is no host:port", advice: "write \"orders.internal:8080\"")
                continue
            }
            bound.append((String(parts[0]), port, mock))
            let hosts = topology.gateways.flatMap { Self.hosts(of: $0) }
            if !hosts.contains(where: { $0.name == parts[0] && (port == nil || $0.port == port) }) {
                problems.add(
                    .unknownName(
                        member.key, kind: "host in the Kong document", known: hosts.map { "\($0.name):\($0.port)" },
                        at: member.keyLocation))
            }
        }
        var result: [Binding] = []
        for gateway in topology.gateways {
            for host in Self.hosts(of: gateway) {
                let given = bound.first { $0.host == host.name && ($0.port == nil || $0.port == host.port) }
                // A gateway that runs elsewhere finds a mock by the fixed port of its link.
                let byPort = topology.links.first { link in
                    link.from == gateway.id && link.port == host.port && host.name.hasPrefix("127.")
                }
                guard let mock = given?.mock ?? topology.mocks.first(where: { $0.id == host.name })?.id ?? byPort?.to,
                    let link = topology.links.first(where: { $0.from == gateway.id && $0.to == mock })
                else { continue }
                result.append(
                    Binding(gateway: gateway.id, host: host.name, port: host.port, mock: mock, link: link.id))
            }
        }
        return result
    }

    /// Every host a gateway connects to, in the order of its document.
    static func hosts(of gateway: GatewayNode) -> [KongFacts.Host] {
        var hosts: [KongFacts.Host] = []
        for target in gateway.everyUpstream.flatMap(\.targets) {
            let host = KongFacts.Host(name: target.host, port: target.port)
            if !hosts.contains(host) { hosts.append(host) }
        }
        for document in [gateway.document] + gateway.laterDocuments {
            for host in KongFacts(document).hosts where !hosts.contains(host) { hosts.append(host) }
        }
        return hosts
    }

    /// A gateway none of whose hosts is a mock would test nothing.
    mutating func checkReach(_ topology: Topology) {
        for gateway in topology.gateways where gateway.document != .null {
            let isReached = topology.bindings.contains { $0.gateway == gateway.id }
            if isReached || topology.mocks.isEmpty { continue }
            let hosts = Self.hosts(of: gateway).map { "\($0.name):\($0.port)" }
            scope.isUnreachable = true
            report(
                gateway.location, "no host of the Kong document is a mock",
                advice: hosts.isEmpty
                    ? "give it an upstream with a target such as \(topology.mocks[0].id):8080"
                    : "rename the mock, or write bind: { \"\(hosts[0])\": \(topology.mocks[0].id) }")
        }
    }
}
