// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK
import NIOHTTP2

/// One message as a connection writes it, HTTP/1.1 bytes, read again and given out as the frames of a stream. What the
/// bytes say about their connection (Connection, Transfer-Encoding, …) ends here.
struct MessageFrames {
    enum Kind {
        case request(scheme: String)
        /// - method: of the request, which decides about the body.
        case response(to: HTTPMethod)
    }

    private enum State {
        case head
        case body(BodyDecoder)
        case ended
    }

    private enum Reader {
        case request(RequestHead, scheme: String)
        case response(ResponseHead, to: HTTPMethod)
    }

    private let reader: Reader
    private let limits: WireLimits
    private var bytes = ByteBuffer()
    private var state = State.head
    /// The bytes were no message: the writer broke off or wrote nonsense, and the stream has to be reset.
    private(set) var isBroken = false

    init(_ kind: Kind) {
        reader =
            switch kind {
            case .request(let scheme): .request(RequestHead(), scheme: scheme)
            case .response(let method): .response(ResponseHead(), to: method)
            }
        // These bytes come from ourselves; their limits were applied where they came in.
        var limits = WireLimits()
        limits.lineBytes = 1024 * 1024
        limits.headBytes = 4 * 1024 * 1024
        limits.fieldCount = 10_000
        self.limits = limits
    }

    var hasEnded: Bool { if case .ended = state { true } else { false } }

    mutating func add(_ more: ByteBuffer) { bytes.addInbound(more) }

    /// The next frame, or nil when more bytes are needed.
    mutating func next() -> HTTP2Frame.FramePayload? {
        while !isBroken {
            switch state {
            case .ended: return nil
            case .head:
                guard bytes.readableBytes > 0 else { return nil }
                guard let frame = head() else { return nil }
                return frame
            case .body(var decoder):
                let part = decoder.next(from: &bytes)
                state = .body(decoder)
                switch part {
                case .needsMore:
                    if bytes.readableBytes == 0 { bytes = ByteBuffer() }
                    return nil
                case .failed: isBroken = true
                case .data(let data):
                    let isLast = decoder.remaining == 0
                    if isLast { state = .ended }
                    return .data(.init(data: .byteBuffer(data), endStream: isLast))
                case .end(let trailers):
                    state = .ended
                    guard let trailers, !trailers.list.isEmpty else {
                        return .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
                    }
                    let block = HPACKHeaders(trailers.list.map { ($0.name.lowercased(), $0.value) })
                    return .headers(.init(headers: block, endStream: true))
                }
            }
        }
        return nil
    }

    private mutating func head() -> HTTP2Frame.FramePayload? {
        switch reader {
        case .request(let request, let scheme): head(request, scheme)
        case .response(let response, let method): head(response, method)
        }
    }

    private mutating func head(_ request: RequestHead, _ scheme: String) -> HTTP2Frame.FramePayload? {
        switch request.read(from: &bytes, limits: limits) {
        case .needsMore: return nil
        case .failed:
            isBroken = true
            return nil
        case .complete: break
        }
        var block: HPACKHeaders = [
            ":method": request.methodText, ":scheme": scheme, ":path": request.text(request.target),
            ":authority": request.text(request.authority),
        ]
        Self.add(request.fields, request.bytes, to: &block)
        return begin(block, request.framing)
    }

    private mutating func head(_ response: ResponseHead, _ method: HTTPMethod) -> HTTP2Frame.FramePayload? {
        switch response.read(from: &bytes, answering: method, limits: limits) {
        case .needsMore: return nil
        case .failed:
            isBroken = true
            return nil
        case .complete: break
        }
        var block: HPACKHeaders = [":status": String(response.status)]
        Self.add(response.fields, response.bytes, to: &block)
        if response.isInterim {
            response.reset()
            return .headers(.init(headers: block))
        }
        return begin(block, response.framing)
    }

    private mutating func begin(_ block: HPACKHeaders, _ framing: BodyFraming) -> HTTP2Frame.FramePayload {
        state = framing == .none ? .ended : .body(BodyDecoder(framing, limits: limits))
        return .headers(.init(headers: block, endStream: framing == .none))
    }

    /// RFC 9113 section 8.2: names in lower case, nothing about the connection.
    private static func add(_ fields: HeadFields, _ bytes: ByteBuffer, to block: inout HPACKHeaders) {
        bytes.withUnsafeReadableBytes { bytes in
            for field in fields.list {
                switch field.known {
                case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .host: continue
                default:
                    let name = String(decoding: bytes[field.name], as: UTF8.self).lowercased()
                    block.add(name: name, value: String(decoding: bytes[field.value], as: UTF8.self))
                }
            }
        }
    }
}
