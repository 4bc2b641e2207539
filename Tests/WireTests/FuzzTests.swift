// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing
import World

@testable import Wire

/// Messages with random damage: no trap, no hang, and whatever a client sends, each of our responses is one well-formed
/// message by the stock decoder's reading. A failing round is named by its number, and repeats by itself.
@Suite struct FuzzTests {
    private static let seed: UInt64 = 0x6a7e_c4a5
    /// Enough on each side to make 100,000; several messages share a connection's life as they would.
    private static let rounds = 50_000

    @Test(arguments: 0..<8)
    func `damaged requests are answered or refused, never worse`(part: Int) throws {
        let specimens = Specimen.requests.map { Array($0.bytes.utf8) }
        for round in stride(from: part, to: Self.rounds, by: 8) {
            var random = RandomStream(seed: Self.seed, name: "request \(round)")
            let bytes = Self.damaged(specimens, &random)
            let server = try ServerHarness { Self.answerVariously($0, &random) }
            Self.deliver(bytes, to: server, &random)
            server.recorder.onBody = { _, _ in }
            server.connection.resumeReading()
            server.pump()
            if random.chance(0.5) { server.endInput() }
            let asked = server.recorder.requests.map { $0.start.hasPrefix("HEAD ") }
            // A refused head was no request for the recorder, but for the client it may have been HEAD.
            let output = server.socket.output
            guard
                try Self.areWellFormed(output, answering: asked + [false])
                    || Self.areWellFormed(output, answering: asked + [true])
            else {
                Issue.record("round \(round): \(String(decoding: bytes, as: UTF8.self)) made us say \(server.output)")
                return
            }
            let answers = server.recorder.requests.count + server.recorder.refusals.count
            #expect(server.statuses.filter { $0 >= 200 }.count <= answers, "round \(round)")
            if !server.recorder.refusals.isEmpty {
                #expect(server.recorder.refusals.count == 1, "round \(round)")
                #expect(server.hasEnded, "round \(round)")
            }
            // Whatever waits, it does not wait for ever.
            server.advance(.minutes(10))
            #expect(server.isClosed, "round \(round)")
            #expect(server.recorder.log.filter { $0 == "closed" }.count == 1, "round \(round)")
        }
    }

    @Test(arguments: 0..<8)
    func `damaged responses end or fail, once`(part: Int) throws {
        let specimens = Specimen.responses.map { Array($0.bytes.utf8) }
        for round in stride(from: part, to: Self.rounds, by: 8) {
            var random = RandomStream(seed: Self.seed, name: "response \(round)")
            let bytes = Self.damaged(specimens, &random)
            let client = try ClientHarness()
            client.request(random.chance(0.2) ? "HEAD" : "GET")
            Self.deliver(bytes, to: client, &random)
            if random.chance(0.5) { client.endInput() }
            client.advance(.minutes(10))
            #expect(client.recorder.log.count == 1, "round \(round): \(client.recorder.log)")
            if client.recorder.wasReusable != true { #expect(client.isClosed, "round \(round)") }
        }
    }

    /// One to three messages with up to six changes: bytes replaced, removed, doubled, put in, cut off.
    private static func damaged(_ specimens: [[UInt8]], _ random: inout RandomStream) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0...random.below(3) { bytes += specimens[Int(random.below(UInt64(specimens.count)))] }
        for _ in 0..<random.below(7) where !bytes.isEmpty {
            let place = Int(random.below(UInt64(bytes.count)))
            switch random.below(6) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(Self.trouble[Int(random.below(UInt64(trouble.count)))], at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.below(20))))
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + Int(random.below(40)))], at: place)
            default: bytes[place] = Self.trouble[Int(random.below(UInt64(trouble.count)))]
            }
        }
        return bytes
    }

    private static let trouble = Array("\r\n\r\n \t\0:;,0123456789abcfF/%?#[]\u{7f}".utf8)

    private static func deliver(_ bytes: [UInt8], to harness: ConnectionHarness, _ random: inout RandomStream) {
        var rest = ByteBuffer(bytes: bytes)
        while rest.readableBytes > 0 {
            let size = 1 + Int(random.below(UInt64(rest.readableBytes)))
            harness.receive(rest.readSlice(length: size) ?? ByteBuffer())
        }
    }

    /// Answers at the head, at the end or not at all; whole, in chunks, or until the connection closes.
    private static func answerVariously(_ recorder: ServerRecorder, _ random: inout RandomStream) {
        let framings: [BodyFraming] = [.none, .length(2), .chunked, .untilClose]
        let framing = framings[Int(random.below(4))]
        let status = [200, 204, 304, 500][Int(random.below(4))]
        func answer(_ connection: ServerConnection) {
            connection.send(HeadWriter(status: status), framing: framing)
            connection.send(body: ByteBuffer(string: "ok"))
            connection.sendEnd()
        }
        let place = random.below(4)
        recorder.onEnd = answer
        if place == 0 { recorder.onHead = { _, connection in answer(connection) } }
        if place == 1 { recorder.onBody = { _, connection in connection.pauseReading() } }
    }

    /// The stock decoder reads the bytes as whole responses to requests of these methods, but for interim ones.
    private static func areWellFormed(_ bytes: ByteBuffer, answering areHead: [Bool]) throws -> Bool {
        let channel = EmbeddedChannel()
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop))
        try channel.pipeline.syncOperations.addHandlers([HTTPRequestEncoder(), decoder])
        for isHead in areHead {
            channel.write(
                HTTPClientRequestPart.head(HTTPRequestHead(version: .http1_1, method: isHead ? .HEAD : .GET, uri: "/")),
                promise: nil)
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        }
        do {
            if bytes.readableBytes > 0 { try channel.writeInbound(bytes) }
            channel.pipeline.fireChannelInactive()
            try channel.throwIfErrorCaught()
            return try Outcome.responses(from: channel).allSatisfy(\.isComplete)
        } catch {
            return false
        }
    }
}
