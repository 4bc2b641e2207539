// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// Every limit: exactly as much passes, one more is refused with its status.
@Suite struct LimitTests {
    private static let limits = WireLimits()
    private static let line = WireLimits.defaultLineBytes

    private static func fill(_ count: Int) -> String { String(repeating: "x", count: count) }
    private static func head(_ fields: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

    /// A request line, a field line, a head, a field count, a chunk line and a trailer section of just so much.
    private static func requestLine(_ bytes: Int) -> String {
        "GET /\(fill(bytes - "GET / HTTP/1.1".utf8.count)) HTTP/1.1\r\nHost: a\r\n\r\n"
    }
    private static func fieldLine(_ bytes: Int) -> String { head("A: \(fill(bytes - 3))\r\n") }
    private static func wholeHead(_ bytes: Int) -> String {
        let full = String(repeating: "A: \(fill(line - 3))\r\n", count: 3)
        return head(full + "B: \(fill(bytes - head(full).utf8.count - 5))\r\n")
    }
    private static func fields(_ count: Int) -> String { head(String(repeating: "A: b\r\n", count: count - 1)) }
    private static let chunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static func chunkLine(_ bytes: Int) -> String {
        "\(chunkedHead)0;\(fill(bytes - 2))\r\n\r\n"
    }
    private static func trailerFields(_ count: Int) -> String {
        "\(chunkedHead)0\r\n\(String(repeating: "A: b\r\n", count: count))\r\n"
    }
    private static func trailerLine(_ bytes: Int) -> String { "\(chunkedHead)0\r\nA: \(fill(bytes - 3))\r\n\r\n" }
    private static func trailers(_ bytes: Int) -> String {
        let full = String(repeating: "A: \(fill(line - 3))\r\n", count: 3)
        return "\(chunkedHead)0\r\n\(full)B: \(fill(bytes - full.utf8.count - 7))\r\n\r\n"
    }

    struct Limit: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var exactly: Int
        var status: Int
        var error: WireError
        var request: @Sendable (Int) -> String
    }

    private static let all: [Limit] = [
        Limit(testDescription: "request line", exactly: line, status: 414, error: .targetTooLong, request: requestLine),
        Limit(testDescription: "field line", exactly: line, status: 431, error: .lineTooLong, request: fieldLine),
        Limit(
            testDescription: "head", exactly: WireLimits.defaultHeadBytes, status: 431, error: .headTooLong,
            request: wholeHead),
        Limit(
            testDescription: "fields", exactly: WireLimits.defaultFieldCount, status: 431, error: .tooManyFields,
            request: fields),
        Limit(testDescription: "chunk line", exactly: line, status: 400, error: .chunkLineTooLong, request: chunkLine),
        Limit(
            testDescription: "trailer fields", exactly: WireLimits.defaultFieldCount, status: 431,
            error: .tooManyFields,
            request: trailerFields),
        Limit(testDescription: "trailer line", exactly: line, status: 431, error: .lineTooLong, request: trailerLine),
        Limit(
            testDescription: "trailers", exactly: WireLimits.defaultHeadBytes, status: 431, error: .headTooLong,
            request: trailers),
    ]

    @Test(arguments: all, [[Int.max], [1000], [1], [8192], [8193], [16383, 2]])
    func `a limit is exact, however the bytes arrive`(_ limit: Limit, pieces: [Int]) throws {
        let passing = try ServerHarness()
        feed(limit.request(limit.exactly), to: passing, pieces)
        #expect(passing.statuses == [200])
        #expect(passing.recorder.refusals.isEmpty)
        let refused = try ServerHarness()
        feed(limit.request(limit.exactly + 1), to: refused, pieces)
        #expect(refused.statuses == [limit.status])
        #expect(refused.recorder.refusals.map(\.error) == [limit.error])
    }

    @Test func `a line without an end is refused at its limit`() throws {
        for start in ["GET /", "GET / HTTP/1.1\r\nA: ", Self.chunkedHead + "1;", Self.chunkedHead + "0\r\nA: "] {
            let server = try ServerHarness()
            server.receive(start)
            for _ in 0..<7 { server.receive(Self.fill(1024)) }
            #expect(server.recorder.refusals.isEmpty)
            for _ in 0..<2 { server.receive(Self.fill(1024)) }
            #expect(server.recorder.refusals.count == 1)
        }
    }

    @Test func `limits are settings`() throws {
        var limits = WireLimits()
        (limits.lineBytes, limits.headBytes, limits.fieldCount) = (20, 60, 2)
        for (request, status) in [
            ("GET /12345 HTTP/1.1\r\nHost: a\r\n\r\n", 200), ("GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n", 200),
            ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: 12345678901234\r\nA: 12345678901234567\r\n\r\n", 431),
        ] {
            let server = try ServerHarness(limits: limits)
            server.receive(request)
            #expect(server.statuses == [status], "\(request)")
        }
    }

    @Test func `a response is held to the same limits`() throws {
        let line = WireLimits.defaultLineBytes
        for (bytes, isRefused) in [(line, false), (line + 1, true)] {
            let client = try ClientHarness()
            client.request()
            client.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: \(Self.fill(bytes - 3))\r\n\r\n")
            #expect((client.recorder.failure == .badResponse(.lineTooLong)) == isRefused)
        }
    }

    /// Sends the first pieces in the sizes given, the last size again and again.
    private func feed(_ text: String, to server: ServerHarness, _ pieces: [Int]) {
        var rest = ByteBuffer(string: text)
        var sizes = pieces[...]
        while rest.readableBytes > 0, server.statuses.isEmpty {
            let size = min(sizes.first ?? 1, rest.readableBytes)
            if sizes.count > 1 { sizes.removeFirst() }
            server.receive(rest.readSlice(length: size) ?? ByteBuffer())
        }
    }
}
