// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import Wire

/// The HTTP/1.1 messages of one connection, found in the bytes of both directions, and the faults on them. Bytes pass
/// unchanged and at once where no fault holds or changes them. What is no HTTP/1.1 (or is no more, after an upgrade)
/// passes as it is from then on.
///
/// ```
/// bytes ──▶ head | body | end ──▶ [status] ──▶ [slow body] ──▶ bytes
/// ```
///
/// Pure like its faults, but an object: it owns the heads of Wire, which are. Confined to its connection's loop.
final class MessageStreams {
    /// One request and what was decided about it; its response is found by it.
    private struct Exchange {
        var method: HTTPMethod
        var hits: [String: Int]
    }

    private enum Place {
        case head
        case body(BodyDecoder)
        /// No HTTP/1.1.
        case opaque
    }

    private struct Flow {
        var place = Place.head
        var pending = ByteBuffer()
        var chain = MessageChain()
        var isInMessage = false
    }

    /// Servers send heads that no gateway takes; those are passed on, it is the gateway's to refuse them.
    private static let limits: WireLimits = {
        var limits = WireLimits()
        (limits.lineBytes, limits.headBytes, limits.fieldCount) = (64 * 1024, 256 * 1024, 10_000)
        return limits
    }()

    private let decide: (RequestHead) -> [String: Int]
    private let request = RequestHead()
    private let response = ResponseHead()
    private var exchanges: Deque<Exchange> = []
    private var up = Flow()
    private var down = Flow()

    /// - Parameter decide: the faults that hit a request, each with the number of its draw; called once a request, in
    ///   order.
    init(decide: @escaping (RequestHead) -> [String: Int]) { self.decide = decide }

    // MARK: Faults

    func install(_ stage: MessageStage, on stream: ToxicStream) {
        if stream != .down { up.chain.install(stage) }
        if stream != .up { down.chain.install(stage) }
    }

    func remove(_ name: String, from stream: ToxicStream, at now: NIODeadline) -> [Delivery] {
        with(stream) { Self.deliveries($0.chain.remove(name, at: now)) }
    }

    // MARK: Bytes

    func heldBytes(_ stream: ToxicStream) -> Int { with(stream) { $0.chain.heldBytes } }
    var nextDeadline: NIODeadline? { [up.chain.nextDeadline, down.chain.nextDeadline].compactMap { $0 }.min() }

    func push(_ chunk: ByteBuffer, on stream: ToxicStream, at now: NIODeadline) -> [Delivery] {
        with(stream) { $0.pending.addInbound(chunk) }
        var parts: [MessagePart] = []
        while let part = next(stream) { parts += pass(part, on: stream, at: now) }
        return Self.deliveries(parts)
    }

    func close(_ end: StreamEnd, on stream: ToxicStream, at now: NIODeadline) -> [Delivery] {
        var parts: [MessagePart] = []
        with(stream) { flow in
            // A head that never came whole is as it is.
            if flow.pending.readableBytes > 0 { parts.append(.raw(.bytes(flow.pending))) }
            flow.pending = ByteBuffer()
            if flow.isInMessage { parts.append(.end) }
            flow.isInMessage = false
            flow.place = .opaque
        }
        return Self.deliveries((parts + [.raw(.end(end))]).flatMap { pass($0, on: stream, at: now) })
    }

    func advance(_ stream: ToxicStream, to now: NIODeadline) -> [Delivery] {
        with(stream) { Self.deliveries($0.chain.advance(to: now)) }
    }

    private func pass(_ part: MessagePart, on stream: ToxicStream, at now: NIODeadline) -> [MessagePart] {
        with(stream) { $0.chain.isEmpty ? [part] : $0.chain.take(part, at: now) }
    }

    /// What came in one read and no fault has cut leaves in one write.
    private static func deliveries(_ parts: [MessagePart]) -> [Delivery] {
        var (deliveries, whole): ([Delivery], ByteBuffer) = ([], ByteBuffer())
        func finishWhole() {
            if whole.readableBytes > 0 { deliveries.append(.bytes(whole)) }
            whole = ByteBuffer()
        }
        for part in parts {
            switch part {
            case .head(let head): whole.append(head.bytes)
            case .body(let bytes): whole.append(bytes)
            case .end: finishWhole()
            case .raw(let delivery):
                finishWhole()
                deliveries.append(delivery)
            }
        }
        finishWhole()
        return deliveries
    }

    private func with<T>(_ stream: ToxicStream, _ body: (inout Flow) -> T) -> T {
        stream == .up ? body(&up) : body(&down)
    }

    // MARK: Finding messages

    /// The next part of what has arrived; nil when more is needed.
    private func next(_ stream: ToxicStream) -> MessagePart? {
        let place = stream == .up ? up.place : down.place
        switch place {
        case .opaque: return takePending(stream)
        case .head:
            guard with(stream, { $0.pending.readableBytes > 0 }) else { return nil }
            return stream == .up ? requestHead() : responseHead()
        case .body(let decoder): return body(decoder, stream)
        }
    }

    private func takePending(_ stream: ToxicStream) -> MessagePart? {
        with(stream) { flow in
            guard flow.pending.readableBytes > 0 else { return nil }
            defer { flow.pending = ByteBuffer() }
            return .raw(.bytes(flow.pending))
        }
    }

    private func requestHead() -> MessagePart? {
        switch request.read(from: &up.pending, limits: Self.limits) {
        case .needsMore: return nil
        case .failed: return becomeOpaque(.up)
        case .complete:
            let exchange = Exchange(method: request.method, hits: decide(request))
            exchanges.append(exchange)
            let head = MessageHead(
                request.bytes, kind: .request, framing: request.framing, keepsAlive: request.keepsAlive,
                hits: exchange.hits)
            begin(.up, request.framing)
            request.reset()
            return .head(head)
        }
    }

    private func responseHead() -> MessagePart? {
        let method = exchanges.first?.method ?? .get
        // What nobody has asked for and is no status line is another protocol.
        if exchanges.isEmpty, !Self.mayBeStatusLine(down.pending) { return becomeOpaque(.down) }
        switch response.read(from: &down.pending, answering: method, limits: Self.limits) {
        case .needsMore: return nil
        case .failed: return becomeOpaque(.down)
        case .complete:
            defer { response.reset() }
            if response.isInterim, response.status != 101 { return .raw(.bytes(response.bytes)) }
            let exchange = exchanges.popFirst() ?? Exchange(method: .get, hits: [:])
            let isTunnel = response.status == 101 || method == .connect && (200..<300).contains(response.status)
            let head = MessageHead(
                response.bytes, kind: .response(status: response.status, answersHead: method == .head),
                framing: isTunnel ? .untilClose : response.framing, keepsAlive: response.keepsAlive,
                hits: isTunnel ? [:] : exchange.hits)
            begin(.down, response.framing)
            if isTunnel { (up.place, down.place) = (.opaque, .opaque) }
            return .head(head)
        }
    }

    private func begin(_ stream: ToxicStream, _ framing: BodyFraming) {
        with(stream) { flow in
            flow.place = .body(BodyDecoder(framing, limits: Self.limits))
            flow.isInMessage = true
        }
    }

    /// The bytes that the decoder went over, framing and all.
    private func body(_ decoder: BodyDecoder, _ stream: ToxicStream) -> MessagePart? {
        var decoder = decoder
        return with(stream) { flow in
            let before = flow.pending
            let result = decoder.next(from: &flow.pending)
            flow.place = .body(decoder)
            let count = before.readableBytes - flow.pending.readableBytes
            let bytes = before.getSlice(at: before.readerIndex, length: count) ?? ByteBuffer()
            switch result {
            case .needsMore: return count > 0 ? .body(bytes) : nil
            case .data: return .body(bytes)
            case .failed:
                flow.place = .opaque
                flow.pending = before
                return .body(ByteBuffer())
            case .end:
                // The last framing goes first; the decoder says again that it has ended.
                if count > 0 { return .body(bytes) }
                (flow.place, flow.isInMessage) = (.head, false)
                return .end
            }
        }
    }

    private static func mayBeStatusLine(_ bytes: ByteBuffer) -> Bool {
        let start = "HTTP/1.".utf8
        return bytes.readableBytesView.prefix(start.count).elementsEqual(start.prefix(bytes.readableBytes))
    }

    private func becomeOpaque(_ stream: ToxicStream) -> MessagePart? {
        with(stream) { $0.place = .opaque }
        return takePending(stream)
    }
}

extension ByteBuffer {
    /// Adds bytes behind these; shares their memory when there were none.
    fileprivate mutating func append(_ bytes: ByteBuffer) {
        if readableBytes == 0 { self = bytes } else { writeImmutableBuffer(bytes) }
    }
}
