// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
package import Document
import NIOCore
import World

/// What a person says when starting a gateway: flags first, then `KONG_*` variables, then Kong's defaults on loopback.
package struct GatewayOptions: Sendable {
    package var settings: GatewaySettings
    /// The declarative file, or nil for entities in memory.
    package var configPath: String?
    package var workers: Int
    /// Files with the default certificate and its key, or their texts.
    var certificate: (chain: String, key: String)?
    /// Files with authorities, or their texts.
    var authorities: [String] = []

    package static let defaultProxyPort = 8000
    package static let defaultProxyTLSPort = 8443
    package static let defaultAdminPort = 8001
    package static let defaultStatusPort = 8007

    /// The flags as they were given; nil or empty when not.
    package struct Flags: Sendable {
        package var config: String?
        package var proxyListen: [String] = []
        package var adminListen: String?
        package var statusListen: String?
        package var resolve: [String] = []
        package var dnsResolver: String?
        package var workers: Int?
        /// `NAME=VALUE` of kong.conf.
        package var set: [String] = []
        package var strict = false

        package init() {}
    }

    /// - Throws: every mistake at once, each with the flag or variable it is in.
    package init(flags: Flags, environment: [String: String]) throws(Problems) {
        var problems = Problems()
        let proxy = Self.proxyListeners(flags.proxyListen, environment, &problems)
        let admin = Self.listener(
            flags.adminListen, "--admin-listen", environment, "KONG_ADMIN_LISTEN", Self.defaultAdminPort, &problems)
        settings = GatewaySettings(proxyListeners: proxy, adminListen: admin)
        NamedSetting.read(flags: flags.set, environment: environment, into: &settings, &problems)
        let status = flags.statusListen ?? environment["KONG_STATUS_LISTEN"] ?? ""
        if status != "off" {
            settings.statusListen = Self.listener(
                flags.statusListen, "--status-listen", environment, "KONG_STATUS_LISTEN", Self.defaultStatusPort,
                &problems)
            settings.statusMayBeMissing = status.isEmpty
        }
        configPath = flags.config ?? environment["KONG_DECLARATIVE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        settings.isDeclarative = configPath != nil || environment["KONG_DATABASE"] == "off"
        settings.strict = flags.strict || Self.isOn(environment, "GATECRASH_STRICT", &problems)
        for entry in flags.resolve { settings.addResolve(entry, &problems) }
        settings.dns = DNSSettings(resolver: flags.dnsResolver, environment: environment) { mistake in
            problems.add(Problem(at: nil, mistake.what, advice: mistake.advice))
        }
        workers = flags.workers ?? 1
        nameCertificates(environment, &problems)
        if let text = environment["KONG_NGINX_WORKER_PROCESSES"], flags.workers == nil, text != "auto" {
            workers = Int(text) ?? 0
        }
        if !(1...Self.mostWorkers).contains(workers) {
            problems.add(
                Problem(
                    at: nil, "--workers \(workers): not a number of workers", advice: "say 1 to \(Self.mostWorkers)"))
            workers = 1
        }
        if !problems.isEmpty { throw problems }
    }

    /// More event loops than any machine has cores are a mistyped number.
    private static let mostWorkers = 256

    private static func isOn(_ environment: [String: String], _ name: String, _ problems: inout Problems) -> Bool {
        switch environment[name]?.lowercased() {
        case "on", "true", "1", "yes": return true
        case nil, "", "off", "false", "0", "no": return false
        case let text?:
            problems.add(Problem(at: nil, "\(name)=\(text): neither on nor off", advice: "say on or off"))
            return false
        }
    }

    /// Where clients connect: each flag and the variable may hold a list.
    private static func proxyListeners(
        _ flags: [String], _ environment: [String: String], _ problems: inout Problems
    ) -> [ListenerSettings] {
        let plain = ListenerSettings(.loopback(port: defaultProxyPort))
        var encrypted = ListenerSettings(
            .loopback(port: defaultProxyTLSPort), isEncrypted: true, speaksHTTP2: true)
        encrypted.mayBeMissing = true
        let variable = environment["KONG_PROXY_LISTEN"].flatMap { $0.isEmpty ? nil : $0 }
        let places =
            flags.isEmpty
            ? (variable.map { [("KONG_PROXY_LISTEN=\($0)", $0)] } ?? []) : flags.map { ("--proxy-listen \($0)", $0) }
        guard !places.isEmpty else { return [plain, encrypted] }
        var list: [ListenerSettings] = []
        for (place, text) in places {
            do throws(ListenerSettings.Mistake) {
                list += try ListenerSettings.list(text)
            } catch {
                problems.add(Problem(at: nil, "\(place): \(error.clause)", advice: error.advice))
            }
        }
        return list.isEmpty ? [plain] : list
    }

    /// `address:port`, or Kong's list of listeners, of which the first plain one counts
    /// (`0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 ssl`).
    private static func listener(
        _ flag: String?, _ flagName: String, _ environment: [String: String], _ variable: String, _ port: Int,
        _ problems: inout Problems
    ) -> SocketAddress {
        let loopback = SocketAddress.loopback(port: port)
        guard let text = flag ?? environment[variable], !text.isEmpty else { return loopback }
        let place = flag == nil ? "\(variable)=\(text)" : "\(flagName) \(text)"
        let plain = text.split(separator: ",").map { $0.split(separator: " ") }
            .first { !$0.contains("ssl") && !$0.isEmpty }
        guard let first = plain?.first, let address = SocketAddress(listening: String(first)) else {
            problems.add(Problem(at: nil, "\(place): no address to listen on", advice: "write 127.0.0.1:\(port)"))
            return loopback
        }
        return address
    }
}

extension GatewaySettings {
    /// Adds one `host:port=address:port`.
    mutating func addResolve(_ entry: String, _ problems: inout Problems) {
        let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let address = SocketAddress(listening: parts[1]),
            let colon = parts[0].lastIndex(of: ":"), Int(parts[0][parts[0].index(after: colon)...]) != nil,
            colon > parts[0].startIndex
        else {
            problems.add(
                Problem(
                    at: nil, "--resolve \(entry): not HOST:PORT=ADDRESS:PORT",
                    advice: "write --resolve mock-api:5000=127.0.0.1:5000"))
            return
        }
        resolve[parts[0].lowercased()] = address
    }
}
