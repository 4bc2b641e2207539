// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// Runs what a fuzzer made up through a whole gateway and says what is wrong with what came of it.
///
///     flags | client's bytes | 1e | first upstream answer | 1e | second answer | ...
///
/// The flags are one byte: bit 0 request buffering, bits 1-2 how the bytes are split, bit 3 the client ends after its
/// bytes, bit 4 upstreams end after their answer, bit 5 the client's bytes are a chunked body whose head stands here.
package enum ExchangeChecker {
    private static let separator: UInt8 = 0x1e
    private static let chunkedHead = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static func config(buffered: Bool) -> String {
        """
        _format_version: "3.0"
        services:
        - name: api
          url: "http://127.0.0.1:9000"
          retries: 1
          routes: [{paths: [/], request_buffering: \(buffered)}]

        """
    }

    /// - Returns: what is wrong, or nil.
    package static func problem(with input: [UInt8]) -> String? {
        do {
            return try check(input)
        } catch {
            return "\(error)"
        }
    }

    private static func check(_ input: [UInt8]) throws -> String? {
        let flags = input.first ?? 0
        var parts = input.dropFirst().split(separator: separator, omittingEmptySubsequences: false)
        var clientBytes = Array(parts.isEmpty ? [] : parts.removeFirst())
        if flags & 32 != 0 { clientBytes = Array(chunkedHead.utf8) + clientBytes }
        var answers = parts.makeIterator()
        var upstreamBytes: [ByteBuffer] = []
        let connector = MemoryGateway.Connector { _ in
            .accepted { peer in
                let index = upstreamBytes.count
                upstreamBytes.append(ByteBuffer())
                peer.onReceive = { peer in
                    // One answer a request, as far as one can tell: whenever a head may have ended.
                    let isHeadEnd = peer.received.readableBytesView.contains(0x0a)
                    upstreamBytes[index].writeImmutableBuffer(peer.received)
                    peer.received.clear()
                    guard isHeadEnd, let answer = answers.next() else { return }
                    deliver(Array(answer), flags, to: peer)
                    if flags & 16 != 0 { peer.finish() }
                }
            }
        }
        let gateway = try MemoryGateway(config(buffered: flags & 1 == 0), connector: connector)
        let client = try gateway.connect()
        deliver(clientBytes, flags, to: client)
        gateway.run()
        if flags & 8 != 0 { client.finish() }
        // Whatever waits, it does not wait for ever.
        for _ in 0..<4 { gateway.advance(.minutes(3)) }
        defer { for peer in gateway.upstreams { peer.onReceive = nil } }
        if !client.isClosed { return "the client's connection is still open after 12 minutes" }
        // Behind an offer to leave HTTP that was taken anything may follow.
        let isOffered = upstreamBytes.contains { String(buffer: $0).contains("Upgrade: websocket") }
        if isOffered, input.split(separator: UInt8(ascii: " ")).contains(where: { $0.starts(with: "101".utf8) }) {
            return nil
        }
        var seen: [CanonicalRequest] = []
        for bytes in upstreamBytes {
            if let problem = try checkUpstream(bytes, &seen) { return problem }
        }
        if flags & 32 != 0, let problem = checkChunks(clientBytes, seen.first) { return problem }
        return checkClient(client.received)
    }

    private static func deliver(_ bytes: [UInt8], _ flags: UInt8, to peer: MemoryPeer) {
        let piece = [Int.max, 1, 7, 64][Int(flags >> 1 & 3)]
        var rest = bytes[...]
        while !rest.isEmpty {
            peer.send(ByteBuffer(bytes: rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
    }

    // MARK: What the upstream got

    /// It has the one form we write, and llhttp reads the same requests out of it.
    private static func checkUpstream(_ bytes: ByteBuffer, _ seen: inout [CanonicalRequest]) throws -> String? {
        var rest = bytes
        let requests = try CanonicalRequest.readAll(&rest)
        for request in requests { _ = try request.withoutGatewayFields() }
        seen += requests
        let known: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
        // llhttp reads no further than an offer to leave HTTP.
        guard
            requests.allSatisfy({ request in
                known.contains(request.method) && request.target.utf8.allSatisfy { $0 < 0x80 }
                    && !request.fields.contains { $0.hasPrefix("Upgrade:") }
            })
        else { return nil }
        var whole = bytes
        whole.moveWriterIndex(to: bytes.writerIndex - rest.readableBytes)
        let stock = try stockRequests(whole)
        let ours = requests.map { "\($0.method) \($0.target) \($0.body)" }
        return stock == ours ? nil : "llhttp reads \(stock ?? ["an error"]) where we wrote \(ours)"
    }

    /// What llhttp makes of them; nil for an error.
    private static func stockRequests(_ bytes: ByteBuffer) throws -> [String]? {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        do {
            if bytes.readableBytes > 0 { try channel.writeInbound(bytes) }
            try channel.throwIfErrorCaught()
        } catch {
            return nil
        }
        var requests: [String] = []
        var current = ("", [UInt8]())
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head): current = ("\(head.method.rawValue) \(head.uri)", [])
            case .body(let bytes): current.1 += bytes.readableBytesView
            case .end: requests.append("\(current.0) \(current.1)")
            }
        }
        _ = try? channel.finish()
        return requests
    }

    /// Chunks that we took, llhttp takes, and for the same body.
    private static func checkChunks(_ bytes: [UInt8], _ request: CanonicalRequest?) -> String? {
        guard let request, request.target == "/c" else { return nil }
        let stock = (try? stockRequests(ByteBuffer(bytes: bytes))) ?? nil
        // llhttp reads on behind the body, and may object to what stands there: then it tells nothing of the body.
        guard let first = stock?.first else { return nil }
        return first == "POST /c \(request.body)" ? nil : "llhttp reads the chunks as \(first), we as \(request.body)"
    }

    // MARK: What the client got

    /// Responses by llhttp's reading, whichever of them may answer HEAD.
    private static func checkClient(_ bytes: ByteBuffer) -> String? {
        // A body may hold the words too; then more is tried than is needed.
        let count = min(
            6, String(buffer: bytes).split(separator: "HTTP/1.1 ", omittingEmptySubsequences: false).count - 1)
        for bits in 0..<(1 << count) {
            if isWellFormed(bytes, answering: (0..<count).map { bits >> $0 & 1 == 1 }) { return nil }
        }
        return "llhttp cannot read what the client got: \(String(buffer: bytes).debugDescription)"
    }

    private static func isWellFormed(_ bytes: ByteBuffer, answering areHead: [Bool]) -> Bool {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish() }
        do {
            let decoder = ByteToMessageHandler(
                HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop))
            try channel.pipeline.syncOperations.addHandlers([HTTPRequestEncoder(), decoder])
            for isHead in areHead {
                let head = HTTPRequestHead(version: .http1_1, method: isHead ? .HEAD : .GET, uri: "/")
                channel.write(HTTPClientRequestPart.head(head), promise: nil)
                channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            }
            if bytes.readableBytes > 0 { try channel.writeInbound(bytes) }
            try channel.throwIfErrorCaught()
            return true
        } catch {
            return false
        }
    }
}
