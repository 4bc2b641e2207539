// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document
import Gateway
import NIOCore
import NIOSSL
import Testing

/// A gateway with a plain listener and one for TLS and HTTP/2.
func tlsGateway(
    _ config: String? = nil, workers: Int = 1, _ configure: (inout GatewaySettings) -> Void = { _ in }
) throws -> RunningGateway {
    try RunningGateway(config, workers: workers) { settings in
        let any = SocketAddress.loopback(port: 0)
        settings.proxyListeners = [
            ListenerSettings(any), ListenerSettings(any, isEncrypted: true, speaksHTTP2: true),
        ]
        configure(&settings)
    }
}

extension RunningGateway {
    var tlsPort: Int { gateway.tlsAddress?.port ?? 0 }

    /// One HTTP/1.1 request over TLS.
    ///
    /// - Parameter name: for SNI.
    func getEncrypted(_ path: String, name: String? = "a.example", _ fields: String = "") throws -> RawMessage {
        let bridge = try TLSBridge(toward: tlsPort, name: name)
        let socket = try RawSocket.connect(port: bridge.port)
        return try socket.exchange("GET \(path) HTTP/1.1\r\nHost: \(name ?? "a.example")\r\n\(fields)\r\n")
    }
}

extension LoopbackTests {
    /// TLS towards clients.
    @Suite struct TLSListenerTests {
        @Test(arguments: [1, 2])
        func `a request over TLS is proxied and says so to the upstream`(workers: Int) throws {
            let upstream = try ScriptedUpstream()
            let gateway = try tlsGateway(serviceYAML(port: upstream.port), workers: workers)
            #expect(try gateway.getEncrypted("/x").status == 200)
            let request = try #require(upstream.requests.first)
            #expect(request["X-Forwarded-Proto"] == "https")
            #expect(request["X-Forwarded-Port"] == "\(gateway.tlsPort)")
            #expect(request["Via"] == "1.1 kong/3.10.0")
            #expect(try gateway.get("/x").status == 200)
        }

        @Test func `each server name gets its certificate, every other one the self-signed default`() throws {
            let (one, wild) = (
                try TestCertificates.issue(["one.example"]), try TestCertificates.issue(["*.wild.example"])
            )
            let gateway = try tlsGateway()
            func post(_ certificate: IssuedCertificate, _ name: String) throws {
                let body = "{\(certificate.members), \"snis\": [\"\(name)\"]}"
                #expect(try gateway.admin("POST", "/certificates", body).status == 201)
            }
            try post(one, "one.example")
            try post(wild, "*.wild.example")
            func names(_ name: String?) throws -> [String] {
                let bridge = try TLSBridge(toward: gateway.tlsPort, name: name)
                let socket = try RawSocket.connect(port: bridge.port)
                #expect(try socket.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 404)
                let der = try #require(bridge.agreements.first?.certificate)
                let certificate = try NIOSSLCertificate(bytes: der, format: .der)
                return certificate._subjectAlternativeNames().compactMap {
                    $0.nameType == .dnsName ? String(decoding: Array($0.contents), as: UTF8.self) : nil
                }
            }
            #expect(try names("one.example") == ["one.example"])
            #expect(try names("ONE.example") == ["one.example"])
            #expect(try names("x.wild.example") == ["*.wild.example"])
            #expect(try names("x.y.wild.example") == ["localhost"])
            #expect(try names(nil) == ["localhost"])
        }

        @Test func `the default certificate is the one that was named, and clients can verify it`() throws {
            let issued = try TestCertificates.issue(["a.example"])
            let gateway = try tlsGateway { $0.certificate = (issued.chain, issued.key) }
            let root = try NIOSSLCertificate(bytes: Array(TestCertificates.root.certificate.utf8), format: .pem)
            for (name, isGood) in [("a.example", true), ("b.example", false)] {
                let bridge = try TLSBridge(toward: gateway.tlsPort, name: name) {
                    $0.certificateVerification = .fullVerification
                    $0.trustRoots = .certificates([root])
                }
                let socket = try RawSocket.connect(port: bridge.port)
                let answer = try? socket.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect((answer?.status == 404) == isGood)
            }
        }

        @Test(
            arguments: [
                (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["spdy/3"], nil),
                ([], nil),
            ] as [([String], String?)])
        func `the server chooses HTTP/2 where the client offers it`(offered: [String], agreed: String?) throws {
            let gateway = try tlsGateway()
            let bridge = try TLSBridge(toward: gateway.tlsPort, name: "a") { $0.applicationProtocols = offered }
            let socket = try RawSocket.connect(port: bridge.port)
            if agreed == "h2" {
                let http2 = try RawHTTP2(client: socket)
                try http2.request(on: 1)
                #expect(try http2.message(1).status == 404)
            } else {
                #expect(try socket.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 404)
            }
            #expect(bridge.agreements.first?.applicationProtocol == agreed)
        }

        @Test func `a listener without http2 offers HTTP/1.1 only`() throws {
            let gateway = try tlsGateway { $0.proxyListeners[1].speaksHTTP2 = false }
            let bridge = try TLSBridge(toward: gateway.tlsPort, name: "a") {
                $0.applicationProtocols = ["h2", "http/1.1"]
            }
            let socket = try RawSocket.connect(port: bridge.port)
            #expect(try socket.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 404)
            #expect(bridge.agreements.first?.applicationProtocol == "http/1.1")
        }

        @Test(
            arguments: [
                // https_redirect_status_code, status, Location
                (426, 426, nil), (301, 301, "https://a.example/x?y=1"), (308, 308, "https://a.example/x?y=1"),
            ] as [(Int, Int, String?)])
        func `a route for https sends plain requests away and takes encrypted ones`(
            code: Int, status: Int, location: String?
        ) throws {
            let upstream = try ScriptedUpstream()
            let gateway = try tlsGateway(
                serviceYAML(
                    port: upstream.port,
                    routes: "{paths: [/], protocols: [https], https_redirect_status_code: \(code)}"))
            let answer = try gateway.get("/x?y=1")
            #expect(answer.status == status)
            #expect(answer["Location"] == location)
            #expect(answer["Upgrade"] == (code == 426 ? "TLS/1.2, HTTP/1.1" : nil))
            #expect(upstream.requests.isEmpty)
            #expect(try gateway.getEncrypted("/x?y=1").status == 200)
        }

        @Test func `server names choose routes`() throws {
            let (one, two) = (try ScriptedUpstream(), try ScriptedUpstream())
            let gateway = try tlsGateway(
                """
                _format_version: "3.0"
                services:
                - name: one
                  url: "http://127.0.0.1:\(one.port)"
                  routes: [{protocols: [https], snis: [one.example]}]
                - name: two
                  url: "http://127.0.0.1:\(two.port)"
                  routes: [{protocols: [https], snis: ["*.two.example"]}]
                """)
            #expect(try gateway.getEncrypted("/", name: "one.example").status == 200)
            #expect(try gateway.getEncrypted("/", name: "x.two.example").status == 200)
            #expect(try gateway.getEncrypted("/", name: "three.example").status == 404)
            #expect(try gateway.getEncrypted("/", name: nil).status == 404)
            #expect(one.requests.count == 1)
            #expect(two.requests.count == 1)
        }

        @Test func `plain HTTP on the TLS port is told so`() throws {
            let gateway = try tlsGateway()
            let socket = try RawSocket.connect(port: gateway.tlsPort)
            try socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try #require(try socket.message())
            #expect(answer.status == 400)
            #expect(answer.text.contains("The plain HTTP request was sent to HTTPS port"))
            #expect(socket.ends(within: 5000))
        }

        @Test(arguments: ["\u{16}\u{3}\u{1}", "\u{0}\u{1}\u{2}\u{3}", "\u{16}\u{3}\u{1}\u{0}\u{5}hello"])
        func `what is no handshake ends the connection, not the gateway`(bytes: String) throws {
            let gateway = try tlsGateway { $0.timeouts.head = .milliseconds(200) }
            let socket = try RawSocket.connect(port: gateway.tlsPort)
            try socket.send(bytes)
            #expect(socket.ends(within: 5000))
            #expect(try gateway.getEncrypted("/").status == 404)
        }

        @Test func `a stop ends connections that never shook hands`() throws {
            var gateway: RunningGateway? = try tlsGateway { $0.drain = .seconds(30) }
            let socket = try RawSocket.connect(port: try #require(gateway).tlsPort)
            try socket.send("\u{16}")
            // A request on another connection shows that the first one has been accepted.
            _ = try gateway?.getEncrypted("/")
            let time = elapsed { gateway = nil }
            #expect(time < 10_000)
            #expect(socket.ends(within: 5000))
        }

        @Test func `connections over TLS are counted once`() throws {
            let gateway = try tlsGateway()
            let bridge = try TLSBridge(toward: gateway.tlsPort, name: "a") { $0.applicationProtocols = ["h2"] }
            let http2 = try RawHTTP2(client: try RawSocket.connect(port: bridge.port))
            for stream in [1, 3, 5] as [UInt32] { try http2.request(on: stream) }
            for stream in [1, 3, 5] as [UInt32] { #expect(try http2.message(stream).status == 404) }
            let status = try gateway.serverStatus()
            #expect(status["connections_accepted"] == 1)
            #expect(status["connections_active"] == 1)
            #expect(status["connections_writing"] == 0)
            #expect(status["total_requests"] == 3)
            http2.socket.close()
            #expect(try eventually { try gateway.serverStatus()["connections_active"] == 0 })
        }
    }
}
