// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What is spoken on one connection of a link that knows HTTP, and the faults that work on it: HTTP/2 when the client
/// begins with its preface, else HTTP/1.1, or nothing that is known. A fault on the other protocol does nothing, and
/// nothing is decided about it.
///
/// Pure, but an object as what it owns. Confined to its connection's loop.
final class Conversation {
    /// What may pass in each direction; a frame of one can make the link speak in the other.
    struct Output {
        var up: [Delivery] = []
        var down: [Delivery] = []

        subscript(_ stream: ToxicStream) -> [Delivery] {
            get { stream == .up ? up : down }
            set { if stream == .up { up = newValue } else { down = newValue } }
        }
    }

    private enum Spoken {
        /// The client has said less than its preface has bytes, and nothing else.
        case unknown(up: ByteBuffer, down: ByteBuffer)
        case messages(MessageStreams)
        case frames(FrameStreams)
    }

    private var spoken = Spoken.unknown(up: ByteBuffer(), down: ByteBuffer())
    /// The faults that were installed before it was known what is spoken.
    private var early: [InstalledToxic] = []
    private let makeMessages: () -> MessageStreams
    private let makeFrames: () -> FrameStreams
    /// The stage of a fault on messages in a direction.
    private let stage: (InstalledToxic, ToxicStream) -> MessageStage?

    init(
        messages: @escaping () -> MessageStreams, frames: @escaping () -> FrameStreams,
        stage: @escaping (InstalledToxic, ToxicStream) -> MessageStage?
    ) {
        (makeMessages, makeFrames, self.stage) = (messages, frames, stage)
    }

    // MARK: Faults

    func install(_ toxic: InstalledToxic, at now: NIODeadline) -> Output {
        switch spoken {
        case .unknown:
            early.append(toxic)
            return Output()
        case .messages(let messages):
            guard toxic.scope == .request, !toxic.toxic.isOnFrames else { return Output() }
            for stream in [ToxicStream.up, .down] {
                if let stage = stage(toxic, stream) { messages.install(stage, on: stream) }
            }
            return Output()
        case .frames(let frames):
            guard let machine = toxic.toxic.frameMachine() else { return Output() }
            return frames.install(toxic, machine, at: now)
        }
    }

    func remove(_ name: String, from stream: ToxicStream, at now: NIODeadline) -> [Delivery] {
        early.removeAll { $0.name == name }
        switch spoken {
        case .unknown: return []
        case .messages(let messages): return messages.remove(name, from: stream, at: now)
        case .frames(let frames):
            frames.remove(name)
            return []
        }
    }

    // MARK: Bytes

    func heldBytes(_ stream: ToxicStream) -> Int {
        if case .messages(let messages) = spoken { messages.heldBytes(stream) } else { 0 }
    }

    var nextDeadline: NIODeadline? {
        switch spoken {
        case .unknown: nil
        case .messages(let messages): messages.nextDeadline
        case .frames(let frames): frames.nextDeadline
        }
    }

    func push(_ chunk: ByteBuffer, on stream: ToxicStream, at now: NIODeadline) -> Output {
        switch spoken {
        case .messages(let messages): return Output(messages.push(chunk, on: stream, at: now), on: stream)
        case .frames(let frames): return frames.push(chunk, on: stream, at: now)
        case .unknown(var up, var down):
            if stream == .up { up.writeImmutableBuffer(chunk) } else { down.writeImmutableBuffer(chunk) }
            // The collections are small, and are only read again when more comes.
            spoken = .unknown(up: up, down: down)
            return decide(up, down).map { begin($0, up, down, at: now) } ?? Output()
        }
    }

    func close(_ end: StreamEnd, on stream: ToxicStream, at now: NIODeadline) -> Output {
        switch spoken {
        case .messages(let messages): return Output(messages.close(end, on: stream, at: now), on: stream)
        case .frames(let frames): return frames.close(end, on: stream)
        case .unknown(let up, let down):
            var output = begin(.messages(makeMessages()), up, down, at: now)
            let rest = close(end, on: stream, at: now)
            output[stream] += rest[stream]
            return output
        }
    }

    func advance(_ stream: ToxicStream, to now: NIODeadline) -> Output {
        switch spoken {
        case .unknown: return Output()
        case .messages(let messages): return Output(messages.advance(stream, to: now), on: stream)
        case .frames(let frames): return frames.advance(to: now)
        }
    }

    // MARK: Finding out

    /// Nil while it cannot be known.
    private func decide(_ up: ByteBuffer, _ down: ByteBuffer) -> Spoken? {
        let (seen, preface) = (up.readableBytesView, FrameSplitter.preface.readableBytesView)
        if !seen.prefix(preface.count).elementsEqual(preface.prefix(seen.count)) { return .messages(makeMessages()) }
        if seen.count >= preface.count { return .frames(makeFrames()) }
        // A server of HTTP/2 may be the first to speak; it begins with SETTINGS of its own.
        return Self.mayBeSettings(down) ? nil : .messages(makeMessages())
    }

    private static func mayBeSettings(_ bytes: ByteBuffer) -> Bool {
        let start = Array(bytes.readableBytesView.prefix(FrameHead.byteCount))
        guard let head = bytes.frameHead() else { return start.first ?? 0 == 0 }
        return head.kind == .settings && head.stream == 0 && head.length <= FrameSplitter.longestFrame
    }

    private func begin(_ found: Spoken, _ up: ByteBuffer, _ down: ByteBuffer, at now: NIODeadline) -> Output {
        spoken = found
        let toxics = early
        early = []
        var output = Output()
        for toxic in toxics { output.append(install(toxic, at: now)) }
        if down.readableBytes > 0 { output.append(push(down, on: .down, at: now)) }
        if up.readableBytes > 0 { output.append(push(up, on: .up, at: now)) }
        return output
    }
}

extension Conversation.Output {
    init(_ deliveries: [Delivery], on stream: ToxicStream) { self[stream] = deliveries }

    mutating func append(_ other: Conversation.Output) {
        up += other.up
        down += other.down
    }
}
