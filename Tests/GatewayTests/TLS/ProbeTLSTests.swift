// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Gateway
import NIOCore
import NIOSSL
import Testing
import World

extension LoopbackTests {
    /// Active checks over https: `https_verify_certificate`, `https_sni` and the upstream's client certificate.
    @Suite struct ProbeTLSTests {
        private typealias Flaw = UpstreamTLSTests.Flaw

        private func probe(
            _ bridge: TLSBridge, name: String?, verifies: Bool, certificateID: String? = nil,
            material: TLSMaterial = TLSMaterial()
        ) throws -> ProbeAnswer {
            let world = World.real(threads: 1, seed: 1)
            defer { world.loops.shutdownGracefully { _ in } }
            let loop = world.loops.next()
            var request = ProbeRequest(
                transport: .https(serverName: name, verifiesCertificate: verifies),
                address: .loopback(port: bridge.port), host: "api.test", path: "/", headers: [], timeout: .seconds(5))
            request.clientCertificateID = certificateID
            let made = request
            return try loop.flatSubmit {
                let trusted = TrustedAuthorities(
                    includesSystem: false, others: [TestCertificates.root.certificate])
                let prober = Prober(network: world.network, loop: loop, trusted: trusted)
                prober.material = material
                return prober.probe(made)
            }.wait()
        }

        @Test(arguments: UpstreamTLSTests.Flaw.allCases)
        func `a probe that verifies fails over a bad certificate, one that does not does not`(
            flaw: UpstreamTLSTests.Flaw
        ) throws {
            let upstream = try ScriptedUpstream()
            let issued = try flaw.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let verified = try probe(bridge, name: "api.test", verifies: true)
            if flaw == .none {
                #expect(verified == .status(200))
            } else {
                guard case .tcpFailure = verified else {
                    Issue.record("\(flaw): \(verified)")
                    return
                }
            }
            #expect(try probe(bridge, name: "api.test", verifies: false) == .status(200))
        }

        @Test func `the name of https_sni is asked for and verified`() throws {
            let upstream = try ScriptedUpstream()
            let issued = try TestCertificates.issue(["sni.test"])
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            #expect(try probe(bridge, name: "sni.test", verifies: true) == .status(200))
            #expect(bridge.agreements.map(\.serverName) == ["sni.test"])
            guard case .tcpFailure = try probe(bridge, name: "api.test", verifies: true) else {
                Issue.record("another name was verified")
                return
            }
        }

        @Test func `an address without a name is verified as an address`() throws {
            let upstream = try ScriptedUpstream()
            let good = try TestCertificates.issue(["127.0.0.1"])
            let bridge = try TLSBridge(before: upstream.port, chain: good.chain, key: good.key)
            #expect(try probe(bridge, name: nil, verifies: true) == .status(200))
            let bad = try TestCertificates.issue(["127.0.0.2"])
            let other = try TLSBridge(before: upstream.port, chain: bad.chain, key: bad.key)
            guard case .tcpFailure = try probe(other, name: nil, verifies: true) else {
                Issue.record("another address was verified")
                return
            }
        }

        @Test func `probes present the upstream's client certificate`() throws {
            let harness = try AdminHarness()
            let client = try TestCertificates.issue(["client.test"])
            let made = harness.json("POST", "/certificates", "{\(client.members)}")
            let id = try #require(made.json?["id"]?.stringValue)
            let upstream = try ScriptedUpstream()
            let issued = try Flaw.none.issue()
            let root = try NIOSSLCertificate(bytes: Array(TestCertificates.root.certificate.utf8), format: .pem)
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key) {
                $0.certificateVerification = .noHostnameVerification
                $0.trustRoots = .certificates([root])
            }
            let material = harness.configuration.tls
            let presented = try probe(
                bridge, name: "api.test", verifies: true, certificateID: id, material: material)
            #expect(presented == .status(200))
            guard case .tcpFailure = try probe(bridge, name: "api.test", verifies: true, material: material) else {
                Issue.record("a probe without a certificate was let in")
                return
            }
        }

        @Test func `a target whose certificate expired leaves the ring by active checks`() throws {
            let upstream = try ScriptedUpstream()
            let issued = try Flaw.expired.issue()
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key)
            let config = """
                _format_version: "3.0"
                services: [{name: api, host: up, protocol: https, routes: [{paths: [/]}]}]
                upstreams:
                - name: up
                  targets: [{target: "127.0.0.1:\(bridge.port)"}]
                  healthchecks: {active: {type: https, healthy: {interval: 0.05}, unhealthy: {tcp_failures: 2}}}
                """
            let gateway = try RunningGateway(config)
            #expect(try eventually { try gateway.get("/").status == 503 })
        }
    }
}
