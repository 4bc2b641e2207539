// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore
import Synchronization
import Testing
import World

/// The client against a name server on loopback.
@Suite struct DNSClientTests {
    private let world = World.real(threads: 1, seed: 3)
    private var loop: any EventLoop { world.loops.next() }

    private static func answer(_ query: DNSMessage, _ records: [DNSRecord]) -> DNSMessage {
        var message = DNSMessage(answering: query)
        message.answers = records.filter { record in
            query.questions.contains { $0.name == record.name && $0.type == record.data.type }
        }
        return message
    }

    private static func records(_ count: Int, ttl: UInt32 = 60) -> [DNSRecord] {
        (1...count).map { DNSRecord(DomainName("x.test")!, ttl: ttl, .a([127, 0, 1, UInt8($0)])) }
    }

    private func resolver(
        _ servers: [SocketAddress], timeout: TimeAmount = .seconds(5), attempts: Int = 3
    ) throws -> @Sendable (String) throws -> [String] {
        var settings = DNSSettings()
        settings.servers = servers
        settings.timeout = timeout
        settings.attempts = attempts
        let (loop, world, fixed) = (loop, world, settings)
        let client = try loop.submit {
            NIOLoopBound(DNSClient(fixed, network: world.network, loop: loop, random: world.random), eventLoop: loop)
        }.wait()
        return { name in
            try loop.flatSubmit { client.value.resolve(name, port: 8080) }.wait().addresses.map(\.address.text)
        }
    }

    @Test func `all addresses of a name are found, and asked for once`() throws {
        let server = try ScriptedServer.start(world) { query, _, _ in
            [Self.answer(query, Self.records(2)).encoded()]
        }
        defer { server.stop() }
        let resolve = try resolver([server.address])
        #expect(try resolve("x.test") == ["127.0.1.1:8080", "127.0.1.2:8080"])
        #expect(try resolve("X.Test.") == ["127.0.1.1:8080", "127.0.1.2:8080"])
        #expect(server.questions == ["udp x.test SRV", "udp x.test A"])
    }

    @Test func `a lost datagram is asked for again, at the next server`() throws {
        let silent = try ScriptedServer.start(world) { _, _, _ in [] }
        let server = try ScriptedServer.start(world) { query, _, _ in [Self.answer(query, Self.records(1)).encoded()] }
        defer {
            silent.stop()
            server.stop()
        }
        let resolve = try resolver([silent.address, server.address], timeout: .milliseconds(50))
        #expect(try resolve("x.test") == ["127.0.1.1:8080"])
        #expect(silent.questions.isEmpty == false && server.questions.count == 2)
    }

    @Test func `silence ends in a failure that names the server`() throws {
        let silent = try ScriptedServer.start(world) { _, _, _ in [] }
        defer { silent.stop() }
        let resolve = try resolver([silent.address], timeout: .milliseconds(20), attempts: 2)
        let failure = #expect(throws: NameFailure.self) { try resolve("x.test") }
        #expect(failure?.kind == .noAnswer)
        #expect(failure?.description == "dns client error: no answer from \(silent.address.text): timed out")
        #expect(silent.questions == ["udp x.test SRV", "udp x.test SRV"])
    }

    @Test func `an answer that does not fit comes over TCP`() throws {
        let server = try ScriptedServer.start(world) { query, isStream, _ in
            [Self.answer(query, Self.records(60)).encoded(limit: isStream ? 65_535 : query.datagramLimit)]
        }
        defer { server.stop() }
        let resolve = try resolver([server.address])
        #expect(try resolve("x.test").count == 60)
        #expect(server.questions == ["udp x.test SRV", "udp x.test A", "tcp x.test A"])
    }

    @Test func `forged and damaged answers are passed over`() throws {
        let server = try ScriptedServer.start(world) { query, _, _ in
            var forged = Self.answer(query, [])
            forged.answers = [DNSRecord(DomainName("x.test")!, ttl: 60, .a([6, 6, 6, 6]))]
            var wrongID = forged
            wrongID.id &+= 1
            var wrongQuestion = forged
            wrongQuestion.questions[0].name = DomainName("y.test")!
            var noAnswer = forged
            noAnswer.isResponse = false
            let good = Self.answer(query, Self.records(1)).encoded()
            return [wrongID.encoded(), wrongQuestion.encoded(), noAnswer.encoded(), Array(good.dropLast()), good]
        }
        defer { server.stop() }
        #expect(try resolver([server.address])("x.test") == ["127.0.1.1:8080"])
    }

    @Test func `copies of an earlier answer are no answer to a later question`() throws {
        let last = Mutex<[[UInt8]]>([])
        let server = try ScriptedServer.start(world) { query, _, number in
            // The second time the name is somewhere else. Every earlier answer comes again before, and each twice.
            let address = DNSRecord(DomainName("x.test")!, ttl: 0, .a([127, 0, 1, number < 3 ? 1 : 2]))
            let answer = Self.answer(query, [address]).encoded()
            return last.withLock { earlier in
                defer { earlier.append(answer) }
                return earlier + [answer, answer]
            }
        }
        defer { server.stop() }
        let resolve = try resolver([server.address])
        #expect(try resolve("x.test") == ["127.0.1.1:8080"])
        #expect(try resolve("x.test") == ["127.0.1.2:8080"])
        #expect(server.questions.filter { $0 == "udp x.test A" }.count == 2)
    }

    @Test func `localhost and literal nonsense never reach a server`() throws {
        let server = try ScriptedServer.start(world) { query, _, _ in [Self.answer(query, []).encoded()] }
        defer { server.stop() }
        let resolve = try resolver([server.address])
        #expect(try resolve("localhost") == ["127.0.0.1:8080"])
        #expect(throws: NameFailure.self) { try resolve("a..b") }
        #expect(server.questions.isEmpty)
    }
}
