// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Gateway
import NIOCore
import NIOSSL
import Synchronization
import Testing
import World

@Suite struct ProberTests {
    /// What a tiny server does with a connection.
    enum Behaviour: Sendable {
        case answer(String)
        case answerInBytes(String)
        case closeAtOnce
        case silence
    }

    /// Accepts connections and keeps what it was sent.
    final class Server: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let behaviour: Behaviour
        let received = Mutex("")

        init(_ behaviour: Behaviour) { self.behaviour = behaviour }

        func channelActive(context: ChannelHandlerContext) {
            if case .closeAtOnce = behaviour { context.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            let whole = received.withLock { received in
                received += text
                return received
            }
            guard whole.hasSuffix("\r\n\r\n") else { return }
            switch behaviour {
            case .answer(let answer): write(answer, context)
            case .answerInBytes(let answer): for byte in answer { write(String(byte), context) }
            case .closeAtOnce, .silence: break
            }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        }
    }

    /// Probes a server of the given behaviour once.
    private func probe(
        _ behaviour: Behaviour, timeout: TimeAmount = .seconds(5), change: (inout ProbeRequest) -> Void = { _ in }
    ) async throws -> (answer: ProbeAnswer, received: String) {
        let world = World.real(threads: 1, seed: 1)
        let server = Server(behaviour)
        let listener = try await world.network.listen(
            on: loopback(0), loops: world.loops, options: ListenOptions(),
            accept: { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(server) }
            }
        ).get()
        var request = ProbeRequest(
            transport: .http, address: try #require(listener.localAddress), host: "api.test", path: "/health",
            headers: [.init(name: "X-Probe", values: ["a", "b"])], timeout: timeout)
        change(&request)
        let answer = try await send(request, in: world)
        try await listener.close()
        try await world.loops.shutdownGracefully()
        return (answer, server.received.withLock { $0 })
    }

    private func send(_ request: ProbeRequest, in world: World) async throws -> ProbeAnswer {
        let loop = world.loops.next()
        return try await loop.flatSubmit { Prober(network: world.network, loop: loop).probe(request) }.get()
    }

    @Test func `a probe is HTTP 1.0 with custom headers before the host`() async throws {
        let (answer, received) = try await probe(.answer("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"))
        #expect(answer == .status(204))
        #expect(received == "GET /health HTTP/1.0\r\nX-Probe: a\r\nX-Probe: b\r\nHost: api.test\r\n\r\n")
    }

    @Test func `a status line may come in pieces`() async throws {
        #expect(try await probe(.answerInBytes("HTTP/1.1 503 Service Unavailable\r\n")).answer == .status(503))
    }

    @Test func `what is no status line counts as status 0`() async throws {
        #expect(try await probe(.answer("SSH-2.0-OpenSSH_9.2\r\n")).answer == .status(0))
        #expect(try await probe(.answer(String(repeating: "x", count: 9000))).answer == .status(0))
    }

    @Test func `a connection closed before the status line is a TCP failure`() async throws {
        guard case .tcpFailure = try await probe(.closeAtOnce).answer else {
            Issue.record("not a TCP failure")
            return
        }
    }

    @Test func `silence is a timeout`() async throws {
        let (answer, received) = try await probe(.silence, timeout: .milliseconds(50))
        #expect(answer == .timeout("receiving timed out"))
        #expect(received.hasPrefix("GET /health"))
    }

    @Test func `a probe of type tcp is content with a connection`() async throws {
        let (answer, received) = try await probe(.silence) { $0.transport = .tcp }
        #expect(answer == .connected)
        #expect(received == "")
    }

    @Test func `a handshake that ends in silence or in plain text is a TCP failure`() async throws {
        for behaviour in [Behaviour.silence, .closeAtOnce] {
            let (answer, _) = try await probe(behaviour, timeout: .milliseconds(100)) {
                $0.transport = .https(serverName: "api.test", verifiesCertificate: true)
            }
            guard case .tcpFailure = answer else {
                Issue.record("\(behaviour): \(answer)")
                continue
            }
        }
    }

    @Test func `an https probe needs the name and a trusted authority, or no verification`() async throws {
        let world = World.real(threads: 1, seed: 1)
        let now = CertificateValidity.current(world.wallClock.secondsSinceEpoch)
        let (root, stranger) = (
            try CertificateAuthority.makeRoot(validity: now), try CertificateAuthority.makeRoot(validity: now)
        )
        let issued = try root.issue(CertificateRequest(names: ["api.test"], validity: now))
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(issued.chain.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(bytes: Array(issued.key.utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        let listener = try await world.network.listen(
            on: loopback(0), loops: world.loops, options: ListenOptions(),
            accept: { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLServerHandler(context: context), Server(.answer("HTTP/1.1 200 OK\r\n\r\n")))
                }
            }
        ).get()
        let address = try #require(listener.localAddress)
        let loop = world.loops.next()
        func answer(
            _ name: String, verifies: Bool = true, trusting authority: CertificateAuthority
        ) async throws -> ProbeAnswer {
            let trusted = TrustedAuthorities(includesSystem: false, others: [authority.certificate])
            let request = ProbeRequest(
                transport: .https(serverName: name, verifiesCertificate: verifies), address: address, host: name,
                path: "/health", headers: [], timeout: .seconds(5))
            return try await loop.flatSubmit {
                Prober(network: world.network, loop: loop, trusted: trusted).probe(request)
            }.get()
        }
        #expect(try await answer("api.test", trusting: root) == .status(200))
        #expect(try await answer("other.test", verifies: false, trusting: stranger) == .status(200))
        for (name, authority) in [("other.test", root), ("api.test", stranger)] {
            guard case .tcpFailure = try await answer(name, trusting: authority) else {
                Issue.record("a probe of \(name) went through")
                continue
            }
        }
        try await listener.close()
        try await world.loops.shutdownGracefully()
    }

    @Test func `a refused connection is a TCP failure`() async throws {
        let world = World.real(threads: 1, seed: 1)
        let listener = try await world.network.listen(
            on: loopback(0), loops: world.loops, options: ListenOptions(),
            accept: { $0.eventLoop.makeSucceededVoidFuture() }
        ).get()
        let address = try #require(listener.localAddress)
        try await listener.close()
        let request = ProbeRequest(
            transport: .http, address: address, host: "api", path: "/", headers: [], timeout: .seconds(5))
        guard case .tcpFailure(let detail) = try await send(request, in: world) else {
            Issue.record("not a TCP failure")
            return
        }
        #expect(detail.contains("connection refused"))
        try await world.loops.shutdownGracefully()
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK", 200), ("HTTP/1.0 404 Not Found\r", 404), ("HTTP/1.1 599", 599), ("HTTP/1.1 200\r", 200),
            ("HTTP/2 200", nil), ("HTTP/1.1  200 OK", nil), ("HTTP/1.1 20 OK", nil), ("HTTP/1.1 2000 OK", nil),
            ("http/1.1 200 OK", nil), ("", nil), ("HTTP/1.1 2x0 OK", nil), ("HTTP/1.x 200 OK", nil),
        ] as [(String, Int?)])
    func `a status line is read strictly`(line: String, status: Int?) {
        #expect(StatusLine.status(of: Array(line.utf8)) == status)
    }

    // MARK: What a probe asks for

    private func request(_ target: String, change: (inout Upstream) -> Void) -> ProbeRequest {
        let rig = MonitorRig()
        var upstream = makeUpstream { $0.probeEvery(healthy: .seconds(1)) }
        change(&upstream)
        return ProbeRequest(
            upstream: upstream, address: rig.monitor.apply([resolve(upstream, target)])[0].addresses[0])
    }

    @Test func `the host is the upstream's, else the target's, never with the target's port`() {
        #expect(request("api:8080") { _ in }.host == "api")
        #expect(request("10.1.2.3:8080") { _ in }.host == "10.1.2.3")
        #expect(request("api:8080") { $0.hostHeader = "shop.test" }.host == "shop.test")
        #expect(request("[::1]:8080") { _ in }.host == "[::1]")
    }

    @Test func `the server name is https_sni, else the host, and never an address`() {
        func transport(_ target: String, _ change: (inout Upstream) -> Void) -> ProbeRequest.Transport {
            request(target) {
                $0.healthchecks.active.type = .https
                change(&$0)
            }.transport
        }
        #expect(transport("api:1") { _ in } == .https(serverName: "api", verifiesCertificate: true))
        #expect(
            transport("api:1") { $0.hostHeader = "shop.test:99" }
                == .https(serverName: "shop.test", verifiesCertificate: true))
        #expect(
            transport("10.1.2.3:1") { $0.healthchecks.active.httpsVerifyCertificate = false }
                == .https(serverName: nil, verifiesCertificate: false))
        #expect(
            transport("10.1.2.3:1") { $0.healthchecks.active.httpsSNI = "sni.test" }
                == .https(serverName: "sni.test", verifiesCertificate: true))
    }
}
