// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import World

// A scenario may come from anywhere, so nothing that it says reaches beyond this machine unless the person who runs it
// has named it (`--allow-remote`). What a running gateway is told later is held back by its `ConfinedNetwork`.
extension Reader {
    mutating func checkRemotes(_ topology: Topology, allowing remotes: Remotes) {
        for gateway in topology.gateways {
            checkEnvironment(gateway)
            if case .remote(let proxy, let admin) = gateway.source {
                for (key, url) in [("url", proxy), ("admin", admin)] { checkURL(url, key, gateway, remotes) }
                continue
            }
            for host in Self.hosts(of: gateway) {
                let isBound = topology.bindings.contains {
                    $0.gateway == gateway.id && $0.host == host.name && $0.port == host.port
                }
                if isBound || Remotes.isLocal(host.name) || remotes.allow(host.name, port: host.port) { continue }
                // The scenario's own name server answers for it, with a mock or not at all.
                if topology.names.contains(where: { $0.name == host.name.lowercased() }) { continue }
                // Without any mock the mistake is another one, and said already.
                guard topology.bindings.contains(where: { $0.gateway == gateway.id }) else { continue }
                let name = "\(host.name):\(host.port)"
                report(
                    gateway.location,
                    "the gateway would connect to `\(name)`, which is no mock and not on this machine",
                    advice: "write bind: { \"\(name)\": \(topology.mocks.first?.id ?? "api") }, "
                        + "or run with --allow-remote \(name)")
            }
        }
    }

    private mutating func checkURL(_ url: String, _ key: String, _ gateway: GatewayNode, _ remotes: Remotes) {
        guard let (host, port) = Self.authority(of: url) else {
            report(
                gateway.location, "`\(key)` of the gateway is no URL: `\(url)`",
                advice: "write http://127.0.0.1:8000")
            return
        }
        if Remotes.isLocal(host) || remotes.allow(host, port: port) { return }
        report(
            gateway.location, "`\(key)` of the gateway leads to `\(host):\(port)`, which is not on this machine",
            advice: "run with --allow-remote \(host):\(port)")
    }

    /// `http://host:port/…`, also with an IPv6 address in brackets.
    static func authority(of url: String) -> (host: String, port: Int)? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let usual = url.hasPrefix("https") ? 443 : 80
        let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
        // What stands before an @ is a user; a host that hides behind it is the one that counts.
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        if place.hasPrefix("["), let end = place.firstIndex(of: "]") {
            let rest = place[place.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            let port = rest.isEmpty ? usual : Int(rest.dropFirst()) ?? -1
            return (0...65535).contains(port) ? (String(place[...end]), port) : nil
        }
        let parts = place.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, parts.count <= 2 else { return nil }
        let port = parts.count == 1 ? usual : Int(parts[1]) ?? -1
        return (0...65535).contains(port) ? (String(host), port) : nil
    }

    /// The gateway would ask them, so they are as much a reach to the outside as any upstream.
    private mutating func checkNameServers(_ setting: EnvironmentSetting, of gateway: GatewayNode) {
        for entry in setting.value.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let host = Self.authority(of: "tcp://" + entry)?.host ?? String(entry)
            if Remotes.isLocal(host) { continue }
            report(
                gateway.location, "`\(setting.name)` would ask `\(entry)`, which is not on this machine",
                advice: "write `topology.dns`, or an address such as 127.0.0.1:53")
        }
    }

    /// Settings of Kong and of resolvers, none other of the system's (LD_PRELOAD, PATH), and no listener that
    /// others can reach.
    private mutating func checkEnvironment(_ gateway: GatewayNode) {
        for setting in gateway.environment {
            let isOurs = ["GATECRASH_STRICT", "RES_OPTIONS"].contains(setting.name)
            guard setting.name.hasPrefix("KONG_") || isOurs else {
                report(
                    gateway.location, "`env` of the gateway cannot set `\(setting.name)`",
                    advice: "it takes KONG_…, RES_OPTIONS and GATECRASH_STRICT")
                continue
            }
            if setting.name == "KONG_DNS_RESOLVER" { checkNameServers(setting, of: gateway) }
            guard setting.name.hasSuffix("_LISTEN") else { continue }
            for entry in setting.value.split(separator: ",") {
                let address = entry.split(separator: " ").first.map(String.init) ?? ""
                let host = Self.authority(of: "tcp://" + address)?.host
                if address.isEmpty || address == "off" || host.map(Remotes.isLocal) ?? false { continue }
                report(
                    gateway.location, "`\(setting.name)` would listen on `\(address)`, which others can reach",
                    advice: "write 127.0.0.1 and a port, or leave it out")
            }
        }
    }
}
