// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore

/// The streams of one HTTP/2 connection, found in the bytes of both directions, and the faults on them. Frames pass
/// unchanged and at once; what is found not to be HTTP/2 passes as it is from then on.
///
/// ```
/// client ──▶ frames ──▶ [faults] ──▶ server
///        ◀── frames ◀── [faults] ◀──
/// ```
///
/// What a fault ends, both sides must still agree on. A frame that is left out was counted by its sender against the
/// window of the connection, so the link gives the credit back; a header block that is left out changes the table of
/// compression, see `HeaderBlocks`; frames that were on their way when a stream was reset are swallowed, as RFC 9113
/// section 5.1 has it for who has sent RST_STREAM. Nothing is put between the frames of a header block, into a frame,
/// or before the SETTINGS with which each side begins.
///
/// Pure, but an object as `MessageStreams` is. Confined to its connection's loop.
final class FrameStreams {
    /// How faults are decided about.
    struct Decisions {
        /// The faults that hit a request, among those that are decided about for each; called once a request, in order.
        var request: (FrameRequest) -> Set<String>
        /// Whether a fault that is decided about for a connection hits this one.
        var connection: (_ name: String) -> Bool
    }

    private struct Placement {
        var name: String
        var stream: ToxicStream
        /// Nil: it is decided about for each request.
        var isOnConnection: Bool
        var machine: any FrameToxic
    }

    /// A request and its answer.
    private struct Exchange {
        var hits: Set<String>
        var isAskedWhole = false
        var isAnswered = false
        var isAnsweredWhole = false
    }

    /// A DATA frame that is passing.
    private struct Passing {
        var head: FrameHead
        var isSwallowed: Bool
    }

    private struct Flow {
        var splitter: FrameSplitter
        var blocks = HeaderBlocks()
        var out = ByteBuffer()
        /// Frames of ours that wait until they may stand between others.
        var waiting: [ByteBuffer] = []
        var hasSettings = false
        var isOpaque = false
        var passing: Passing?
        /// Those of ours that went this way and were not answered yet.
        var pings: Set<UInt64> = []

        var takesFrames: Bool { hasSettings && !isOpaque && passing?.isSwallowed ?? true }
    }

    /// Unanswered pings at which no more are sent: whoever does not read shall not fill the runner's memory.
    static let mostPings = 10_000
    /// Streams that a fault has ended and that are remembered, the latest ones.
    private static let mostEnded = 10_000

    private let decisions: Decisions
    private var placements: [Placement] = []
    private var up = Flow(splitter: FrameSplitter(isFromClient: true))
    private var down = Flow(splitter: FrameSplitter(isFromClient: false))
    private var exchanges: [UInt32: Exchange] = [:]
    /// Exchanges whose answers have not come whole.
    private var unanswered = 0
    private var ended: Set<UInt32> = []
    private var endedInOrder: Deque<UInt32> = []
    private var newestStream: UInt32 = 0
    /// The newest stream that the server knows.
    private var newestServed: UInt32 = 0
    /// The last stream that is served after a GOAWAY of ours.
    private var lastStream: UInt32?
    private var isOver = false
    private let pingStem: UInt64
    private var pingCount: UInt64 = 0
    private var ends = Conversation.Output()

    /// - Parameter pingStem: the upper half of what our pings carry, by which their answers are known.
    init(pingStem: UInt32, _ decisions: Decisions) {
        self.pingStem = UInt64(pingStem) << 32
        self.decisions = decisions
    }

    // MARK: Faults

    /// - Parameter machine: of this connection; when it is not for each request, it is decided about now.
    func install(_ toxic: InstalledToxic, _ machine: any FrameToxic, at now: NIODeadline) -> Conversation.Output {
        let isOnConnection = toxic.scope == .connection
        if isOnConnection, !decisions.connection(toxic.name) { return Conversation.Output() }
        var machine = machine
        let orders = machine.begin(at: now)
        placements.append(
            Placement(name: toxic.name, stream: toxic.stream, isOnConnection: isOnConnection, machine: machine))
        apply(orders, toxic.stream)
        return output()
    }

    /// What was said cannot be unsaid: a connection that was told to go away still ends.
    func remove(_ name: String) { placements.removeAll { $0.name == name } }

    var nextDeadline: NIODeadline? { isOver ? nil : placements.compactMap(\.machine.nextDeadline).min() }

    func advance(to now: NIODeadline) -> Conversation.Output {
        for place in placements.indices {
            apply(placements[place].machine.advance(to: now), placements[place].stream)
        }
        return output()
    }

    // MARK: Bytes

    func push(_ chunk: ByteBuffer, on stream: ToxicStream, at now: NIODeadline) -> Conversation.Output {
        with(stream) { $0.splitter.push(chunk) }
        while !isOver, let piece = with(stream, { $0.splitter.next() }) {
            take(piece, stream, at: now)
            checkEnd()
        }
        return output()
    }

    func close(_ end: StreamEnd, on stream: ToxicStream) -> Conversation.Output {
        guard !isOver else { return Conversation.Output() }
        // A frame that never came whole is as it is.
        becomeOpaque(stream)
        while let piece = with(stream, { $0.splitter.next() }) {
            if case .opaque(let bytes) = piece { write(bytes, stream) }
        }
        ends[stream].append(.end(end))
        return output()
    }

    private func take(_ piece: FrameSplitter.Piece, _ stream: ToxicStream, at now: NIODeadline) {
        switch piece {
        case .preface(let bytes): write(bytes, stream)
        case .frame(let frame):
            switch frame.head.kind {
            case .headers, .pushPromise, .continuation: takeBlock(frame, stream, at: now)
            default:
                if with(stream, { $0.blocks.isOpen }) { takeBlock(frame, stream, at: now) } else { take(frame, stream) }
            }
        case .data(let head):
            if with(stream, { $0.blocks.isOpen }) {
                // Nobody may say this in the middle of a header block.
                takeBlock(Frame(head, payload: ByteBuffer()), stream, at: now)
            } else {
                beginData(head, stream, at: now)
            }
        case .dataBytes(let bytes, let isLast): takeData(bytes, isLast: isLast, stream)
        case .opaque(let bytes):
            becomeOpaque(stream)
            write(bytes, stream)
        }
    }

    private func becomeOpaque(_ stream: ToxicStream) {
        with(stream) { flow in
            flow.splitter.giveUp()
            flow.isOpaque = true
            flow.waiting = []
        }
    }

    private func output() -> Conversation.Output {
        var output = Conversation.Output()
        for stream in [ToxicStream.up, .down] {
            with(stream) { flow in
                if flow.out.readableBytes > 0 { output[stream].append(.bytes(flow.out)) }
                flow.out = ByteBuffer()
            }
            output[stream] += ends[stream]
        }
        ends = Conversation.Output()
        return output
    }

    @discardableResult
    private func with<T>(_ stream: ToxicStream, _ body: (inout Flow) -> T) -> T {
        stream == .up ? body(&up) : body(&down)
    }

    private func write(_ bytes: ByteBuffer, _ stream: ToxicStream) {
        with(stream) { flow in
            if flow.out.readableBytes == 0 { flow.out = bytes } else { flow.out.writeImmutableBuffer(bytes) }
        }
    }

    /// Puts a frame of ours between those that pass, as soon as one may stand there.
    private func send(_ frame: Frame, _ stream: ToxicStream) {
        if with(stream, { $0.takesFrames }) {
            write(frame.bytes, stream)
        } else {
            with(stream) { if !$0.isOpaque { $0.waiting.append(frame.bytes) } }
        }
    }

    private func sendWaiting(_ stream: ToxicStream) {
        guard with(stream, { $0.takesFrames && !$0.waiting.isEmpty }) else { return }
        let waiting = with(stream) { flow in
            defer { flow.waiting = [] }
            return flow.waiting
        }
        for bytes in waiting { write(bytes, stream) }
    }

    // MARK: Frames

    /// Any frame but DATA and those of header blocks.
    private func take(_ frame: Frame, _ stream: ToxicStream) {
        switch frame.head.kind {
        case .settings where !frame.head.isAcknowledgement:
            write(frame.bytes, stream)
            with(stream) { $0.hasSettings = true }
            sendWaiting(stream)
        case .ping where frame.head.isAcknowledgement:
            let opaque = frame.payload.getInteger(at: frame.payload.readerIndex, as: UInt64.self)
            if let opaque, with(stream.other, { $0.pings.remove(opaque) }) != nil { return }
            write(frame.bytes, stream)
        case .resetStream:
            guard !ended.contains(frame.head.stream) else { return }
            write(frame.bytes, stream)
            finish(frame.head.stream, .up)
            finish(frame.head.stream, .down)
        case .windowUpdate where ended.contains(frame.head.stream): return
        case .goAway where stream == .down: write(lowered(frame).bytes, stream)
        default: write(frame.bytes, stream)
        }
    }

    /// RFC 9113 section 6.8: the last stream is never raised, whoever of the two said it.
    private func lowered(_ frame: Frame) -> Frame {
        var frame = frame
        let place = frame.payload.readerIndex
        guard let lastStream, let said = frame.payload.getInteger(at: place, as: UInt32.self) else { return frame }
        frame.payload.setInteger(min(said & 0x7fff_ffff, lastStream), at: place)
        return frame
    }

    private func takeBlock(_ frame: Frame, _ stream: ToxicStream, at now: NIODeadline) {
        switch with(stream, { $0.blocks.take(frame) }) {
        case .needsMore: break
        case .failed(let bytes):
            becomeOpaque(stream)
            write(bytes, stream)
        case .complete(let block):
            if block.promised == nil { tell(of: block, stream, at: now) }
            guard !ended.contains(block.stream) else {
                with(stream) { $0.blocks.leaveOut(block) }
                return
            }
            write(with(stream) { $0.blocks.bytes(of: block) }, stream)
            if stream == .up { newestServed = max(newestServed, block.stream) }
            if block.endsStream { finish(block.stream, stream) }
        }
    }

    /// Asks the faults about the head of a request or an answer; they may end its stream.
    private func tell(of block: HeaderBlock, _ stream: ToxicStream, at now: NIODeadline) {
        if stream == .up {
            // Trailers, or what the server has to refuse.
            guard block.stream > newestStream, block.stream % 2 == 1 else { return }
            newestStream = block.stream
            if let lastStream, block.stream > lastStream { return end(block.stream) }
            exchanges[block.stream] = Exchange(hits: decisions.request(FrameRequest(block.fields)))
            unanswered += 1
            tell(.request, of: block.stream, at: now)
        } else {
            guard exchanges[block.stream]?.isAnswered == false,
                block.fields.first(name: ":status")?.hasPrefix("1") != true
            else { return }
            exchanges[block.stream]?.isAnswered = true
            tell(.answer(isWhole: block.endsStream), of: block.stream, at: now)
        }
    }

    private func beginData(_ head: FrameHead, _ stream: ToxicStream, at now: NIODeadline) {
        if with(stream, { $0.isOpaque }) { return writeHead(head, stream) }
        if stream == .down { tell(.body, of: head.stream, at: now) }
        let isSwallowed = ended.contains(head.stream)
        with(stream) { $0.passing = Passing(head: head, isSwallowed: isSwallowed) }
        if isSwallowed {
            // All of the payload counts, padding too (RFC 9113 section 6.9.1).
            if head.length > 0 { send(.windowUpdate(head.length), stream.other) }
        } else {
            writeHead(head, stream)
        }
    }

    private func writeHead(_ head: FrameHead, _ stream: ToxicStream) {
        var bytes = ByteBuffer()
        bytes.writeFrameHead(head)
        write(bytes, stream)
    }

    private func takeData(_ bytes: ByteBuffer, isLast: Bool, _ stream: ToxicStream) {
        guard let passing = with(stream, { $0.passing }) else { return write(bytes, stream) }
        if !passing.isSwallowed { write(bytes, stream) }
        guard isLast else { return }
        with(stream) { $0.passing = nil }
        if !passing.isSwallowed, passing.head.endsStream { finish(passing.head.stream, stream) }
        sendWaiting(stream)
    }

    // MARK: Streams

    /// One direction of a stream has ended by itself.
    private func finish(_ stream: UInt32, _ direction: ToxicStream) {
        guard var exchange = exchanges[stream] else { return }
        if direction == .up {
            exchange.isAskedWhole = true
        } else if !exchange.isAnsweredWhole {
            exchange.isAnsweredWhole = true
            unanswered -= 1
        }
        exchanges[stream] = exchange.isAskedWhole && exchange.isAnsweredWhole ? nil : exchange
    }

    /// A fault ends a stream: what still comes of it is swallowed.
    private func end(_ stream: UInt32) {
        finish(stream, .up)
        finish(stream, .down)
        guard ended.insert(stream).inserted else { return }
        endedInOrder.append(stream)
        if endedInOrder.count > Self.mostEnded, let oldest = endedInOrder.popFirst() { ended.remove(oldest) }
    }

    private func tell(_ event: FrameEvent, of stream: UInt32, at now: NIODeadline) {
        guard let hits = exchanges[stream]?.hits else { return }
        for place in placements.indices where placements[place].isOnConnection || hits.contains(placements[place].name)
        {
            for order in placements[place].machine.see(event, at: now) where !ended.contains(stream) {
                apply(order, to: stream, isNew: event == .request)
            }
        }
    }

    /// - Parameter isNew: the server has not got it yet.
    private func apply(_ order: FrameOrder, to stream: UInt32, isNew: Bool) {
        switch order {
        case .goAway(let code, let refusing):
            guard lastStream == nil else { return }
            let last = refusing ? newestServed : stream
            lastStream = last
            send(.goAway(last: last, code: code), .down)
            if refusing { end(stream) }
        case .reset(let code):
            send(.resetStream(stream, code: code), .down)
            // As of a client that wants no answer any more.
            if !isNew { send(.resetStream(stream, code: .cancel), .up) }
            end(stream)
        case .pings: break
        }
    }

    /// Orders that are about no stream.
    private func apply(_ orders: [FrameOrder], _ stream: ToxicStream) {
        for case .pings(let count) in orders {
            for direction in [ToxicStream.up, .down] where stream == direction || stream == .both {
                ping(count, direction)
            }
        }
    }

    private func ping(_ count: Int, _ stream: ToxicStream) {
        for _ in 0..<count where with(stream, { $0.pings.count < Self.mostPings }) {
            let opaque = pingStem | pingCount & 0xffff_ffff
            pingCount &+= 1
            with(stream) { _ = $0.pings.insert(opaque) }
            send(.ping(opaque), stream)
        }
    }

    /// After our GOAWAY the connection ends with the last answer.
    private func checkEnd() {
        guard lastStream != nil, unanswered == 0, down.waiting.isEmpty, down.passing == nil, !isOver else { return }
        isOver = true
        ends.down.append(.end(.severed))
    }
}

extension ToxicStream {
    /// Of `up` and `down`.
    fileprivate var other: ToxicStream { self == .up ? .down : .up }
}
