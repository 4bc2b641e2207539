// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK

/// One frame as it stood on the wire.
struct RawFrame: Sendable {
    enum Kind: UInt8, Sendable {
        case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
    }

    var kind: Kind
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []
    /// Of HEADERS that were received.
    var fields: [(name: String, value: String)] = []

    static let endStream: UInt8 = 1
    static let acknowledged: UInt8 = 1
    static let endHeaders: UInt8 = 4

    var endsStream: Bool { (kind == .data || kind == .headers) && flags & Self.endStream != 0 }

    var bytes: [UInt8] {
        [UInt8(payload.count >> 16 & 255), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255)]
            + [kind.rawValue, flags] + Self.word(stream) + payload
    }

    static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    /// The number at a place of the payload, of 32 bits.
    func word(at place: Int) -> UInt32 { payload[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) } }
}

/// HTTP/2 by hand, for either side: it sends exactly the frames it is told, which no library would for the bad ones.
final class RawHTTP2 {
    static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// What a stream brought.
    struct Message {
        var fields: [(name: String, value: String)] = []
        var interim: [[(name: String, value: String)]] = []
        var body: [UInt8] = []
        var trailers: [(name: String, value: String)] = []
        /// The code of RST_STREAM.
        var resetCode: UInt32?

        subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
        var status: Int { Int(self[":status"] ?? "") ?? 0 }
        var text: String { String(decoding: body, as: UTF8.self) }
        func trailer(_ name: String) -> String? { trailers.first { $0.name == name }?.value }
    }

    let socket: RawSocket
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    /// Frames of streams that nobody has asked for yet.
    private var held: [RawFrame] = []
    private var updates: [(stream: UInt32, count: Int)] = []
    /// SETTINGS of the other side, by number.
    private(set) var settings: [UInt16: UInt32] = [:]
    private(set) var goAway: (lastStream: UInt32, code: UInt32)?

    /// Begins as a client.
    init(client socket: RawSocket, settings: [UInt8] = []) throws {
        self.socket = socket
        try socket.send(Array(Self.preface.utf8) + RawFrame(kind: .settings, payload: settings).bytes)
    }

    /// Begins as a server: awaits the preface.
    init?(server socket: RawSocket, settings: [UInt8] = []) throws {
        self.socket = socket
        guard let preface = try? socket.bytes(Self.preface.utf8.count), preface == Array(Self.preface.utf8) else {
            return nil
        }
        try send(RawFrame(kind: .settings, payload: settings))
    }

    // MARK: Sending

    func send(_ frame: RawFrame) throws { try socket.send(frame.bytes) }

    func send(
        headers: [(String, String)], on stream: UInt32, end: Bool = false, flags: UInt8 = RawFrame.endHeaders
    ) throws {
        let block = Self.block(headers)
        try send(
            RawFrame(kind: .headers, flags: flags | (end ? RawFrame.endStream : 0), stream: stream, payload: block))
    }

    func send(data: [UInt8], on stream: UInt32, end: Bool = false) throws {
        try send(RawFrame(kind: .data, flags: end ? RawFrame.endStream : 0, stream: stream, payload: data))
    }

    func send(data: String, on stream: UInt32, end: Bool = false) throws {
        try send(data: Array(data.utf8), on: stream, end: end)
    }

    func openWindow(_ count: UInt32, on stream: UInt32) throws {
        try send(RawFrame(kind: .windowUpdate, stream: stream, payload: RawFrame.word(count)))
    }

    func reset(_ stream: UInt32, code: UInt32 = 8) throws {
        try send(RawFrame(kind: .reset, stream: stream, payload: RawFrame.word(code)))
    }

    /// A request on a stream.
    func request(
        _ method: String = "GET", _ path: String = "/", fields: [(String, String)] = [], host: String = "a.example",
        scheme: String = "http", on stream: UInt32, body: String? = nil, end: Bool = true
    ) throws {
        let head = [(":method", method), (":scheme", scheme), (":path", path), (":authority", host)] + fields
        try send(headers: head, on: stream, end: end && body == nil)
        if let body { try send(data: body, on: stream, end: end) }
    }

    /// Fields as literals that nobody indexes (RFC 7541 section 6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0] + literal(name) + literal(value) }
    }

    private static func literal(_ text: String) -> [UInt8] {
        var (bytes, rest) = ([UInt8](), text.utf8.count)
        if rest < 127 {
            bytes = [UInt8(rest)]
        } else {
            bytes = [127]
            rest -= 127
            while rest >= 128 {
                bytes.append(UInt8(rest % 128 + 128))
                rest /= 128
            }
            bytes.append(UInt8(rest))
        }
        return bytes + Array(text.utf8)
    }

    // MARK: Receiving

    /// The next frame that is not about the connection alone; what is, is answered and noted. Nil at the end.
    ///
    /// - Parameter update: a WINDOW_UPDATE is given too, besides being noted.
    func frame(orUpdate update: Bool = false, orSettings: Bool = false, orGoAway: Bool = false) throws -> RawFrame? {
        while true {
            guard let head = try? socket.bytes(9) else { return nil }
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard let kind = RawFrame.Kind(rawValue: head[3]) else { continue }
            let stream = head[5...8].reduce(0) { $0 << 8 | UInt32($1) }
            var frame = RawFrame(kind: kind, flags: head[4], stream: stream, payload: try socket.bytes(length))
            switch kind {
            case .settings where frame.flags & RawFrame.acknowledged == 0:
                for place in stride(from: 0, to: frame.payload.count, by: 6) {
                    let number = UInt16(frame.payload[place]) << 8 | UInt16(frame.payload[place + 1])
                    settings[number] = frame.word(at: place + 2)
                }
                try? send(RawFrame(kind: .settings, flags: RawFrame.acknowledged))
                if orSettings { return frame }
            case .ping where frame.flags & RawFrame.acknowledged == 0:
                try? send(RawFrame(kind: .ping, flags: RawFrame.acknowledged, payload: frame.payload))
            case .goAway:
                goAway = (frame.word(at: 0), frame.word(at: 4))
                if orGoAway { return frame }
            case .windowUpdate:
                updates.append((stream, Int(frame.word(at: 0))))
                if update { return frame }
            case .settings, .ping, .priority: continue
            case .headers:
                // In the order they came, as HPACK has a memory.
                var block = ByteBuffer(bytes: frame.payload)
                frame.fields = try decoder.decodeHeaders(from: &block).map { ($0.name, $0.value) }
                return frame
            case .data, .reset, .push, .continuation: return frame
            }
        }
    }

    /// The next frame of a stream; those of others are kept for whoever asks for them.
    func frame(of stream: UInt32) throws -> RawFrame? {
        if let place = held.firstIndex(where: { $0.stream == stream }) { return held.remove(at: place) }
        while let frame = try frame() {
            if frame.stream == stream { return frame }
            held.append(frame)
        }
        return nil
    }

    /// The fields of a HEADERS frame that was received.
    func fields(_ frame: RawFrame) throws -> [(name: String, value: String)] { frame.fields }

    /// Awaits the other side's settings; what is sent after it comes behind their acknowledgement.
    func settle() throws {
        while settings.isEmpty {
            guard let frame = try frame(orUpdate: false, orSettings: true) else {
                throw RawSocket.Failure.ended(got: "no settings")
            }
            if frame.kind != .settings { held.append(frame) }
        }
    }

    /// All of a stream until its end.
    func message(_ stream: UInt32) throws -> Message {
        var message = Message()
        while let frame = try frame(of: stream) {
            switch frame.kind {
            case .headers:
                let fields = try fields(frame)
                if fields.first?.value.hasPrefix("1") == true, fields.first?.name == ":status" {
                    message.interim.append(fields)
                } else if message.fields.isEmpty {
                    message.fields = fields
                } else {
                    message.trailers = fields
                }
            case .data: message.body += frame.payload
            case .reset:
                message.resetCode = frame.word(at: 0)
                return message
            default: continue
            }
            if frame.endsStream { return message }
        }
        throw RawSocket.Failure.ended(got: "stream \(stream): \(message.fields)")
    }

    /// The next WINDOW_UPDATE; frames of streams are kept.
    func windowUpdate() throws -> (stream: UInt32, count: Int) {
        while true {
            if let update = updates.first {
                updates.removeFirst()
                return update
            }
            guard let frame = try frame(orUpdate: true) else { throw RawSocket.Failure.ended(got: "no window") }
            if frame.kind != .windowUpdate { held.append(frame) }
        }
    }

    /// Reads until the other side has said that it takes no more streams; frames of streams are kept.
    func awaitGoAway() throws {
        while goAway == nil {
            guard let frame = try frame(orGoAway: true) else { throw RawSocket.Failure.ended(got: "no GOAWAY") }
            if frame.kind != .goAway { held.append(frame) }
        }
    }

    /// Reads until the other side ends, for its GOAWAY.
    func drain() throws { while try frame() != nil {} }
}
