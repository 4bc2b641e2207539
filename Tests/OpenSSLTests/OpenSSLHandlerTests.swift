// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS
import OpenSSL
import Testing

/// OpenSSL in a channel, against itself and against BoringSSL, over a wire of memory: every byte is carried by the
/// test.
@Suite struct OpenSSLHandlerTests {
    private static let now: Int64 = 1_767_225_600

    /// Made once: signing takes a millisecond, tests are many. Valid at every real date that a verifier may look at.
    private static let authority = Result {
        try CertificateAuthority.makeRoot(validity: CertificateValidity(notBefore: 0, notAfter: 4_000_000_000))
    }

    private static func issue(_ name: String = "api.test", notAfter: Int64 = 4_000_000_000) throws -> IssuedCertificate
    {
        try authority.get().issue(
            CertificateRequest(names: [name], validity: CertificateValidity(notBefore: 0, notAfter: notAfter)))
    }

    private static func settings(_ issued: IssuedCertificate) -> OpenSSLSettings {
        OpenSSLSettings(chain: issued.chain, key: issued.key)
    }

    /// What a side saw.
    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var bytes = ByteBuffer()
        var events: [String] = []
        var errors: [any Error] = []
        var readsCompleted = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes.writeImmutableBuffer(unwrapInboundIn(data))
        }
        func channelReadComplete(context: ChannelHandlerContext) { readsCompleted += 1 }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted(let name)? = event as? TLSUserEvent {
                events.append("handshake \(name ?? "-")")
            }
            if event as? ChannelEvent == .inputClosed { events.append("finished") }
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.append(error) }
    }

    private final class Side {
        let channel = EmbeddedChannel()
        let recorder = Recorder()

        init(_ handler: any ChannelHandler) throws {
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.pipeline.syncOperations.addHandler(recorder)
            try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        /// Everything it has sent so far.
        func sent() throws -> ByteBuffer? {
            channel.embeddedEventLoop.run()
            var all: ByteBuffer?
            while let part = try channel.readOutbound(as: ByteBuffer.self) {
                if all == nil { all = part } else { all?.writeImmutableBuffer(part) }
            }
            return all
        }

        func say(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
        var heard: String { String(buffer: recorder.bytes) }
    }

    /// Carries bytes until nobody has any; in pieces of `size`.
    private func carry(_ a: Side, _ b: Side, size: Int = .max) throws {
        for _ in 0..<1000 {
            var isQuiet = true
            for (from, to) in [(a, b), (b, a)] {
                guard var bytes = try from.sent() else { continue }
                isQuiet = false
                while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)), piece.readableBytes > 0 {
                    guard to.channel.isActive else { break }
                    // Errors are the recorder's.
                    to.channel.pipeline.fireChannelRead(piece)
                    to.channel.pipeline.fireChannelReadComplete()
                }
            }
            if isQuiet { return }
        }
        Issue.record("the two never fall silent")
    }

    private func server(_ settings: OpenSSLSettings) throws -> Side {
        try Side(OpenSSLHandler(OpenSSLContext(.server, settings)))
    }

    private func client(
        trust: String? = nil, name: String? = "api.test", maximum: OpenSSL.TLSVersion? = nil, protocols: [String] = []
    ) throws -> Side {
        var settings = OpenSSLSettings()
        settings.trust = trust
        settings.maximum = maximum
        settings.protocols = protocols
        return try Side(OpenSSLHandler(OpenSSLContext(.client, settings), serverName: name))
    }

    private func boring(
        trust: String? = nil, name: String? = "api.test", maximum: NIOSSL.TLSVersion? = nil
    ) throws -> Side {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = trust == nil ? .none : .fullVerification
        if let trust {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(trust.utf8)))
        }
        // As nginx and browsers have it; NIOSSL by itself would take 1.0.
        configuration.minimumTLSVersion = .tlsv12
        configuration.maximumTLSVersion = maximum
        return try Side(NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: name))
    }

    // MARK: Bytes

    /// Whether the client is BoringSSL, the newest version it speaks, and the size of the pieces in which bytes arrive.
    @Test(arguments: [
        (true, true, Int.max), (true, true, 1), (true, false, 7), (false, true, 1), (false, false, Int.max),
    ])
    func `bytes cross in both directions, however they are cut`(isBoring: Bool, isNew: Bool, size: Int) throws {
        let server = try server(Self.settings(Self.issue()))
        let client =
            isBoring ? try boring(maximum: isNew ? nil : .tlsv12) : try client(maximum: isNew ? nil : .tls12)
        client.say("hello")
        try carry(client, server, size: size)
        server.say("good ")
        server.say("day")
        try carry(client, server, size: size)
        #expect(server.heard == "hello" && client.heard == "good day")
        #expect(server.recorder.events == ["handshake -"] && server.recorder.errors.isEmpty)
    }

    @Test func `a megabyte arrives as it was sent`() throws {
        let server = try server(Self.settings(Self.issue()))
        let client = try boring()
        let bytes = ByteBuffer(bytes: (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
        server.channel.writeAndFlush(bytes, promise: nil)
        try carry(client, server, size: 16_000)
        #expect(client.recorder.bytes == bytes)
    }

    @Test func `protocols are agreed on, and none in common is no failure`() throws {
        var settings = Self.settings(try Self.issue())
        settings.protocols = ["h2", "http/1.1"]
        for (offered, agreed) in [(["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["x"], "-")] {
            let server = try server(settings)
            let client = try client(protocols: offered)
            try carry(client, server)
            #expect(server.recorder.events == ["handshake \(agreed)"])
            #expect(client.recorder.events == ["handshake \(agreed)"])
        }
    }

    // MARK: Certificates

    @Test func `a good certificate is trusted by both libraries`() throws {
        let trust = try Self.authority.get().certificate
        for isBoring in [true, false] {
            let server = try server(Self.settings(Self.issue()))
            let client = isBoring ? try boring(trust: trust) : try client(trust: trust)
            client.say("x")
            try carry(client, server)
            #expect(server.heard == "x" && client.recorder.errors.isEmpty)
        }
    }

    @Test func `a bad certificate is refused, and the server learns of it`() throws {
        let trust = try Self.authority.get().certificate
        let other = try CertificateAuthority.makeRoot(
            validity: CertificateValidity(notBefore: 0, notAfter: 4_000_000_000))
        let request = CertificateRequest(
            names: ["api.test"], validity: CertificateValidity(notBefore: 0, notAfter: 4_000_000_000))
        let bad = [
            try Self.issue("other.test"), try Self.issue(notAfter: 1_000_000), try other.issue(request),
            try CertificateAuthority.selfSigned(request),
        ]
        for (place, issued) in bad.enumerated() {
            for isBoring in [true, false] {
                let server = try server(Self.settings(issued))
                let client = isBoring ? try boring(trust: trust) : try client(trust: trust)
                client.say("secret")
                try carry(client, server)
                #expect(server.heard == "" && !client.recorder.errors.isEmpty && !client.channel.isActive)
                // NIOSSL compares names after the handshake, and goes without a word.
                if isBoring, place == 0 { continue }
                let error = try #require(server.recorder.errors.first as? OpenSSLError)
                switch error.code {
                case .handshake(alert: .some), .broken(alert: .some): break
                default: Issue.record("\(error)")
                }
            }
        }
    }

    @Test func `what cannot be used is told when it is set up`() throws {
        let (one, two) = (try Self.issue(), try Self.issue())
        for (chain, key, words) in [
            ("", one.key, "not PEM"), (one.chain, "", "not PEM"), (one.chain, two.key, "key"),
        ] {
            let error = #expect(throws: OpenSSLError.self) {
                try OpenSSLContext(.server, OpenSSLSettings(chain: chain, key: key))
            }
            #expect(error?.description.contains(words) == true)
        }
    }

    // MARK: Versions

    @Test func `a limit of versions is kept`() throws {
        var settings = Self.settings(try Self.issue())
        settings.maximum = .tls11
        let old = try server(settings)
        let client = try boring()
        try carry(client, old)
        #expect(!client.recorder.errors.isEmpty && old.recorder.errors.count == 1)
        settings.minimum = .tls13
        settings.maximum = nil
        let new = try server(settings)
        let late = try self.client(maximum: .tls12)
        try carry(late, new)
        // 70: protocol_version (RFC 8446 section 6.2).
        #expect((late.recorder.errors.first as? OpenSSLError)?.code == .handshake(alert: 70))
    }

    // MARK: Ends

    @Test func `an end in order is an end, one without a word is an error`() throws {
        let server = try server(Self.settings(Self.issue()))
        let client = try client()
        try carry(client, server)
        client.say("last words")
        // A channel of memory has no half-closing: it closes, and what it said is still there.
        client.channel.close(mode: .output, promise: nil)
        try carry(client, server)
        #expect(server.heard == "last words" && server.recorder.events == ["handshake -", "finished"])
        #expect(server.recorder.errors.isEmpty)

        let cut = try self.server(Self.settings(Self.issue()))
        let other = try self.client()
        try carry(other, cut)
        cut.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect((cut.recorder.errors.first as? OpenSSLError)?.code == .truncated)
        #expect(cut.recorder.events.last == "finished")
    }

    @Test func `what was written before a failure fails, whatever the failure`() throws {
        let client = try client()
        let promise = client.channel.eventLoop.makePromise(of: Void.self)
        client.channel.writeAndFlush(ByteBuffer(string: "never"), promise: promise)
        client.channel.pipeline.fireChannelRead(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
        client.channel.embeddedEventLoop.run()
        #expect(throws: OpenSSLError.self) { try promise.futureResult.wait() }
        #expect(!client.channel.isActive && client.recorder.errors.count == 1)
    }

    @Test func `a closed connection takes no more`() throws {
        let server = try server(Self.settings(Self.issue()))
        let client = try client()
        try carry(client, server)
        client.channel.close(promise: nil)
        try carry(client, server)
        #expect(server.recorder.events.last == "finished" && server.recorder.errors.isEmpty)
        #expect(throws: (any Error).self) { try client.channel.writeAndFlush(ByteBuffer(string: "x")).wait() }
    }

    /// A reader that asks once is answered once: reads that bring but a piece of a record are repeated.
    @Test func `a read that brings nothing plain is repeated`() throws {
        final class Reads: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            var count = 0
            func read(context: ChannelHandlerContext) { count += 1 }
        }
        let reads = Reads()
        let server = try server(Self.settings(Self.issue()))
        try server.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        let client = try client()
        try carry(client, server)
        client.say("hello")
        let bytes = try #require(try client.sent())
        server.channel.read()
        let before = (reads.count, server.recorder.readsCompleted)
        server.channel.pipeline.fireChannelRead(try #require(bytes.getSlice(at: 0, length: 5)))
        server.channel.pipeline.fireChannelReadComplete()
        #expect(reads.count == before.0 + 1 && server.recorder.readsCompleted == before.1)
        server.channel.pipeline.fireChannelRead(
            try #require(bytes.getSlice(at: 5, length: bytes.readableBytes - 5)))
        server.channel.pipeline.fireChannelReadComplete()
        #expect(reads.count == before.0 + 1 && server.recorder.readsCompleted == before.1 + 1)
        #expect(server.heard == "hello")
    }
}
