// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import Wire

/// What a codec made of some bytes.
struct Outcome: Equatable, CustomStringConvertible {
    /// Whole messages, in their order, and the beginning of one more unless the bytes were refused: how much of a bad
    /// message is told before it is found to be bad is nobody's promise.
    var messages: [Message] = []
    var isRefused = false

    init(_ messages: [Message], isRefused: Bool) {
        self.messages = isRefused ? messages.filter(\.isComplete) : messages
        self.isRefused = isRefused
    }

    var description: String { "\(messages)\(isRefused ? " refused" : "")" }
}

extension Outcome {
    /// Our server connection, which answers each request at its end.
    static func ofOurs(requests parts: [ByteBuffer]) throws -> Outcome {
        let server = try ServerHarness()
        for part in parts { server.receive(part) }
        return Outcome(server.recorder.requests, isRefused: !server.recorder.refusals.isEmpty)
    }

    /// Our client connection, told of one response to `method`.
    static func ofOurs(response parts: [ByteBuffer], to method: Wire.HTTPMethod) throws -> Outcome {
        let client = try ClientHarness()
        client.request(method == .head ? "HEAD" : "GET")
        for part in parts { client.receive(part) }
        let isRefused = if case .badResponse? = client.recorder.failure { true } else { false }
        return Outcome(client.recorder.response.map { [$0] } ?? [], isRefused: isRefused)
    }

    /// The stock request decoder (llhttp).
    static func ofStock(requests parts: [ByteBuffer]) throws -> Outcome {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        let isRefused = feed(parts, to: channel)
        var messages: [Message] = []
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                messages.append(message("\(head.method.rawValue) \(head.uri)", head.version, head.headers))
            case .body(let bytes): messages[messages.count - 1].body += String(buffer: bytes)
            case .end(let trailers): finish(&messages, trailers)
            }
        }
        return Outcome(messages, isRefused: isRefused)
    }

    /// The stock response decoder, told of the method by a request that went out before.
    static func ofStock(response parts: [ByteBuffer], to method: Wire.HTTPMethod) throws -> Outcome {
        let channel = EmbeddedChannel()
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop))
        try channel.pipeline.syncOperations.addHandlers([HTTPRequestEncoder(), decoder])
        let head = HTTPRequestHead(version: .http1_1, method: method == .head ? .HEAD : .GET, uri: "/")
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        let isRefused = feed(parts, to: channel)
        return Outcome(try responses(from: channel), isRefused: isRefused)
    }

    /// Reads what a stock response decoder in the channel has decoded.
    static func responses(from channel: EmbeddedChannel) throws -> [Message] {
        var messages: [Message] = []
        while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case .head(let head): messages.append(message("\(head.status.code)", head.version, head.headers))
            case .body(let bytes): messages[messages.count - 1].body += String(buffer: bytes)
            case .end(let trailers): finish(&messages, trailers)
            }
        }
        return messages
    }

    private static func feed(_ parts: [ByteBuffer], to channel: EmbeddedChannel) -> Bool {
        do {
            for part in parts { try channel.writeInbound(part) }
            try channel.throwIfErrorCaught()
            return false
        } catch {
            return true
        }
    }

    private static func message(_ start: String, _ version: NIOHTTP1.HTTPVersion, _ fields: HTTPHeaders) -> Message {
        Message(
            start: start, version: "\(version.major).\(version.minor)", fields: fields.map { "\($0.name): \($0.value)" }
        )
    }

    private static func finish(_ messages: inout [Message], _ trailers: HTTPHeaders?) {
        messages[messages.count - 1].trailers = trailers.map { $0.map { "\($0.name): \($0.value)" } } ?? []
        messages[messages.count - 1].isComplete = true
    }
}

extension Specimen {
    var whole: [ByteBuffer] { [ByteBuffer(string: bytes)] }

    /// The bytes in one piece, and in two pieces at every byte.
    var splits: [[ByteBuffer]] {
        let all = ByteBuffer(string: bytes)
        let cuts = (1..<max(1, all.readableBytes)).map { cut -> [ByteBuffer] in
            var rest = all
            return [rest.readSlice(length: cut) ?? ByteBuffer(), rest]
        }
        return [[all]] + cuts
    }
}
