// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document
import MockAPI
import NIOCore
import NIOSSL
import OpenSSL
import Synchronization
import Testing
import World

/// The mock API over TLS, asked by BoringSSL, as the gateway does.
@Suite(.timeLimit(.minutes(1))) struct MockTLSTests {
    /// What became of one request over TLS: the answer's first line, or the error.
    private static func ask(
        _ options: MockTLSOptions, trust: Bool = true, maximum: NIOSSL.TLSVersion? = nil
    ) async throws -> String {
        let world = World.real(seed: 1)
        let authority = Mutex("")
        var options = options
        options.authorityPath = "ca.pem"
        let context = try options.context(
            now: world.wallClock.secondsSinceEpoch, read: { path throws(Problems) in path },
            write: { text, _ throws(Problems) in authority.withLock { $0 = text } })
        let server = try await MockServer.start(world: world, address: .loopback(port: 0), tls: context).get()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.maximumTLSVersion = maximum
        // Nobody waits for the other's farewell here.
        configuration.shutdownTimeout = .milliseconds(10)
        let pem = authority.withLock { $0 }
        if trust, !pem.isEmpty {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
        } else {
            configuration.certificateVerification = .none
        }
        let client = try NIOSSLContext(configuration: configuration)
        let loop = world.loops.next()
        let answer = loop.makePromise(of: String.self)
        let channel = try await world.network.connect(to: server.localAddress, on: loop, timeout: .seconds(5)) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(NIOSSLClientHandler(context: client, serverHostname: "localhost"))
                try pipeline.addHandler(Answer(answer))
            }
        }.get()
        channel.writeAndFlush(ByteBuffer(string: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), promise: nil)
        let text = try await answer.futureResult.get()
        try? await channel.close().get()
        try await server.stop(grace: .zero).get()
        try await world.loops.shutdownGracefully()
        return text
    }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<String>
        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            promise.succeed(String(String(buffer: unwrapInboundIn(data)).prefix { !$0.isNewline }))
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.succeed("\(error)") }
        func channelInactive(context: ChannelHandlerContext) { promise.succeed("closed") }
    }

    @Test func `a good certificate is made, trusted, and requests are answered`() async throws {
        #expect(try await Self.ask(MockTLSOptions()) == "HTTP/1.1 200 OK")
        #expect(try await Self.ask(MockTLSOptions(), maximum: .tlsv12) == "HTTP/1.1 200 OK")
    }

    /// Every bad kind, and BoringSSL's word for it.
    @Test(arguments: [
        (CertificateKind.expired, "CERTIFICATE_VERIFY_FAILED"), (.notYet, "CERTIFICATE_VERIFY_FAILED"),
        (.untrusted, "CERTIFICATE_VERIFY_FAILED"), (.selfSigned, "CERTIFICATE_VERIFY_FAILED"),
        (.wrongHost, "ostname"),
    ])
    func `a bad certificate is refused by who verifies, and by nobody else`(
        kind: CertificateKind, words: String
    ) async throws {
        var options = MockTLSOptions()
        options.kind = kind
        let refused = try await Self.ask(options)
        #expect(refused.contains(words), "\(refused)")
        #expect(try await Self.ask(options, trust: false) == "HTTP/1.1 200 OK")
    }

    @Test func `a certificate of one's own is served, and versions are limited`() async throws {
        let authority = try CertificateAuthority.makeRoot(validity: .current(1_700_000_000))
        let issued = try CertificateKind.valid.issue(for: ["localhost"], by: authority, now: 1_700_000_000)
        var options = MockTLSOptions()
        // The files are read by their texts here.
        options.certificatePath = issued.chain
        options.keyPath = issued.key
        options.minimum = .tls13
        #expect(try await Self.ask(options, trust: false) == "HTTP/1.1 200 OK")
        #expect(try await Self.ask(options, trust: false, maximum: .tlsv12).contains("PROTOCOL_VERSION"))
    }

    // MARK: Settings

    private func options(
        _ flags: [String: String] = [:], _ environment: [String: String] = [:]
    ) throws -> MockTLSOptions? {
        try MockCommandOptions(flags: flags, environment: environment).tls
    }

    @Test func `flags win over variables, and either switches TLS on`() throws {
        #expect(try options() == nil)
        #expect(try options([:], ["TLS": "off", "TLS_CERT_KIND": "expired"]) == nil)
        #expect(try options([:], ["TLS": "on"]) == MockTLSOptions())
        let both = try options(
            ["--tls-cert-kind": "wrong_host", "--tls-max-version": "1.2"],
            ["TLS_CERT_KIND": "expired", "TLS_NAMES": "a.internal,b.internal"])
        #expect(both?.kind == .wrongHost && both?.maximum == .tls12 && both?.names == ["a.internal", "b.internal"])
    }

    /// A mistake, and what a person reads.
    @Test(arguments: [
        (["TLS": "maybe"], "environment variable TLS: \"maybe\" is neither on nor off; give on or off"),
        (
            ["TLS_CERT": "a.pem"],
            "environment variable TLS_CERT: a certificate needs its key and a key its certificate; give --tls-key too"
        ),
        (
            ["TLS_CERT_KIND": "stale"],
            "environment variable TLS_CERT_KIND: \"stale\" is no kind of certificate; "
                + "give one of valid, expired, not_yet, wrong_host, untrusted, self_signed"
        ),
        (
            ["TLS_MAX_VERSION": "1"],
            "environment variable TLS_MAX_VERSION: \"1\" is no version of TLS; give 1.0, 1.1, 1.2 or 1.3"
        ),
        (
            ["TLS_MIN_VERSION": "1.3", "TLS_MAX_VERSION": "1.2"], "TLS 1.3 at least and 1.2 at most leaves no version"
        ),
    ])
    func `a mistake is one clear line`(environment: [String: String], message: String) {
        let problems = #expect(throws: Problems.self) { try options([:], environment) }
        #expect(problems?.list.map(\.description) == [message])
    }
}
