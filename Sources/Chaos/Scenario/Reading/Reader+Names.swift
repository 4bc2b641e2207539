// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import Document
import NIOCore

// `topology.dns` and steps with `dns:`.
extension Reader {
    private static let recordKeys = ["a", "aaaa", "srv", "cname"]

    /// The names that the scenario's name server answers for: those of `topology.dns`, and those that a step speaks of
    /// and that would go to a mock by themselves.
    ///
    /// - Parameter timeline: the steps as they stand in the file; their own reading reports what is wrong with them.
    mutating func names(_ node: DocumentNode?, timeline: DocumentNode?, _ topology: Topology) -> [NamedHost] {
        var names: [NamedHost] = []
        for member in members(node, "`dns`") {
            guard let host = namedHost(member, topology) else { continue }
            if names.contains(where: { $0.name == host.name }) {
                report(member.keyLocation, "`\(host.name)` is answered for twice", advice: "keep one")
            } else {
                names.append(host)
            }
        }
        for step in timeline?.items ?? [] {
            guard let name = step["dns"]?["name"]?.scalar?.lowercased(), !names.contains(where: { $0.name == name }),
                let binding = topology.bindings.first(where: { $0.host.lowercased() == name })
            else { continue }
            names.append(
                NamedHost(
                    name: name, answer: .addresses([.mock(binding.mock)]), ttl: NamedHost.defaultTTL,
                    location: step.location))
        }
        return names
    }

    private mutating func namedHost(_ member: DocumentNode.Member, _ topology: Topology) -> NamedHost? {
        guard let name = DomainName(member.key) else {
            report(member.keyLocation, "`\(member.key)` is no host name", advice: "write one such as orders.internal")
            return nil
        }
        let what = "the name `\(name)`"
        guard let fields = fields(member.value, what, keys: Self.recordKeys + ["ttl"]) else { return nil }
        guard let answer = records(fields, what, topology) else { return nil }
        let ttl = fields["ttl"].flatMap { duration($0, "`ttl` of \(what)") } ?? NamedHost.defaultTTL
        return NamedHost(name: name.description, answer: answer, ttl: ttl, location: member.keyLocation)
    }

    private mutating func records(_ fields: Fields, _ what: String, _ topology: Topology) -> HostAnswer? {
        let given = Self.recordKeys.filter { fields[$0] != nil }
        let isPlain = given == ["a", "aaaa"] || given.count == 1
        guard isPlain, let first = given.first, let node = fields[first] else {
            report(
                given.count > 1 ? fields.keyLocation(given[1]) : fields.location,
                given.isEmpty ? "\(what) has no records" : "\(what) has \(given.joined(separator: " and ")) at once",
                advice: given.isEmpty ? "write a: [api], srv: [api] or cname: other.internal" : "keep one")
            return nil
        }
        switch first {
        case "srv": return .services(items(of: node, "`srv`").compactMap { service($0, topology) })
        case "cname":
            guard let text = word(node, "`cname`") else { return nil }
            guard let target = DomainName(text) else {
                report(node.location, "`\(text)` is no host name")
                return nil
            }
            return .alias(target.description)
        default:
            let nodes = given.flatMap { key in fields[key].map { items(of: $0, "`\(key)`") } ?? [] }
            return .addresses(nodes.compactMap { place($0, topology) })
        }
    }

    /// One value stands for a list of one.
    private mutating func items(of node: DocumentNode, _ what: String) -> [DocumentNode] {
        node.scalar != nil && !node.isNull || node.members != nil ? [node] : list(node, what)
    }

    /// A mock, or a literal address on loopback.
    private mutating func place(_ node: DocumentNode, _ topology: Topology) -> HostPlace? {
        guard let text = word(node, "an answer of the name server") else { return nil }
        if topology.mocks.contains(where: { $0.id == text }) { return .mock(text) }
        if let address = try? SocketAddress(ipAddress: text, port: 0) {
            if text.hasPrefix("127.") || address.ipAddress == "::1" { return .address(text) }
            report(
                node.location, "`\(text)` is not on loopback", advice: "name a mock, or an address such as 127.0.0.9")
            return nil
        }
        if topology.groups.contains(where: { $0.id == text }) {
            _ = nodeName(node, topology)
            return nil
        }
        problems.add(.unknownName(text, kind: "mock", known: topology.mocks.map(\.id), at: node.location))
        return nil
    }

    /// `api-1`, or `{ target: api-1, port: 81, weight: 5, priority: 2 }`.
    private mutating func service(_ node: DocumentNode, _ topology: Topology) -> HostAnswer.Service? {
        if node.scalar != nil { return place(node, topology).map { HostAnswer.Service(place: $0) } }
        guard let fields = fields(node, "an SRV record", keys: ["target", "port", "weight", "priority"]) else {
            return nil
        }
        guard let target = required("target", in: fields, "an SRV record", advice: "write target: api-1"),
            let place = place(target, topology)
        else { return nil }
        var service = HostAnswer.Service(place: place)
        service.port = fields["port"].flatMap { integer($0, "`port` of an SRV record", in: 1...65_535) }
        service.weight = fields["weight"].flatMap { integer($0, "`weight` of an SRV record", in: 0...65_535) } ?? 1
        service.priority =
            fields["priority"].flatMap { integer($0, "`priority` of an SRV record", in: 0...65_535) } ?? 1
        if case .address = place, service.port == nil {
            report(node.location, "an SRV record to an address needs `port`", advice: "write port: 8080")
        }
        return service
    }

    // MARK: Steps

    mutating func nameFault(_ node: DocumentNode, _ topology: Topology) -> NameFault? {
        guard let fields = fields(node, "a `dns` step", keys: Vocabulary.nameFault.names) else { return nil }
        guard let nameNode = required("name", in: fields, "a `dns` step", advice: "write name: orders.internal"),
            let name = word(nameNode, "the `name` of a `dns` step")?.lowercased()
        else { return nil }
        guard let host = topology.names.first(where: { $0.name == name }) else {
            let known = topology.names.map(\.name) + topology.bindings.map { $0.host.lowercased() }
            problems.add(.unknownName(name, kind: "name", known: known, at: nameNode.location))
            return nil
        }
        var fault = NameFault(name: name)
        fault.failure = fields["fail"].flatMap { choice($0, "`fail` of a `dns` step") }
        if let node = fields["answer"] {
            let nodes = items(of: node, "`answer` of a `dns` step")
            if case .services = host.answer {
                fault.answer = .services(nodes.compactMap { service($0, topology) })
            } else {
                fault.answer = .addresses(nodes.compactMap { place($0, topology) })
            }
        }
        fault.ttl = fields["ttl"].flatMap { duration($0, "`ttl` of a `dns` step") }
        fault.delay = fields["delay"].flatMap { duration($0, "`delay` of a `dns` step") } ?? .zero
        if fields["fail"] != nil, fields["answer"] != nil {
            report(fields.keyLocation("answer"), "a name that fails has no answer", advice: "keep `fail` or `answer`")
        }
        fault.copies = fields["duplicate"].flatMap { integer($0, "`duplicate` of a `dns` step", in: NameFault.copies) }
        fault.hold = fields["reorder"].flatMap { duration($0, "`reorder` of a `dns` step", allowsZero: false) }
        for key in ["duplicate", "reorder"] where fields[key] != nil && fault.failure == .timeout {
            report(fields.keyLocation(key), "a name that gets no answer has none to \(key)", advice: "remove `\(key)`")
        }
        if Vocabulary.nameFault.names.allSatisfy({ $0 == "name" || fields[$0] == nil }) {
            report(fields.location, "the `dns` step changes nothing", advice: "write fail: nxdomain or answer: [api-2]")
        }
        return fault
    }

    // MARK: Ways to mocks

    /// The bindings of names that the name server answers for, in the place of fixed ones: a way to every mock that a
    /// name may ever be answered with.
    mutating func nameBindings(_ topology: Topology, timeline: DocumentNode?) -> [Binding] {
        var result = topology.bindings.filter { binding in
            !topology.names.contains { $0.name == binding.host.lowercased() }
        }
        for gateway in topology.gateways {
            for host in Self.hosts(of: gateway) {
                guard let named = topology.names.first(where: { $0.name == host.name.lowercased() }) else { continue }
                for mock in reachable(from: named, topology, timeline) {
                    guard let link = topology.links.first(where: { $0.from == gateway.id && $0.to == mock }) else {
                        continue
                    }
                    result.append(
                        Binding(
                            gateway: gateway.id, host: host.name, port: host.port, mock: mock, link: link.id,
                            isNamed: true))
                }
            }
        }
        return result
    }

    /// The mocks of a name: of its answer, of aliases, of the answers that steps give it.
    private func reachable(
        from host: NamedHost, _ topology: Topology, _ timeline: DocumentNode?, depth: Int = 0
    ) -> [String] {
        var mocks = host.answer.mocks
        if case .alias(let target) = host.answer, depth < 8,
            let next = topology.names.first(where: { $0.name == target })
        {
            mocks += reachable(from: next, topology, timeline, depth: depth + 1)
        }
        var quiet = self
        for step in timeline?.items ?? [] {
            guard let node = step["dns"], node["name"]?.scalar?.lowercased() == host.name,
                let fault = quiet.nameFault(node, topology)
            else { continue }
            mocks += fault.answer?.mocks ?? []
        }
        return mocks.enumerated().filter { mocks.firstIndex(of: $1) == $0 }.map(\.element)
    }

    /// An A record carries no port, so the link to its mock listens at the port of the Kong document, on a loopback
    /// address of its own: that works for one port.
    mutating func checkPorts(of topology: Topology) {
        for link in topology.links {
            let ports = topology.addressPorts(of: link.id)
            guard ports.count > 1 else { continue }
            report(
                topology.names.first?.location,
                "`\(link.to)` is answered with for the ports \(ports.map(String.init).joined(separator: " and "))",
                advice: "answer with srv: records, which carry ports")
        }
    }
}
