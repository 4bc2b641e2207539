// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What a scenario starts: gateways, mock APIs, one fault link for every gateway -> mock pair. Names are resolved:
/// every reference names something that is in here.
package struct Topology: Hashable, Sendable {
    package var gateways: [GatewayNode]
    /// One a group of the file, in its order.
    package var groups: [MockGroup]
    /// Every gateway -> mock pair, in order; the file may rename one and set its protocol and port.
    package var links: [LinkSpec]
    /// Which names of the Kong files go where: the gateway's resolver overrides, in order.
    package var bindings: [Binding]
    /// Other programs in front of the gateways, in the order of the file.
    package var programs: [ProgramNode]
    /// What the scenario's own name server answers for; empty: there is none.
    package var names: [NamedHost]

    package init(
        gateways: [GatewayNode], groups: [MockGroup], links: [LinkSpec], bindings: [Binding],
        programs: [ProgramNode] = [], names: [NamedHost] = []
    ) {
        self.gateways = gateways
        self.groups = groups
        self.links = links
        self.bindings = bindings
        self.programs = programs
        self.names = names
    }

    /// Everything that has a process: gateways, then mocks, then programs.
    package var nodeNames: [String] { gateways.map(\.id) + mocks.map(\.id) + programs.map(\.id) }
    /// Where a load may go: gateways and programs.
    package var entryNames: [String] { gateways.map(\.id) + programs.map(\.id) }
    package var mocks: [MockNode] { groups.flatMap(\.nodes) }

    /// The hosts of the Kong documents that lead to a mock, each once, and the mock's own name.
    package func hosts(of mock: String) -> [String] {
        var hosts = [mock]
        for binding in bindings where binding.mock == mock && !hosts.contains(binding.host) {
            hosts.append(binding.host)
        }
        return hosts
    }
    /// The ports at which the mock behind a link is looked for by address records: those of the Kong documents' hosts
    /// that the name server answers with addresses.
    package func addressPorts(of link: String) -> [Int] {
        var ports: [Int] = []
        for binding in bindings where binding.link == link && binding.isNamed && !ports.contains(binding.port) {
            guard isAddressed(binding.host.lowercased()) else { continue }
            ports.append(binding.port)
        }
        return ports
    }

    /// Whether a name, or the one it is an alias of, is answered with addresses.
    private func isAddressed(_ name: String, depth: Int = 0) -> Bool {
        switch names.first(where: { $0.name == name })?.answer {
        case .addresses?: true
        case .services?, nil: false
        case .alias(let target)?: depth < 8 && isAddressed(target, depth: depth + 1)
        }
    }

}

/// A gateway process.
package struct GatewayNode: Hashable, Sendable {
    package enum Process: String, Hashable, Sendable, CaseIterable {
        case spawn
        case inProcess = "in-process"
    }
    package enum Source: Hashable, Sendable {
        /// A Kong document given in the scenario.
        case inline
        /// A declarative file; the path is absolute or relative to the working directory.
        case file(path: String)
        /// A gateway that runs elsewhere.
        case remote(proxy: String, admin: String)
    }
    package var id: String
    package var source: Source
    /// The Kong document, variables filled in; null for a remote gateway.
    package var document: JSONValue
    /// What the document means for health, an entry an upstream in the order of the document.
    package var upstreams: [UpstreamFacts]
    /// KONG_* settings, in the order of the file.
    package var environment: [EnvironmentSetting]
    package var process: Process
    package var location: SourceLocation
    /// A step loads another configuration, so that it needs a file of its own to keep it in.
    package var isReconfigured = false
    /// What steps load later, in the order of the file.
    package var laterDocuments: [JSONValue] = []

    package init(
        id: String, source: Source, document: JSONValue, upstreams: [UpstreamFacts], environment: [EnvironmentSetting],
        process: Process, location: SourceLocation
    ) {
        self.id = id
        self.source = source
        self.document = document
        self.upstreams = upstreams
        self.environment = environment
        self.process = process
        self.location = location
    }
}

/// A name and its text in a process's environment.
package struct EnvironmentSetting: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// One mock of the file: `api` without `count` is one node `api`; `count: 3` is `api-1`, `api-2`, `api-3`.
package struct MockGroup: Hashable, Sendable {
    package var id: String
    package var nodes: [MockNode]
    package var location: SourceLocation

    package init(id: String, nodes: [MockNode], location: SourceLocation) {
        self.id = id
        self.nodes = nodes
        self.location = location
    }
}

/// A mock API process.
package struct MockNode: Hashable, Sendable {
    package var id: String
    package var group: String
    /// Its switches at the start, as `PUT /_mock/settings` takes them.
    package var settings: [MockSetting]
    /// The path of its health answer; requests to it are probes, not traffic.
    package var healthPath: String
    /// Nil = plain text.
    package var tls: TLSSpec?
    /// Besides HTTP/1.1, in plain text.
    package var speaksHTTP2: Bool
    package var location: SourceLocation

    package init(
        id: String, group: String, settings: [MockSetting], healthPath: String, tls: TLSSpec? = nil,
        speaksHTTP2: Bool = false, location: SourceLocation
    ) {
        self.tls = tls
        self.speaksHTTP2 = speaksHTTP2
        self.id = id
        self.group = group
        self.settings = settings
        self.healthPath = healthPath
        self.location = location
    }
}

/// One switch of the mock API with its typed value: ratios and numbers are JSON numbers, switches JSON booleans,
/// durations are numbers of seconds, distributions objects of these.
package struct MockSetting: Hashable, Sendable {
    package var name: String
    package var value: JSONValue

    package init(name: String, value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// The path of bytes from one gateway to one mock, where faults are put.
package struct LinkSpec: Hashable, Sendable {
    package enum Transport: String, Hashable, Sendable, CaseIterable { case tcp, http, tls }
    /// As the file names it, else `gateway->api-1`.
    package var id: String
    package var from: String
    package var to: String
    package var transport: Transport
    /// What the link serves when it is the gateway's peer itself.
    package var tls: TLSSpec?
    /// A fixed port on loopback; nil = any free one.
    package var port: Int?
    package var location: SourceLocation?

    package init(
        id: String, from: String, to: String, transport: Transport, port: Int?, location: SourceLocation?
    ) {
        self.id = id
        self.from = from
        self.to = to
        self.transport = transport
        self.port = port
        self.location = location
    }
}

/// `host:port` in a gateway's Kong document goes to `mock` through `link`, as `gatecrash gateway --resolve` takes it
/// or as the name server answers.
package struct Binding: Hashable, Sendable {
    package var gateway: String
    package var host: String
    package var port: Int
    package var mock: String
    /// Id of the link.
    package var link: String
    /// The name server says so, while it does; else the gateway is told once and for all.
    package var isNamed: Bool

    package init(gateway: String, host: String, port: Int, mock: String, link: String, isNamed: Bool = false) {
        self.isNamed = isNamed
        self.gateway = gateway
        self.host = host
        self.port = port
        self.mock = mock
        self.link = link
    }
}

/// A target as expectations name it: the mock behind it and how the gateway's events call it.
package struct TargetReference: Hashable, Sendable {
    /// As written: `api`, `api-1` or `orders-up/api:8080`.
    package var name: String
    package var gateway: String
    /// The upstream's name, as in `"upstream"` of the gateway's events.
    package var upstream: String
    /// The target's text, as in `"target"` of the gateway's events: `api:8080`.
    package var target: String
    package var mock: String
    /// The target's name leads to several mocks: of its addresses, those that lead to `mock` are meant.
    package var isShared = false

    package init(name: String, gateway: String, upstream: String, target: String, mock: String) {
        self.name = name
        self.gateway = gateway
        self.upstream = upstream
        self.target = target
        self.mock = mock
    }
}
