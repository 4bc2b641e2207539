// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import FoundationEssentials
import NIOCore
import NIOSSL
import OpenSSL
import Testing
import World

@testable import Chaos

/// Links that take the mock's place in the TLS handshake, asked by BoringSSL, as the gateway does.
@Suite(.timeLimit(.minutes(1))) struct LinkTLSTests {
    /// What became of a connection through the link: `hello` came back, or why not.
    private func ask(
        own: TLSSpec? = nil, mockServesTLS: Bool = false, toxic: Toxic? = nil, removedAfterHello: Bool = false
    ) async throws -> String {
        try await withRealWorld { world, loop in
            let folder = try WorkFolder()
            defer { folder.remove() }
            let certificates = RunCertificates(now: world.wallClock.secondsSinceEpoch, folder: folder)
            let trust = try CertificatesOfTest(certificates)
            let mock = mockServesTLS ? try certificates.server(TLSSpec(), for: ["api"]) : nil
            let echo = try await world.network.listen(
                on: .loopback(port: 0), loops: loop, options: ListenOptions()
            ) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let mock { try channel.pipeline.syncOperations.addHandler(OpenSSLHandler(mock)) }
                    try channel.pipeline.syncOperations.addHandler(Echo())
                }
            }.get()
            let target = try #require(echo.localAddress)
            let isTLS = own != nil || mockServesTLS
            let onward = mock == nil ? nil : try certificates.client()
            let contexts = isTLS ? try Contexts(certificates, own: own, onward: onward) : nil
            let link = try await loop.flatSubmit {
                let link = Link(name: "wire", world: world, loop: loop, address: .loopback(port: 0))
                link.tls = contexts?.tls
                let bound = NIOLoopBound(link, eventLoop: loop)
                return link.setTarget(target).map {
                    if let toxic { bound.value.install(InstalledToxic(name: "t", toxic: toxic)) }
                    return bound
                }
            }.get()
            let address = try await loop.submit { link.value.address }.get()
            let answer = loop.makePromise(of: String.self)
            let client = try trust.client()
            let channel = try await world.network.connect(to: address, on: loop, timeout: .seconds(5)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLClientHandler(context: client, serverHostname: "api"))
                    try pipeline.addHandler(Answer(answer))
                }
            }.get()
            channel.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
            if removedAfterHello {
                #expect(try await eventually(.seconds(5), on: loop) { link.value.counters.accepted == 1 })
                _ = try await loop.flatSubmit { link.value.remove("t") }.get()
            }
            let text: String
            let patience = TimeAmount.milliseconds(toxicStalls(toxic, removedAfterHello) ? 200 : 5_000)
            do { text = try await within(patience, answer.futureResult) } catch { text = "nothing" }
            answer.succeed("")
            try? await channel.close().get()
            _ = try await loop.flatSubmit { link.value.stop() }.get()
            try await echo.close().get()
            return text
        }
    }

    private func toxicStalls(_ toxic: Toxic?, _ isRemoved: Bool) -> Bool {
        toxic == .handshake(HandshakeToxic(.stall)) && !isRemoved
    }

    /// Made on the test's own thread; the link asks for them on its loop.
    private struct Contexts: Sendable {
        private let known: [TLSSpec: OpenSSLContext]
        private let own: TLSSpec?
        private let onward: OpenSSLContext?

        init(_ certificates: RunCertificates, own: TLSSpec?, onward: OpenSSLContext?) throws {
            var made: [TLSSpec: OpenSSLContext] = [:]
            var specs = CertificateKind.allCases.map { TLSSpec(certificate: $0) } + [TLSSpec(maximum: .tls11)]
            if let own { specs.append(own) }
            for spec in specs { made[spec] = try certificates.server(spec, for: ["api"]) }
            known = made
            self.own = own
            self.onward = onward
        }

        var tls: LinkTLS {
            LinkTLS(own: own, onward: onward) { spec throws(TopologyError) in
                guard let context = known[spec] else { throw TopologyError("no context for \(spec.phrase)") }
                return context
            }
        }
    }

    private struct CertificatesOfTest {
        let pem: String
        init(_ certificates: RunCertificates) throws {
            pem = try String(contentsOfFile: certificates.authorityPath(), encoding: .utf8)
        }

        func client() throws -> NIOSSLContext {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
            // As nginx and browsers have it; NIOSSL by itself would take 1.0.
            configuration.minimumTLSVersion = .tlsv12
            // Nobody waits for the other's farewell here.
            configuration.shutdownTimeout = .milliseconds(10)
            return try NIOSSLContext(configuration: configuration)
        }
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<String>
        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            promise.succeed(String(buffer: unwrapInboundIn(data)))
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.succeed("\(error)") }
        func channelInactive(context: ChannelHandlerContext) { promise.succeed("closed") }
    }

    @Test func `a link decrypts, passes on, or encrypts again`() async throws {
        #expect(try await ask(own: TLSSpec()) == "hello")
        #expect(try await ask(mockServesTLS: true) == "hello")
        #expect(try await ask(own: TLSSpec(), mockServesTLS: true) == "hello")
    }

    @Test(arguments: [CertificateKind.expired, .notYet, .wrongHost, .untrusted, .selfSigned])
    func `a bad certificate is refused, as a fault and as the link's own`(kind: CertificateKind) async throws {
        for text in [
            try await ask(mockServesTLS: true, toxic: .cert(kind)), try await ask(own: TLSSpec(), toxic: .cert(kind)),
            try await ask(own: TLSSpec(certificate: kind)),
        ] {
            #expect(text.contains(kind == .wrongHost ? "ostname" : "CERTIFICATE_VERIFY_FAILED"), "\(text)")
        }
    }

    @Test func `old versions are refused, and a good certificate heals a bad one`() async throws {
        let old = try await ask(mockServesTLS: true, toxic: .version(.tls11))
        #expect(old.contains("PROTOCOL") || old.contains("VERSION"), "\(old)")
        #expect(try await ask(own: TLSSpec(certificate: .expired), toxic: .cert(.valid)) == "hello")
    }

    @Test func `a handshake is reset, refused by an alert, or not answered`() async throws {
        let alert = try await ask(mockServesTLS: true, toxic: .handshake(HandshakeToxic(.alert)))
        #expect(alert.contains("HANDSHAKE_FAILURE"), "\(alert)")
        let reset = try await ask(mockServesTLS: true, toxic: .handshake(HandshakeToxic(.reset)))
        #expect(!reset.contains("hello") && reset != "nothing", "\(reset)")
        #expect(try await ask(mockServesTLS: true, toxic: .handshake(HandshakeToxic(.stall))) == "nothing")
        let healed = try await ask(
            mockServesTLS: true, toxic: .handshake(HandshakeToxic(.stall)), removedAfterHello: true)
        #expect(healed == "hello")
    }

    /// What a link does by itself, the faults on it, and what becomes of a connection.
    @Test(
        arguments: [
            (nil, [], .pass), (TLSSpec(), [], .terminate(TLSSpec())),
            (nil, [.certificate(.expired)], .terminate(TLSSpec(certificate: .expired))),
            (
                TLSSpec(minimum: .tls12), [.maximum(.tls10), .certificate(.valid)],
                .terminate(TLSSpec(minimum: .tls10, maximum: .tls10))
            ),
            (nil, [.certificate(.expired), .certificate(.untrusted)], .terminate(TLSSpec(certificate: .untrusted))),
            (TLSSpec(), [.handshake(.alert), .certificate(.expired)], .breakOff(.alert)),
        ] as [(TLSSpec?, [TLSAdmission], TLSTreatment)])
    func `what becomes of a handshake is decided once`(own: TLSSpec?, faults: [TLSAdmission], expected: TLSTreatment) {
        #expect(TLSTreatment.decide(own: own, faults) == expected)
    }
}
