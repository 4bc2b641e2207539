// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document
import Gateway
import NIOCore
import NIOSSL
import Testing

extension LoopbackTests {
    /// TLS towards upstreams: what is verified, what is presented, what a failure is reported as.
    @Suite struct UpstreamTLSTests {
        /// A certificate by what is wrong with it.
        enum Flaw: String, Sendable, CaseIterable {
            case none, expired, notYetValid, wrongHost, untrusted, selfSigned

            func issue() throws -> IssuedCertificate {
                let now = TestCertificates.now
                return switch self {
                case .none: try TestCertificates.issue(["api.test", "127.0.0.1"])
                case .expired: try TestCertificates.issue(["api.test", "127.0.0.1"], validity: .expired(now))
                case .notYetValid: try TestCertificates.issue(["api.test", "127.0.0.1"], validity: .notYetValid(now))
                case .wrongHost: try TestCertificates.issue(["other.test"])
                case .untrusted: try TestCertificates.issue(["api.test", "127.0.0.1"], by: TestCertificates.stranger)
                case .selfSigned:
                    try CertificateAuthority.selfSigned(
                        CertificateRequest(names: ["api.test", "127.0.0.1"], validity: .current(now)))
                }
            }
        }

        static let authorityID = "00000000-0000-4000-8000-00000000000a"
        static let clientID = "00000000-0000-4000-8000-00000000000c"

        /// A service `api.test` over https, which `--resolve` maps to a port.
        private func config(
            _ fields: String = "", service: String = "host: api.test, port: 443, protocol: https", more: String = ""
        ) throws -> String {
            let client = try TestCertificates.issue(["client.test"])
            return """
                _format_version: "3.0"
                ca_certificates:
                - {id: \(Self.authorityID), cert: \(TestCertificates.quoted(TestCertificates.root.certificate))}
                certificates:
                - {id: \(Self.clientID), \(client.members)}
                services:
                - {name: api, \(service), retries: 1\(fields.isEmpty ? "" : ", " + fields), routes: [{paths: [/]}]}
                \(more)
                """
        }

        private func gateway(
            _ config: String, _ bridge: TLSBridge, _ configure: (inout GatewaySettings) -> Void = { _ in }
        ) throws -> RunningGateway {
            try RunningGateway(config) { settings in
                settings.resolve["api.test:443"] = .loopback(port: bridge.port)
                configure(&settings)
            }
        }

        private static let verified = "tls_verify: true, ca_certificates: [\(authorityID)]"

        @Test(arguments: Flaw.allCases)
        func `a verified upstream has to be the one it claims to be`(flaw: Flaw) throws {
            let upstream = try ScriptedUpstream()
            let issued = try flaw.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let verifying = try gateway(try config(Self.verified), bridge)
            #expect(try verifying.get("/").status == (flaw == .none ? 200 : 502))
            // Without verification, Kong's default, everybody may answer.
            let trusting = try gateway(try config(), bridge)
            #expect(try trusting.get("/").status == 200)
            #expect(bridge.agreements.allSatisfy { $0.serverName == "api.test" })
            #expect(upstream.requests.allSatisfy { $0["Host"] == "api.test" })
        }

        @Test(arguments: [true, false])
        func `without a list of its own a service trusts whom the gateway trusts`(isTrusted: Bool) throws {
            let upstream = try ScriptedUpstream()
            let issued = try Flaw.none.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let root = (isTrusted ? TestCertificates.root : TestCertificates.stranger).certificate
            let gateway = try gateway(try config("tls_verify: true"), bridge) {
                $0.trusted = TrustedAuthorities(includesSystem: false, others: [root])
            }
            #expect(try gateway.get("/").status == (isTrusted ? 200 : 502))
        }

        @Test func `an intermediate in the chain is followed to its root`() throws {
            let between = try TestCertificates.root.makeIntermediate(
                name: "between", validity: .current(TestCertificates.now))
            let issued = try TestCertificates.issue(["api.test"], by: between)
            let upstream = try ScriptedUpstream()
            let whole = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            #expect(try gateway(try config(Self.verified), whole).get("/").status == 200)
            let alone = try TLSBridge(before: upstream.port, chain: issued.certificate, key: issued.key)
            #expect(try gateway(try config(Self.verified), alone).get("/").status == 502)
        }

        @Test(arguments: [(0, 0, true), (1, 0, false), (1, 1, true), (2, 1, false), (2, 2, true), (2, 64, true)])
        func `tls_verify_depth limits the certificates between the upstream's and its root`(
            between: Int, depth: Int, isGood: Bool
        ) throws {
            var authority = TestCertificates.root
            for number in 0..<between {
                authority = try authority.makeIntermediate(
                    name: "between \(number)", validity: .current(TestCertificates.now))
            }
            let issued = try TestCertificates.issue(["api.test"], by: authority)
            let upstream = try ScriptedUpstream()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let gateway = try gateway(try config("tls_verify_depth: \(depth), " + Self.verified), bridge)
            #expect(try gateway.get("/").status == (isGood ? 200 : 502))
        }

        @Test(arguments: Flaw.allCases)
        func `a limit of depth verifies everything else too`(flaw: Flaw) throws {
            let upstream = try ScriptedUpstream()
            let issued = try flaw.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let gateway = try gateway(try config("tls_verify_depth: 3, " + Self.verified), bridge)
            #expect(try gateway.get("/").status == (flaw == .none ? 200 : 502))
        }

        @Test func `the client certificate of a service comes before that of its upstream`() throws {
            let upstream = try ScriptedUpstream()
            let issued = try Flaw.none.issue()
            let root = try NIOSSLCertificate(bytes: Array(TestCertificates.root.certificate.utf8), format: .pem)
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key) {
                $0.certificateVerification = .noHostnameVerification
                $0.trustRoots = .certificates([root])
            }
            #expect(try gateway(try config(), bridge).get("/").status == 502)
            let own = "client_certificate: \(Self.clientID)"
            #expect(try gateway(try config(own), bridge).get("/").status == 200)
            // The upstream's counts where the service has none.
            let balanced = try config(
                service: "host: up, protocol: https",
                more: """
                    upstreams:
                    - {name: up, client_certificate: \(Self.clientID), targets: [{target: "127.0.0.1:\(bridge.port)"}]}
                    """)
            #expect(try gateway(balanced, bridge).get("/").status == 200)
            let presented = try bridge.agreements.compactMap(\.certificate).map {
                try NIOSSLCertificate(bytes: $0, format: .der)
            }
            #expect(presented.count == 2)
        }

        @Test func `a kept-alive connection is used again, and another one after the terms changed`() throws {
            let upstream = try ScriptedUpstream()
            let issued = try Flaw.none.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let config = try config()
            let gateway = try gateway(config, bridge)
            let socket = try gateway.connect()
            for _ in 0..<3 { #expect(try socket.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200) }
            #expect(bridge.agreements.count == 1)
            try gateway.gateway.reload(config, file: "kong.yml").wait()
            #expect(try socket.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
            #expect(bridge.agreements.count == 1)
            try gateway.gateway.reload(try self.config(Self.verified), file: "kong.yml").wait()
            #expect(try socket.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
            #expect(bridge.agreements.count == 2)
        }

        @Test(arguments: [
            // what stands behind the port, the reports of two tries
            ("a failed verification", ["tcp_failure", "http_status 502"]),
            ("plain HTTP", ["tcp_failure", "http_status 502"]),
            ("silence", ["timeout", "timeout"]),
        ])
        func `a failed handshake is tried again and reported as Kong does`(way: String, reports: [String]) throws {
            let upstream = try ScriptedUpstream { connection in
                if way == "plain HTTP" { try connection.socket.send("HTTP/1.1 400 Bad Request\r\n\r\n") }
                _ = try connection.socket.everything()
            }
            let issued = try Flaw.untrusted.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let port = way == "a failed verification" ? bridge.port : upstream.port
            let passive = """
                healthchecks: {passive: {unhealthy: {http_failures: 200, tcp_failures: 200, timeouts: 200, \
                http_statuses: [502]}, healthy: {successes: 1}}}
                """
            let config = try config(
                Self.verified, service: "host: up, protocol: https, connect_timeout: 150",
                more: """
                    upstreams:
                    - {name: up, targets: [{target: "127.0.0.1:\(port)"}], \(passive)}
                    """)
            let gateway = try gateway(config, bridge)
            #expect(try gateway.get("/").status == (way == "silence" ? 504 : 502))
            #expect(try gateway.reports() == reports)
            #expect(upstream.requests.isEmpty)
        }

        @Test func `a CA certificate that is not there fails the service, not the gateway`() throws {
            let upstream = try ScriptedUpstream()
            let issued = try Flaw.none.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let gateway = try gateway(
                try config("tls_verify: true, ca_certificates: [00000000-0000-4000-8000-0000000000ff]"), bridge)
            #expect(try gateway.get("/").status == 502)
            #expect(gateway.log.all.contains { $0.contains("service api: TLS cannot be set up") })
        }
    }
}
