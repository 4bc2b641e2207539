// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore
import Testing
import World

/// The rule that makes addresses of replies, and the times that replies are kept, without any socket or clock.
@Suite struct DNSLookupTests {
    private static func name(_ text: String) -> DomainName { DomainName(text)! }
    private static func a(_ name: String, _ ttl: UInt32, _ last: UInt8) -> DNSRecord {
        DNSRecord(Self.name(name), ttl: ttl, .a([127, 0, 0, last]))
    }
    private static func alias(_ name: String, _ ttl: UInt32, _ target: String) -> DNSRecord {
        DNSRecord(Self.name(name), ttl: ttl, .cname(Self.name(target)))
    }
    private static func service(_ priority: UInt16, _ weight: UInt16, _ port: UInt16, _ target: String) -> DNSRecord {
        DNSRecord(Self.name("x"), ttl: 9, .srv(priority: priority, weight: weight, port: port, target: name(target)))
    }

    /// Evaluates until it ends, with what a server would say; what is not in the table is empty.
    private func run(
        _ replies: [String: DNSReply], order: [RecordType] = [.srv, .a, .cname], last: RecordType? = nil
    ) -> (progress: DNSLookup.Progress, asked: [String]) {
        let lookup = DNSLookup(Self.name("x"), port: 80, order: order, last: last)
        var known: [DNSQuestion: DNSReply] = [:]
        var asked: [String] = []
        while asked.count < 50 {
            let progress = lookup.evaluate { known[$0] }
            guard case .ask(let question) = progress else { return (progress, asked) }
            asked.append(question.description)
            known[question] = replies[question.description] ?? .records(answers: [], additionals: [])
        }
        return (.failed(NameFailure(.unusable, "asked too often")), asked)
    }

    private func texts(_ progress: DNSLookup.Progress) -> [String] {
        switch progress {
        case .ask(let question): ["asks \(question)"]
        case .failed(let failure): ["\(failure)"]
        case .found(let answer):
            ["\(answer.type) \((answer.lifetime?.nanoseconds ?? 0) / 1_000_000_000)s"]
                + answer.addresses.map { $0.address.text + ($0.weight.map { " w\($0)" } ?? "") }
        }
    }

    @Test func `every A record is an address, and the shortest time counts`() {
        let (progress, asked) = run([
            "x A": .records(answers: [Self.a("x", 30, 2), Self.a("x", 20, 3), Self.a("x", 20, 2)], additionals: [])
        ])
        #expect(texts(progress) == ["A 20s", "127.0.0.2:80", "127.0.0.3:80"])
        #expect(asked == ["x SRV", "x A"])
    }

    @Test func `the type that led somewhere last comes first`() {
        let (progress, asked) = run(["x A": .records(answers: [Self.a("x", 30, 2)], additionals: [])], last: .a)
        #expect(texts(progress) == ["A 30s", "127.0.0.2:80"])
        #expect(asked == ["x A"])
    }

    @Test func `SRV gives port and weight, of the best priority alone`() {
        let (progress, asked) = run([
            "x SRV": .records(
                answers: [
                    Self.service(1, 5, 81, "one"), Self.service(1, 0, 0, "two"), Self.service(2, 9, 9, "three"),
                ], additionals: [Self.a("one", 4, 1)]),
            "two A": .records(answers: [Self.a("two", 3, 2)], additionals: []),
        ])
        #expect(texts(progress) == ["SRV 3s", "127.0.0.1:81 w5", "127.0.0.2:80 w0"])
        #expect(asked == ["x SRV", "two A"])
    }

    @Test func `aliases are followed, within an answer and beyond it`() {
        let within = run(
            ["x A": .records(answers: [Self.alias("x", 5, "y"), Self.a("y", 30, 4)], additionals: [])], order: [.a])
        #expect(texts(within.progress) == ["A 5s", "127.0.0.4:80"])
        let beyond = run(
            [
                "x A": .records(answers: [Self.alias("x", 50, "y")], additionals: []),
                "y A": .records(answers: [Self.a("y", 30, 4)], additionals: []),
            ], order: [.a])
        #expect(texts(beyond.progress) == ["A 30s", "127.0.0.4:80"])
        #expect(beyond.asked == ["x A", "y A"])
    }

    @Test func `a circle of aliases ends`() {
        let (progress, asked) = run(
            [
                "x CNAME": .records(answers: [Self.alias("x", 5, "y")], additionals: []),
                "y CNAME": .records(answers: [Self.alias("y", 5, "x")], additionals: []),
            ], order: [.cname])
        #expect(texts(progress) == ["dns client error: x leads in a circle"])
        #expect(asked.count == 2)
    }

    /// A reply to A, and how the failure reads.
    @Test(arguments: [
        (DNSReply.code(.nameError), "dns server error: 3 name error"),
        (.code(.serverFailure), "dns server error: 2 server failure"),
        (.code(.refused), "dns server error: 5 refused"),
        (.records(answers: [], additionals: []), "dns client error: 101 empty record received"),
        (.noAnswer("nobody there"), "nobody there"),
    ])
    func `a failure says what the server said`(reply: DNSReply, words: String) {
        #expect(texts(run(["x A": reply], order: [.a]).progress) == [words])
    }

    @Test func `AAAA is asked for where the order says so`() {
        let record = DNSRecord(Self.name("x"), ttl: 1, .aaaa([UInt8](repeating: 0, count: 15) + [1]))
        let (progress, _) = run(["x AAAA": .records(answers: [record], additionals: [])], order: [.a, .aaaa])
        #expect(texts(progress) == ["AAAA 1s", "[::1]:80"])
    }

    // MARK: The cache

    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// A reply, and for how many seconds it is kept.
    @Test(
        arguments: [
            (
                DNSReply.records(
                    answers: [DNSLookupTests.a("x", 12, 1), DNSLookupTests.a("x", 10, 2)], additionals: []), 10
            ),
            (.records(answers: [], additionals: []), 30),
            (.code(.nameError), 30),
            (.code(.serverFailure), 1),
            (.noAnswer("no"), 1),
        ] as [(DNSReply, Int64)])
    func `a reply is kept as long as kong.conf says`(reply: DNSReply, seconds: Int64) {
        var cache = DNSCache(DNSSettings())
        let question = DNSQuestion(Self.name("x"), .a)
        #expect(cache.insert(reply, to: question, now: Self.start) == reply)
        #expect(cache.reply(to: question, now: Self.start + .seconds(seconds) - .nanoseconds(1)) != nil)
        #expect(cache.reply(to: question, now: Self.start + .seconds(seconds)) == nil)
    }

    @Test func `a kept reply grows old, and dns_valid_ttl replaces what it carries`() {
        let question = DNSQuestion(Self.name("x"), .a)
        let reply = DNSReply.records(answers: [Self.a("x", 12, 1)], additionals: [])
        var cache = DNSCache(DNSSettings())
        _ = cache.insert(reply, to: question, now: Self.start)
        #expect(
            cache.reply(to: question, now: Self.start + .seconds(5))
                == .records(answers: [Self.a("x", 7, 1)], additionals: []))
        var settings = DNSSettings()
        settings.validTime = .seconds(3)
        cache = DNSCache(settings)
        #expect(
            cache.insert(reply, to: question, now: Self.start)
                == .records(answers: [Self.a("x", 3, 1)], additionals: []))
        #expect(cache.reply(to: question, now: Self.start + .seconds(3)) == nil)
    }

    // MARK: Settings

    @Test func `settings are Kong's, and every mistake is told`() {
        var mistakes: [String] = []
        let settings = DNSSettings(
            resolver: nil,
            environment: [
                "KONG_DNS_RESOLVER": "127.0.0.1:5353, [::1]:54,9.9.9.9", "KONG_DNS_ORDER": "LAST,A,AAAA",
                "KONG_DNS_STALE_TTL": "5", "KONG_DNS_NOT_FOUND_TTL": "0.5", "KONG_DNS_VALID_TTL": "7",
                "RES_OPTIONS": "timeout:1 attempts:2 edns0",
            ]
        ) { mistakes.append($0.what) }
        #expect(mistakes.isEmpty)
        #expect(settings.servers.map(\.text) == ["127.0.0.1:5353", "[::1]:54", "9.9.9.9:53"])
        #expect(settings.order == [.a, .aaaa] && settings.prefersLast)
        #expect(settings.staleTime == .seconds(5) && settings.notFoundTime == .milliseconds(500))
        #expect(settings.validTime == .seconds(7) && settings.errorTime == .seconds(1))
        #expect(settings.timeout == .seconds(1) && settings.attempts == 2)
        _ = DNSSettings(
            resolver: "here", environment: ["KONG_DNS_ORDER": "MX", "KONG_DNS_ERROR_TTL": "-1"]
        ) { mistakes.append($0.what) }
        #expect(
            mistakes == [
                "--dns-resolver here: here is no address", "KONG_DNS_ORDER=MX: MX is no record type",
                "KONG_DNS_ORDER=MX: no record type", "KONG_DNS_ERROR_TTL=-1: no number of seconds",
            ])
    }
}
