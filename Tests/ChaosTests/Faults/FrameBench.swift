// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK
import World

@testable import Chaos

/// One HTTP/2 connection in virtual time: two ends that compress as they please, and the link between them. Each end
/// writes down what it understands, so that a table of compression that went wrong is seen.
final class FrameBench {
    /// One end.
    final class End {
        fileprivate let stream: ToxicStream
        fileprivate var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        fileprivate var decoder = HPACKDecoder(
            allocator: ByteBufferAllocator(), maxDynamicTableSize: 4096, maxHeaderListSize: 64 * 1024)
        fileprivate var pending: [UInt8] = []
        /// What it got: `HEADERS 1 :status=200`, `DATA 1 "hello" end`, `GOAWAY last 1 code 0`.
        fileprivate(set) var seen: [String] = []
        fileprivate(set) var pings: [UInt64] = []
        fileprivate var block: [UInt8] = []
        /// The last block of headers as it stood on the wire.
        fileprivate(set) var lastFragment: [UInt8] = []

        fileprivate init(_ stream: ToxicStream) { self.stream = stream }

        fileprivate func receive(_ bytes: ByteBuffer) {
            pending += bytes.readableBytesView
            let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
            if pending.starts(with: preface) {
                seen.append("PREFACE")
                pending.removeFirst(preface.count)
            }
            while pending.count >= 9 {
                let length = Int(pending[0]) << 16 | Int(pending[1]) << 8 | Int(pending[2])
                guard pending.count >= 9 + length else { return }
                let payload = Array(pending[9..<9 + length])
                note(kind: pending[3], flags: pending[4], stream: Self.word(pending, 5) & 0x7fff_ffff, payload)
                pending.removeFirst(9 + length)
            }
        }

        private static func word(_ bytes: [UInt8], _ place: Int) -> UInt32 {
            bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }

        private func note(kind: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) {
            let end = flags & 1 != 0 && kind < 2 ? " end" : ""
            switch kind {
            case 0: seen.append("DATA \(stream) \"\(String(decoding: payload, as: UTF8.self))\"\(end)")
            case 1, 9:
                var fragment = payload
                if kind == 1, flags & 8 != 0 { fragment = Array(fragment.dropFirst().dropLast(Int(payload[0]))) }
                if kind == 1, flags & 0x20 != 0 { fragment = Array(fragment.dropFirst(5)) }
                block += fragment
                guard flags & 4 != 0 else { return seen.append("HEADERS \(stream)\(end) …") }
                var buffer = ByteBuffer(bytes: block)
                (lastFragment, block) = (block, [])
                let fields = try? decoder.decodeHeaders(from: &buffer)
                let text = fields.map { $0.map { "\($0.name)=\($0.value)" }.joined(separator: " ") } ?? "undecodable"
                seen.append("\(kind == 1 ? "HEADERS" : "CONTINUATION") \(stream) \(text)\(end)")
            case 3: seen.append("RST_STREAM \(stream) code \(Self.word(payload, 0))")
            case 4: seen.append(flags & 1 != 0 ? "SETTINGS ack" : "SETTINGS")
            case 6:
                pings.append(payload.reduce(0) { $0 << 8 | UInt64($1) })
                seen.append(flags & 1 != 0 ? "PING ack" : "PING")
            case 7: seen.append("GOAWAY last \(Self.word(payload, 0)) code \(Self.word(payload, 4))")
            case 8: seen.append("WINDOW_UPDATE \(stream) +\(Self.word(payload, 0))")
            default: seen.append("frame \(kind) \(stream)")
            }
        }
    }

    private final class Log {
        var toxics: [InstalledToxic] = []
        var places: [String: Int] = [:]
        var decided: [String] = []

        func hits(_ toxic: InstalledToxic, _ what: String) -> Bool {
            let place = (places[toxic.name] ?? 0) + 1
            places[toxic.name] = place
            let isHit = toxic.hits(place: place, draw: place, link: "wire", random: RandomStreams(seed: 1))
            decided.append("\(toxic.name) \(what) \(isHit ? "hit" : "spared")")
            return isHit
        }
    }

    let client = End(.up)
    let server = End(.down)
    /// Cuts what is sent into pieces of so many bytes.
    var pieces = Int.max
    private let log = Log()
    private let conversation: Conversation
    private(set) var now = NIODeadline.uptimeNanoseconds(0)

    init(_ toxics: InstalledToxic...) {
        let log = log
        conversation = Conversation {
            MessageStreams { head in
                for toxic in log.toxics where !toxic.toxic.isOnFrames { _ = log.hits(toxic, head.pathText) }
                return [:]
            }
        } frames: {
            FrameStreams(
                pingStem: 0x6761_7465,
                FrameStreams.Decisions { request in
                    let meant = log.toxics.filter {
                        $0.toxic.isOnFrames && $0.scope == .request && $0.match?.matches(request) ?? true
                    }
                    return Set(meant.filter { log.hits($0, request.path) }.map(\.name))
                } connection: { name in
                    log.toxics.first { $0.name == name }.map { log.hits($0, "connection") } ?? false
                })
        } stage: { toxic, stream in
            toxic.messageStage(stream, link: "wire", random: RandomStreams(seed: 1))
        }
        for toxic in toxics { install(toxic) }
    }

    /// With both sides' prefaces exchanged.
    convenience init(begun toxics: InstalledToxic...) {
        self.init()
        begin()
        for toxic in toxics { install(toxic) }
    }

    var decided: [String] { log.decided }
    var nextDeadline: NIODeadline? { conversation.nextDeadline }

    func install(_ toxic: InstalledToxic) {
        log.toxics.append(toxic)
        keep(conversation.install(toxic, at: now))
    }

    func remove(_ name: String = "x") {
        log.toxics.removeAll { $0.name == name }
        for stream in [ToxicStream.up, .down] { _ = conversation.remove(name, from: stream, at: now) }
    }

    /// Prefaces, SETTINGS and their acknowledgements; not noted.
    func begin() {
        push(ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), from: client)
        for end in [client, server] { send(4, from: end) }
        for end in [client, server] { send(4, flags: 1, from: end) }
        (client.seen, server.seen) = ([], [])
    }

    // MARK: Sending

    func push(_ bytes: ByteBuffer, from end: End) {
        var rest = bytes
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(pieces, rest.readableBytes)) {
            keep(conversation.push(piece, on: end.stream, at: now))
        }
    }

    func close(_ end: End, _ how: StreamEnd = .finished) { keep(conversation.close(how, on: end.stream, at: now)) }

    static func frame(_ kind: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeBytes([UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255)])
        bytes.writeMultipleIntegers(kind, flags, stream)
        bytes.writeBytes(payload)
        return bytes
    }

    func send(_ kind: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = [], from end: End) {
        push(Self.frame(kind, flags: flags, stream: stream, payload), from: end)
    }

    static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    /// The encoder indexes the fields, so that the next block of this end depends on this one.
    func block(_ fields: [(String, String)], from end: End) -> [UInt8] {
        var buffer = ByteBuffer()
        do {
            try end.encoder.encode(headers: HPACKHeaders(fields), to: &buffer)
        } catch {
            preconditionFailure("\(error)")
        }
        return Array(buffer.readableBytesView)
    }

    func request(_ stream: UInt32, _ path: String = "/a", fields: [(String, String)] = [], body: String? = nil) {
        let head = [(":method", body == nil ? "GET" : "POST"), (":path", path)] + fields
        send(1, flags: body == nil ? 5 : 4, stream: stream, block(head, from: client), from: client)
        if let body { data(body, stream, ends: true, from: client) }
    }

    func answer(_ stream: UInt32, fields: [(String, String)] = [], body: String? = "hello") {
        let head = [(":status", "200")] + fields
        send(1, flags: body == nil ? 5 : 4, stream: stream, block(head, from: server), from: server)
        if let body { data(body, stream, ends: true, from: server) }
    }

    func data(_ text: String, _ stream: UInt32, ends: Bool = false, from end: End) {
        send(0, flags: ends ? 1 : 0, stream: stream, Array(text.utf8), from: end)
    }

    func trailers(_ stream: UInt32, _ fields: [(String, String)], from end: End) {
        send(1, flags: 5, stream: stream, block(fields, from: end), from: end)
    }

    // MARK: Time

    func run(to milliseconds: Int64) {
        let end = NIODeadline.uptimeNanoseconds(0) + .milliseconds(milliseconds)
        while let next = conversation.nextDeadline, next <= end {
            now = max(now, next)
            keep(conversation.advance(.up, to: now))
        }
        now = max(now, end)
    }

    private func keep(_ output: Conversation.Output) {
        for (deliveries, end) in [(output.up, server), (output.down, client)] {
            for delivery in deliveries {
                switch delivery {
                case .bytes(let bytes): end.receive(bytes)
                case .end(let how): end.seen.append("\(how)")
                }
            }
        }
    }
}
