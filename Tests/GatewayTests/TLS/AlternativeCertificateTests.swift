// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Gateway
import NIOCore
import NIOSSL
import OpenSSL
import Synchronization
import Testing
import Wire
import World

extension LoopbackTests {
    /// `cert_alt`: two certificates for a name, with keys of different kinds, and what a client says that decides.
    @Suite struct AlternativeCertificateTests {
        // Proof: nothing but the system's chance is needed, without which no test could run; drawn once, as an RSA key
        // takes up to a second.
        // swift-format-ignore: NeverUseForceTry
        private static let rsa = try! TestCertificates.issue(["rsa.example"], key: .rsa2048)
        // Proof: as above.
        // swift-format-ignore: NeverUseForceTry
        private static let ecdsa = try! TestCertificates.issue(["ecdsa.example"], key: .p256)

        /// The name in the certificate that a client was shown; nil when there was no handshake.
        private func shown(
            _ gateway: RunningGateway, name: String = "x.example", _ configure: (inout TLSConfiguration) -> Void
        ) throws -> String? {
            let bridge = try TLSBridge(toward: gateway.tlsPort, name: name, configure)
            let socket = try RawSocket.connect(port: bridge.port)
            try socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try? socket.message()
            guard let der = bridge.agreements.first?.certificate else { return nil }
            let certificate = try NIOSSLCertificate(bytes: der, format: .der)
            return certificate._subjectAlternativeNames().map { String(decoding: Array($0.contents), as: UTF8.self) }
                .first
        }

        /// - Parameter first: the certificate that is `cert`; the other is `cert_alt`.
        private func gateway(
            first: IssuedCertificate, second: IssuedCertificate?,
            _ configure: (inout GatewaySettings) -> Void = { _ in }
        ) throws -> RunningGateway {
            let alternative = second.map {
                ", \"cert_alt\": \(TestCertificates.quoted($0.chain)), \"key_alt\": \(TestCertificates.quoted($0.key))"
            }
            let gateway = try tlsGateway(nil, configure)
            let body = "{\(first.members)\(alternative ?? ""), \"snis\": [\"*.example\"]}"
            #expect(try gateway.admin("POST", "/certificates", body).status == 201)
            return gateway
        }

        private static let rsaOnly: [SignatureAlgorithm] = [.rsaPssRsaeSha256, .rsaPkcs1Sha256]
        private static let ecdsaOnly: [SignatureAlgorithm] = [.ecdsaSecp256R1Sha256]

        @Test(arguments: [true, false])
        func `a client is shown the kind of key that it prefers, whichever of the two is the alternative`(
            isRSAFirst: Bool
        ) throws {
            let gateway = try gateway(
                first: isRSAFirst ? Self.rsa : Self.ecdsa, second: isRSAFirst ? Self.ecdsa : Self.rsa)
            // TLS 1.3: by signature algorithms, in their order.
            #expect(try shown(gateway) { $0.verifySignatureAlgorithms = Self.rsaOnly } == "rsa.example")
            #expect(try shown(gateway) { $0.verifySignatureAlgorithms = Self.ecdsaOnly } == "ecdsa.example")
            #expect(
                try shown(gateway) { $0.verifySignatureAlgorithms = Self.rsaOnly + Self.ecdsaOnly } == "rsa.example")
            #expect(
                try shown(gateway) { $0.verifySignatureAlgorithms = Self.ecdsaOnly + Self.rsaOnly } == "ecdsa.example")
            // TLS 1.2: by cipher suites.
            for (ciphers, name) in [
                ("ECDHE-RSA-AES128-GCM-SHA256", "rsa.example"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "ecdsa.example"),
                ("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384", "rsa.example"),
                ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384", "ecdsa.example"),
            ] {
                let found = try shown(gateway) {
                    $0.maximumTLSVersion = .tlsv12
                    $0.cipherSuites = ciphers
                }
                #expect(found == name, "\(ciphers)")
            }
        }

        @Test func `where the listener speaks TLS 1.2 only, cipher suites decide for clients of TLS 1.3 too`() throws {
            let gateway = try gateway(first: Self.ecdsa, second: Self.rsa) {
                $0.tls.suite = .custom
                $0.tls.customVersions = TLSVersions(.tlsv12, .tlsv12)
            }
            #expect(try shown(gateway) { $0.cipherSuites = "ECDHE-RSA-AES128-GCM-SHA256" } == "rsa.example")
            #expect(try shown(gateway) { $0.cipherSuites = "ECDHE-ECDSA-AES128-GCM-SHA256" } == "ecdsa.example")
        }

        @Test func `without an alternative there is nothing to choose`() throws {
            let gateway = try gateway(first: Self.rsa, second: nil)
            #expect(try shown(gateway) { $0.verifySignatureAlgorithms = Self.rsaOnly } == "rsa.example")
            #expect(try shown(gateway) { $0.verifySignatureAlgorithms = Self.ecdsaOnly } == nil)
        }

        @Test func `OpenSSL's client gets an answer, and verifies what it was shown`() throws {
            let gateway = try gateway(first: Self.rsa, second: Self.ecdsa)
            // Its favourite is ECDSA: the other certificate is for another name.
            for (name, answers) in [("ecdsa.example", true), ("rsa.example", false)] {
                var settings = OpenSSLSettings()
                settings.trust = TestCertificates.root.certificate
                let bridge = try TLSBridge(toward: gateway.tlsPort, name: name, openSSL: settings)
                let socket = try RawSocket.connect(port: bridge.port)
                try socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect((try? socket.message())?.status == (answers ? 404 : nil), "\(name)")
            }
        }
    }

    /// What a client says before the handshake.
    @Suite struct ClientHelloTests {
        /// The first bytes of a client, from its own mouth.
        private func hello(_ configure: @escaping @Sendable (inout TLSConfiguration) -> Void) throws -> [UInt8] {
            let heard = Heard()
            let server = try ScriptedUpstream { connection in
                let head = try connection.socket.bytes(5)
                let rest = try connection.socket.bytes(Int(head[3]) << 8 | Int(head[4]))
                heard.set(head + rest)
            }
            let bridge = try TLSBridge(toward: server.port, name: "a.example", configure)
            let socket = try RawSocket.connect(port: bridge.port)
            #expect(eventually { !heard.bytes.isEmpty })
            socket.close()
            return heard.bytes
        }

        private final class Heard: Sendable {
            private let state = Mutex<[UInt8]>([])
            var bytes: [UInt8] { state.withLock { $0 } }
            func set(_ bytes: [UInt8]) { state.withLock { $0 = bytes } }
        }

        @Test func `signatures, ciphers and versions are read, in one record or in many`() throws {
            let bytes = try hello {
                $0.verifySignatureAlgorithms = [.rsaPssRsaeSha256, .ecdsaSecp256R1Sha256]
                $0.cipherSuites = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"
            }
            let whole = ClientHello(serverName: nil, records: ByteBuffer(bytes: bytes))
            #expect(whole.signatures == [0x0804, 0x0403])
            #expect(whole.offersTLS13)
            #expect(whole.ciphers.filter { $0 >> 8 == 0xc0 } == [0xc02f, 0xc02b])
            // The same message in records of seven bytes.
            var rest = bytes.dropFirst(5)
            var records: [UInt8] = []
            while !rest.isEmpty {
                let part = rest.prefix(7)
                records += [22, 3, 1, 0, UInt8(part.count)] + part
                rest = rest.dropFirst(7)
            }
            #expect(ClientHello(serverName: nil, records: ByteBuffer(bytes: records)) == whole)
        }

        @Test func `a hello that is cut off or garbled is read without harm`() throws {
            let bytes = try hello { _ in }
            for count in 0..<bytes.count {
                _ = ClientHello(serverName: nil, records: ByteBuffer(bytes: bytes.prefix(count)))
            }
            var random = RandomStreams(seed: 5).stream("hello")
            for _ in 0..<5000 {
                var garbled = bytes
                for _ in 0..<3 {
                    garbled[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                let read = ClientHello(serverName: nil, records: ByteBuffer(bytes: garbled))
                #expect(read.signatures.count < bytes.count && read.ciphers.count < bytes.count)
            }
            let old = try hello { $0.maximumTLSVersion = .tlsv12 }
            #expect(!ClientHello(serverName: nil, records: ByteBuffer(bytes: old)).offersTLS13)
        }
    }
}
