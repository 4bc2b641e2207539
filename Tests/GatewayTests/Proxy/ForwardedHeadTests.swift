// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing
import Wire
import World

@testable import Gateway

@Suite struct ForwardedHeadTests {
    private let requestID: RequestID

    init() {
        var random = RandomStreams(seed: 1).stream("request ids")
        requestID = RequestID(&random)
    }

    private func request(_ text: String) throws -> RequestHead {
        let head = RequestHead()
        var buffer = ByteBuffer(string: text)
        try #require(head.read(from: &buffer, limits: WireLimits()) == .complete(text.utf8.count))
        return head
    }

    private func forward(
        _ text: String, uri: String = "/up", host: (name: String, port: Int?)? = ("api", 8080),
        prefix: ByteBuffer? = nil
    ) throws -> [String] {
        let client = ClientFacts(address: "127.0.0.9", scheme: "http", port: 8000)
        let forwarded = ForwardedRequest(
            try request(text), uri: ByteBuffer(string: uri), host: host, client: client, strippedPrefix: prefix,
            requestID: requestID)
        var out = ByteBuffer()
        out.append(atMost: forwarded.longest) { forwarded.write(to: &$0) }
        return String(buffer: out).split(separator: "\r\n").map(String.init)
    }

    @Test func `the upstream gets Kong's fields and the client's own, untouched`() throws {
        let lines = try forward(
            "GET /hello?a=1 HTTP/1.1\r\nHost: Example.org:8000\r\nAccept: */*\r\nX-Mixed-Case:  kept \r\n\r\n")
        #expect(lines.first == "GET /up HTTP/1.1")
        #expect(lines.contains("Host: api:8080"))
        #expect(lines.contains("Accept: */*"))
        #expect(lines.contains("X-Mixed-Case:  kept "))
        #expect(lines.contains("X-Forwarded-For: 127.0.0.9"))
        #expect(lines.contains("X-Forwarded-Proto: http"))
        #expect(lines.contains("X-Forwarded-Host: Example.org"))
        #expect(lines.contains("X-Forwarded-Port: 8000"))
        #expect(lines.contains("X-Forwarded-Path: /hello"))
        #expect(lines.contains("X-Real-IP: 127.0.0.9"))
        #expect(lines.contains("Via: 1.1 kong/3.10.0"))
        #expect(lines.contains("X-Kong-Request-Id: \(requestID.text)"))
        #expect(lines.contains("Connection: keep-alive"))
        #expect(!lines.contains { $0.hasPrefix("X-Forwarded-Prefix") })
    }

    static let dropped = [
        "Connection: x-own, close", "X-Own: named by Connection", "Keep-Alive: timeout=5", "Proxy-Connection: close",
        "Proxy: evil", "Upgrade: h2c", "Expect: 100-continue", "TE: gzip", "X-Real-IP: 1.2.3.4",
        "X-Forwarded-Proto: https",
    ]

    @Test(arguments: dropped)
    func `what belongs to the client's connection does not pass`(line: String) throws {
        let lines = try forward("GET / HTTP/1.1\r\nHost: a\r\nConnection: x-own, close\r\n\(line)\r\nLast: one\r\n\r\n")
        #expect(!lines.contains(line))
        #expect(lines.contains("Last: one"))
    }

    @Test func `lists are extended, credentials pass, TE trailers survives`() throws {
        let lines = try forward(
            "GET / HTTP/1.0\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\nVia: 1.0 old\r\nX-Forwarded-For: 10.0.0.2\r\n"
                + "Proxy-Authorization: Basic eA==\r\nTE: trailers\r\n\r\n")
        #expect(lines.contains("X-Forwarded-For: 10.0.0.1, 10.0.0.2, 127.0.0.9"))
        #expect(lines.contains("Via: 1.0 old, 1.0 kong/3.10.0"))
        #expect(lines.contains("Proxy-Authorization: Basic eA=="))
        #expect(lines.contains("TE: trailers"))
    }

    @Test func `the client's Host passes when it is preserved, and the stripped prefix is told`() throws {
        let lines = try forward(
            "GET /hello/x HTTP/1.1\r\nHost: example.org:81\r\n\r\n", host: nil, prefix: ByteBuffer(string: "/hello"))
        #expect(lines.contains("Host: example.org:81"))
        #expect(lines.contains("X-Forwarded-Prefix: /hello"))
    }

    @Test func `a response keeps the upstream's fields and says what Kong adds`() throws {
        let text =
            "HTTP/1.1 200 Fine\r\nServer: mock\r\nX-A: 1\r\nConnection: close\r\nContent-Length: 3\r\nVia: 1.1 x\r\n"
            + "X-Kong-Request-Id: theirs\r\nTrailer: T\r\nX-B: 2\r\n\r\n"
        let head = ResponseHead()
        var buffer = ByteBuffer(string: text)
        try #require(head.read(from: &buffer, answering: .get, limits: WireLimits()) == .complete(text.utf8.count))
        let forwarded = ForwardedResponse(
            head, keepsTrailer: false, latency: ProxyLatency(proxy: 1, upstream: 7), requestID: requestID)
        var out = ByteBuffer()
        out.append(atMost: forwarded.longest) { forwarded.write(to: &$0) { "now" } }
        let lines = String(buffer: out).split(separator: "\r\n").map(String.init)
        #expect(
            lines == [
                "HTTP/1.1 200 Fine", "Server: mock", "X-A: 1", "X-B: 2", "Date: now", "Via: 1.1 x, 1.1 kong/3.10.0",
                "X-Kong-Upstream-Latency: 7", "X-Kong-Proxy-Latency: 1", "X-Kong-Request-Id: \(requestID.text)",
            ])
    }

    @Test func `a request id is 32 digits, leading zeros included`() {
        #expect(requestID.text.count == 32)
        #expect(requestID.text.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        var out = ByteBuffer()
        out.append(atMost: 32) { $0.write(requestID) }
        #expect(String(buffer: out) == requestID.text)
    }

    @Test(arguments: [0, 7, 9, 10, 99, 100, 1_234_567, -1, -10, .max, .min])
    func `numbers are written with all their digits`(number: Int) {
        var out = ByteBuffer()
        out.append(atMost: 20) { $0.writeDecimal(number) }
        #expect(String(buffer: out) == "\(number)")
    }

    @Test func `the longest request is no longer than what was set aside`() throws {
        let host = String(repeating: "h", count: 60)
        let text =
            "GET /\(String(repeating: "p", count: 500)) HTTP/1.0\r\nHost: \(host):65535\r\nVia: 1.1 a\r\n"
            + "X-Forwarded-For: 1.1.1.1\r\nTE: trailers\r\nVia: 1.1 b\r\n\r\n"
        let forwarded = ForwardedRequest(
            try request(text), uri: ByteBuffer(string: "/" + String(repeating: "u", count: 600)), host: nil,
            client: ClientFacts(address: String(repeating: "f", count: 45), scheme: "https", port: 65_535),
            strippedPrefix: ByteBuffer(string: String(repeating: "s", count: 300)), requestID: requestID)
        var out = ByteBuffer()
        out.append(atMost: forwarded.longest) { forwarded.write(to: &$0) }
        #expect(out.readableBytes > 600 + 300 + 500)
    }
}
