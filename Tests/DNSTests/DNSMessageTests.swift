// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore
import Testing
import World

@Suite struct DNSMessageTests {
    private static let name = DomainName("api.internal")!

    private static var rich: DNSMessage {
        var message = DNSMessage(answering: DNSMessage(id: 0x1234, asking: DNSQuestion(name, .srv)))
        message.answers = [
            DNSRecord(name, ttl: 30, .srv(priority: 1, weight: 5, port: 8080, target: DomainName("one.api.internal")!)),
            DNSRecord(name, ttl: 31, .cname(DomainName("alias.internal")!)),
        ]
        message.authorities = [DNSRecord(DomainName("internal")!, ttl: 5, .other(RecordType(rawValue: 2), [0]))]
        message.additionals = [
            DNSRecord(DomainName("one.api.internal")!, ttl: 7, .a([127, 0, 0, 5])),
            DNSRecord(DomainName("one.api.internal")!, ttl: 8, .aaaa([UInt8](repeating: 0, count: 15) + [1])),
        ]
        return message
    }

    /// What `dig` and a BIND server said to each other about www.example.com, byte by byte.
    private static let recorded: [UInt8] = [
        0xdb, 0x42, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 3, 0x77, 0x77, 0x77, 7, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c,
        0x65, 3, 0x63, 0x6f, 0x6d, 0, 0, 1, 0, 1, 0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 2, 0x58, 0, 4, 0x9b, 0x21, 0x11, 0x44,
    ]

    @Test func `a recorded answer is read`() throws {
        let message = try DNSMessage(parsing: Self.recorded)
        let www = try #require(DomainName("WWW.example.com."))
        #expect(message.id == 0xdb42 && message.isResponse && message.recursionAvailable && message.code == .noError)
        #expect(message.questions == [DNSQuestion(www, .a)])
        #expect(message.answers == [DNSRecord(www, ttl: 600, .a([155, 33, 17, 68]))])
        #expect(message.answers[0].address(port: 80)?.ipAddress == "155.33.17.68")
        // The same flags and the same compression: the same bytes.
        #expect(message.encoded() == Self.recorded)
    }

    @Test func `what is written is read`() throws {
        #expect(try DNSMessage(parsing: Self.rich.encoded()) == Self.rich)
    }

    @Test func `an answer that is too long is cut to its question and says so`() throws {
        let cut = try DNSMessage(parsing: Self.rich.encoded(limit: 60))
        #expect(cut.isTruncated && cut.answers.isEmpty && cut.questions == Self.rich.questions)
        #expect(Self.rich.encoded(limit: 60).count <= 60)
    }

    @Test func `no part of a message is taken for a whole one`() {
        let bytes = Self.rich.encoded()
        for length in 0..<bytes.count {
            #expect(throws: DNSFormatError.self) { try DNSMessage(parsing: Array(bytes[..<length])) }
        }
        #expect(throws: DNSFormatError.self) { try DNSMessage(parsing: bytes + [0]) }
    }

    /// One question behind the head, and what is wrong with its name.
    @Test(
        arguments: [
            ([0xc0, 0x0c], "points forward"),
            ([0xc0, 0x20], "points forward"),
            ([1, 0x61, 0xc0, 0x0c], "points forward"),
            ([0x40, 0], "unknown type"),
            ([0x80, 0], "unknown type"),
            ([63, 0x61], "past the end"),
            ([0xc0], "past the end"),
            ([1, 0x61], "past the end"),
        ] as [([UInt8], String)])
    func `a name that leads astray is refused`(name: [UInt8], reason: String) {
        let head: [UInt8] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let error = #expect(throws: DNSFormatError.self) { try DNSMessage(parsing: head + name) }
        #expect(error?.reason.contains(reason) == true)
    }

    @Test func `a name longer than 255 bytes is refused, written or read`() {
        let label = String(repeating: "a", count: 63)
        #expect(DomainName([label, label, label, String(label.dropLast(2))].joined(separator: ".")) != nil)
        #expect(DomainName([label, label, label, String(label.dropLast(1))].joined(separator: ".")) == nil)
        let head: [UInt8] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let long = (0..<5).flatMap { _ in [UInt8(63)] + [UInt8](repeating: 0x61, count: 63) }
        #expect(throws: DNSFormatError.self) { try DNSMessage(parsing: head + long + [0, 0, 1, 0, 1]) }
    }

    @Test(arguments: ["", ".", "a..b", ".a", "a b", "a\u{1}", String(repeating: "a", count: 64)])
    func `what is no name is none`(text: String) { #expect(DomainName(text) == nil) }

    @Test func `damaged and random messages never trap, and what is read can be written again`() throws {
        var random = RandomStreams(seed: 7).stream("dns fuzz")
        let specimens = [Self.recorded, Self.rich.encoded()]
        var readable = 0
        for round in 0..<60_000 {
            var bytes = specimens[round % 2]
            if round % 5 == 0 { bytes = (0..<Int(random.below(80))).map { _ in UInt8(random.below(256)) } }
            for _ in 0...random.below(3) where !bytes.isEmpty {
                bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(random.below(256))
            }
            if random.chance(0.2) { bytes = Array(bytes.prefix(Int(random.below(UInt64(bytes.count + 1))))) }
            guard let message = try? DNSMessage(parsing: bytes) else { continue }
            readable += 1
            #expect(try DNSMessage(parsing: message.encoded()) == message)
        }
        #expect(readable > 5_000)
    }
}
