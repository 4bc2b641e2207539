// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway

/// The command lines of supervised children.
enum NodeCommand {
    /// A name of a Kong document and the port of the link that leads to its mock.
    struct Override {
        var binding: Binding
        /// `127.0.0.1:41234`.
        var address: String

        /// `api:8080=127.0.0.1:41234`
        var text: String {
            let host = binding.host.contains(":") ? "[\(binding.host)]" : binding.host
            return "\(host):\(binding.port)=\(address)"
        }
    }

    /// - Parameter certificate: the files of a mock that serves TLS.
    static func mock(
        _ node: MockNode, port: Int, seed: UInt64, certificate: (chain: String, key: String)?,
        options: ProcessTopology.Options
    ) -> ChildSpecification {
        var environment = options.environment
        // A scenario's requests have paths of its own, which the mock's API does not know.
        environment["CATCH_ALL"] = "on"
        for setting in node.settings { environment[setting.name] = MockSwitches.text(setting) }
        if let certificate, let tls = node.tls {
            environment["TLS_CERT"] = certificate.chain
            environment["TLS_KEY"] = certificate.key
            environment["TLS_MIN_VERSION"] = tls.minimum?.rawValue
            environment["TLS_MAX_VERSION"] = tls.maximum?.rawValue
        }
        let arguments = [
            "mock", "--supervised", "--host", "127.0.0.1", "--port", "\(port)", "--name", node.id, "--seed", "\(seed)",
        ]
        environment["HTTP2"] = node.speaksHTTP2 ? "on" : "off"
        return specification(node.id, arguments, environment, options)
    }

    static func gateway(
        _ node: GatewayNode, proxyPort: Int, adminPort: Int, overrides: [Override], nameServer: String?,
        authority: String?, seed: UInt64, options: ProcessTopology.Options
    ) throws(TopologyError) -> ChildSpecification {
        var arguments = [
            "gateway", "--supervised", "--config", try document(of: node, options), "--proxy-listen",
            "127.0.0.1:\(proxyPort)", "--admin-listen", "127.0.0.1:\(adminPort)", "--seed", "\(seed)", "--confined",
        ]
        for name in options.remotes.names { arguments += ["--allow-remote", name] }
        for override in overrides { arguments += ["--resolve", override.text] }
        if let nameServer { arguments += ["--dns-resolver", nameServer] }
        return specification(node.id, arguments, environment(of: node, authority: authority, options), options)
    }

    private static func environment(
        of node: GatewayNode, authority: String?, _ options: ProcessTopology.Options
    ) -> [String: String] {
        var environment = options.environment
        // What is not asked for would meet other gateways of this host on Kong's fixed ports.
        environment["KONG_STATUS_LISTEN"] = "off"
        // A gateway that verifies knows whom to trust; the scenario may say otherwise.
        if let authority { environment["KONG_LUA_SSL_TRUSTED_CERTIFICATE"] = authority }
        for setting in node.environment { environment[setting.name] = setting.value }
        return environment
    }

    /// What the same command line means, for a gateway without a process of its own.
    static func localGateway(
        _ node: GatewayNode, proxyPort: Int, adminPort: Int, overrides: [Override], nameServer: String?,
        authority: String?, options: ProcessTopology.Options
    ) throws(TopologyError) -> GatewayOptions {
        var flags = GatewayOptions.Flags()
        flags.config = try document(of: node, options)
        flags.proxyListen = ["127.0.0.1:\(proxyPort)"]
        flags.adminListen = "127.0.0.1:\(adminPort)"
        flags.resolve = overrides.map(\.text)
        flags.dnsResolver = nameServer
        do {
            var gateway = try GatewayOptions(
                flags: flags, environment: environment(of: node, authority: authority, options))
            try gateway.readCertificates { try ScenarioFile.text(ofFile: $0) }
            return gateway
        } catch {
            throw TopologyError("\(node.id): \(error)")
        }
    }

    /// The file of the work folder that holds a gateway's document.
    static func documentName(of node: GatewayNode) -> String { "\(node.id).kong.json" }

    /// The path of the Kong document: the user's own file, or a new one with what the scenario holds. A gateway that is
    /// reconfigured gets a copy: its file is written to.
    private static func document(
        of node: GatewayNode, _ options: ProcessTopology.Options
    ) throws(TopologyError) -> String {
        switch node.source {
        case .file(let path) where !node.isReconfigured: return path
        case .inline, .file:
            return try options.folder.write(node.document.text(indent: 2) + "\n", to: documentName(of: node))
        case .remote(let proxy, _):
            throw TopologyError(
                "gateway \(node.id) at \(proxy) runs elsewhere: only gateways that are started here can be run")
        }
    }

    private static func specification(
        _ name: String, _ arguments: [String], _ environment: [String: String], _ options: ProcessTopology.Options
    ) -> ChildSpecification {
        ChildSpecification(
            name: name, executable: options.executable, arguments: arguments, environment: environment,
            logPath: options.folder.file("\(name).log"))
    }
}
