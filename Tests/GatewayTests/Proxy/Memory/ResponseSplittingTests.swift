// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import GatewayHarness
import NIOCore
import Testing

/// Responses that two readers may read in two ways: what reaches the client is one response that nobody can misread, or
/// a 502, or visibly cut off; and no byte of it becomes an answer to another request.
@Suite struct ResponseSplittingTests {
    /// A row of Data/ambiguous-responses.jsonl; its texts have one byte a character.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var method: String
        var send: [UInt8]
        /// The upstream ends after it.
        var ends: Bool
        /// What the client must get, less what the gateway adds to each response; nil for a 502.
        var client: String?
        /// It must be cut off there.
        var isCut: Bool

        var testDescription: String { name }
    }

    static let rows: [Row] = {
        guard let objects = try? jsonLines("ambiguous-responses") else { return [] }
        return objects.map { object in
            Row(
                name: object["name"]?.stringValue ?? "", method: object["method"]?.stringValue ?? "GET",
                send: latin1(object["send"]?.stringValue ?? ""), ends: object["end"]?.boolValue == true,
                client: object["client"]?.stringValue, isCut: object["cut"]?.boolValue == true)
        }
    }()

    @Test func `there are more than 80 of them`() { #expect(Self.rows.count > 80) }

    @Test(arguments: rows)
    func `a response is passed on in one form, or it is a 502`(row: Row) throws {
        for isSplit in [false, true] where !isSplit || row.send.count < 3000 {
            var isFirst = true
            let gateway = try MemoryGateway(memoryYAML(service: "retries: 0")) { peer in
                peer.onReceive = { peer in
                    guard peer.text.hasSuffix("\r\n\r\n") else { return }
                    peer.received.clear()
                    if !isFirst { return peer.send("HTTP/1.1 200 Second\r\nContent-Length: 1\r\n\r\n2") }
                    isFirst = false
                    for part in isSplit ? row.send.indices.map({ row.send[$0...$0] }) : [row.send[...]] {
                        peer.send(ByteBuffer(bytes: part))
                    }
                    if row.ends { peer.finish() }
                }
            }
            let client = try gateway.connect()
            gateway.send("\(row.method) / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
            if let expected = row.client {
                let (text, expected) = (try Self.withoutGatewayFields(client.takeText()), expected)
                // How its bytes are spread over chunks is not the upstream's to say.
                try #require(Self.joiningChunks(text) == Self.joiningChunks(expected), "split: \(isSplit)")
            } else {
                try #require(client.statuses == [502], "split: \(isSplit)")
                client.received.clear()
            }
            #expect(client.isClosed == row.isCut)
            guard !client.hasEnded else { continue }
            gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
            let second = try Self.withoutGatewayFields(client.takeText())
            #expect(second == "HTTP/1.1 200 Second\r\nContent-Length: 1\r\n\r\n2", "split: \(isSplit)")
        }
    }

    private static let added = [
        "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Server: kong/3.10.0", "Via: 1.1 kong/3.10.0",
        "X-Kong-Upstream-Latency: 0", "X-Kong-Proxy-Latency: 0",
    ]

    /// A response less what the gateway adds: each of that once, and one word on the connection.
    private static func withoutGatewayFields(_ text: String) throws -> String {
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        var lines = text[..<end.lowerBound].split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        for line in added {
            #expect(lines.count { $0 == line } == 1, "\(line) in \(lines)")
            lines.removeAll { $0 == line }
        }
        for pattern in [/X-Kong-Request-Id: [0-9a-f]{32}/, /Connection: (?:close|keep-alive)/] {
            #expect(lines.count { $0.wholeMatch(of: pattern) != nil } == 1, "\(lines)")
            lines.removeAll { $0.wholeMatch(of: pattern) != nil }
        }
        return (lines + ["", ""]).joined(separator: "\r\n") + text[end.upperBound...]
    }

    /// The data of well-formed chunks behind a head, in one piece, and what follows them.
    private static func joiningChunks(_ text: String) -> String {
        guard text.contains("Transfer-Encoding: chunked"), let end = text.firstRange(of: "\r\n\r\n") else {
            return text
        }
        var (rest, data) = (text[end.upperBound...], "")
        while let lineEnd = rest.firstRange(of: "\r\n"), let size = Int(rest[..<lineEnd.lowerBound], radix: 16),
            size > 0
        {
            let bytes = Array(rest[lineEnd.upperBound...].unicodeScalars)
            guard bytes.count >= size + 2 else { break }
            data.unicodeScalars.append(contentsOf: bytes[..<size])
            var after = String.UnicodeScalarView()
            after.append(contentsOf: bytes[(size + 2)...])
            rest = Substring(String(after))
        }
        return "\(text[..<end.upperBound])[\(data)]\(rest)"
    }
}
