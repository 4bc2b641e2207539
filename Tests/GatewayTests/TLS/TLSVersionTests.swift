// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document
import Gateway
import NIOCore
import OpenSSL
import Testing
import World

extension LoopbackTests {
    /// Which versions of TLS are spoken with clients, upstreams and targets; the other side is OpenSSL.
    @Suite struct TLSVersionTests {
        private static func settings(_ list: [String]) throws -> (inout GatewaySettings) -> Void {
            var problems = Problems()
            var probe = GatewaySettings(proxyListen: .loopback(port: 0), adminListen: .loopback(port: 0))
            NamedSetting.read(flags: list, environment: [:], into: &probe, &problems)
            #expect(problems.isEmpty)
            let tls = probe.tls
            return { $0.tls = tls }
        }

        /// A server or a client that speaks one version only.
        private static func only(_ version: TLSVersion, _ issued: IssuedCertificate? = nil) -> OpenSSLSettings {
            var settings = OpenSSLSettings(chain: issued?.chain, key: issued?.key)
            (settings.minimum, settings.maximum) = (version, version)
            return settings
        }

        @Test(
            arguments: [
                // settings, the versions that a client gets an answer with
                ([], [.tls12, .tls13]), (["ssl_cipher_suite=modern"], [.tls13]),
                (["ssl_cipher_suite=old"], [.tls10, .tls11, .tls12, .tls13]),
                (["ssl_cipher_suite=custom", "ssl_protocols=TLSv1.2"], [.tls12]),
                // As in Kong these say nothing without `custom`.
                (["ssl_protocols=TLSv1 TLSv1.1", "ssl_ciphers=AES128-SHA"], [.tls12, .tls13]),
            ] as [([String], [TLSVersion])])
        func `clients speak the versions of the cipher suite`(list: [String], versions: [TLSVersion]) throws {
            let gateway = try tlsGateway(nil, try Self.settings(list))
            for version in TLSVersion.allCases {
                let bridge = try TLSBridge(toward: gateway.tlsPort, name: "a", openSSL: Self.only(version))
                let socket = try RawSocket.connect(port: bridge.port)
                try socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect((try? socket.message())?.status == (versions.contains(version) ? 404 : nil), "\(version)")
            }
        }

        @Test(
            arguments: [
                // settings, the only cipher of a TLS 1.2 client, whether they agree
                ([], "ECDHE-ECDSA-AES128-GCM-SHA256", true), ([], "ECDHE-ECDSA-AES128-SHA", false),
                (["ssl_cipher_suite=old"], "ECDHE-ECDSA-AES128-SHA", true),
                (
                    ["ssl_cipher_suite=custom", "ssl_ciphers=ECDHE-ECDSA-AES256-GCM-SHA384"],
                    "ECDHE-ECDSA-AES128-GCM-SHA256", false
                ),
                (
                    ["ssl_cipher_suite=custom", "ssl_ciphers=ECDHE-ECDSA-AES256-GCM-SHA384"],
                    "ECDHE-ECDSA-AES256-GCM-SHA384", true
                ),
            ] as [([String], String, Bool)])
        func `clients agree on the ciphers of the suite`(list: [String], cipher: String, agrees: Bool) throws {
            let gateway = try tlsGateway(nil, try Self.settings(list))
            let bridge = try TLSBridge(toward: gateway.tlsPort, name: "a") {
                $0.maximumTLSVersion = .tlsv12
                $0.cipherSuites = cipher
            }
            let socket = try RawSocket.connect(port: bridge.port)
            try socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect((try? socket.message())?.status == (agrees ? 404 : nil))
        }

        /// What of the gateway speaks TLS with a server, each by settings of its own.
        enum Speaker {
            case proxy, prober

            /// - Parameter port: of the server.
            func configuration(_ port: Int) -> String {
                switch self {
                case .proxy:
                    """
                    _format_version: "3.0"
                    services: [{name: a, url: "https://127.0.0.1:\(port)", retries: 0, routes: [{paths: [/]}]}]
                    """
                case .prober:
                    """
                    _format_version: "3.0"
                    services: [{name: a, host: up, protocol: https, routes: [{paths: [/]}]}]
                    upstreams:
                    - name: up
                      targets: [{target: "127.0.0.1:\(port)"}]
                      healthchecks: {active: {type: https, https_verify_certificate: false, \
                    healthy: {interval: 0.05, successes: 1}, unhealthy: {interval: 0.05, tcp_failures: 1}}}
                    """
                }
            }

            /// Whether it and the server behave as those who agree on a version do, or as those who do not.
            func shows(agreement: Bool, _ gateway: RunningGateway, _ server: ScriptedUpstream) throws -> Bool {
                switch (self, agreement) {
                case (.proxy, _): try gateway.get("/").status == (agreement ? 200 : 502)
                case (.prober, true): eventually { !server.requests.isEmpty }
                case (.prober, false): try eventually { try gateway.get("/").status == 503 }
                }
            }
        }

        @Test(
            arguments: [
                // who speaks, settings, the versions that both agree on
                (.proxy, [], [.tls12, .tls13]),
                (.proxy, ["nginx_proxy_proxy_ssl_protocols=TLSv1.1 TLSv1.2"], [.tls11, .tls12]),
                (.proxy, ["nginx_http_proxy_ssl_protocols=TLSv1.3"], [.tls13]),
                (.proxy, ["lua_ssl_protocols=TLSv1.1"], [.tls12, .tls13]),
                (.prober, [], [.tls12, .tls13]),
                (.prober, ["lua_ssl_protocols=TLSv1.1 TLSv1.2"], [.tls11, .tls12]),
            ] as [(Speaker, [String], [TLSVersion])])
        func `servers are spoken to in the versions that are set for it`(
            speaker: Speaker, list: [String], versions: [TLSVersion]
        ) throws {
            let issued = try TestCertificates.issue(["127.0.0.1"])
            for version in TLSVersion.allCases {
                let server = try ScriptedUpstream()
                let bridge = try TLSBridge(before: server.port, openSSL: Self.only(version, issued))
                let gateway = try RunningGateway(
                    speaker.configuration(bridge.port), workers: 1, try Self.settings(list))
                #expect(
                    try speaker.shows(agreement: versions.contains(version), gateway, server), "\(version)")
            }
        }
    }
}
