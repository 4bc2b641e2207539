// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import Wire
import World

/// Follows `GET /events` of a gateway's Admin API: one JSON object a line, from the moment it is open to the gateway's
/// end. Lives on one loop.
final class EventStream {
    enum Event {
        case record(JSONValue)
        /// A line that is no JSON object, or numbers of records that are missing: evidence is lost.
        case damaged(String)
        /// The gateway has closed the stream, or it broke.
        case ended
    }

    /// A gateway without news is silent for as long as it likes.
    private static let silence = TimeAmount.hours(24)

    private let address: SocketAddress
    private let world: World
    private let loop: any EventLoop
    private let onEvent: (Event) -> Void
    private let connection = ClientConnection()
    private var opened: EventLoopPromise<Void>?
    private var rest = ByteBuffer()
    private var lastSequence: Int?
    private var isOver = false

    init(admin address: SocketAddress, world: World, loop: any EventLoop, onEvent: @escaping (Event) -> Void) {
        self.address = address
        self.world = world
        self.loop = loop
        self.onEvent = onEvent
    }

    /// - Returns: when the gateway has begun to answer: what happens from now on is seen. Fails with `TopologyError`.
    func open() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        let promise = loop.makePromise(of: Void.self)
        opened = promise
        let connection = NIOLoopBound(connection, eventLoop: loop)
        world.network.connect(to: address, on: loop, timeout: .seconds(5)) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(connection.value) }
        }
        .assumeIsolated()
        .whenComplete { result in
            switch result {
            case .success: self.send()
            case .failure(let error): self.end("\(error)")
            }
        }
        return promise.futureResult
    }

    func close() {
        isOver = true
        connection.close()
    }

    private func send() {
        var head = HeadWriter(method: "GET", target: "/events")
        head.add("Host", "\(address.ipAddress ?? "localhost"):\(address.port ?? 80)")
        connection.delegate = self
        connection.send(head, method: .get, framing: .none, read: Self.silence)
        connection.sendEnd()
    }

    private func end(_ reason: String) {
        opened?.fail(TopologyError("the event stream of \(address) cannot be read: \(reason)"))
        opened = nil
        guard !isOver else { return }
        isOver = true
        onEvent(.ended)
    }

    private func received(line: ByteBuffer) {
        guard line.readableBytes > 0 else { return }
        guard let record = try? JSONValue(parsing: line.readableBytesView), record.objectValue != nil else {
            return onEvent(.damaged("a line is no JSON object: \(String(buffer: line).prefix(80))"))
        }
        if let sequence = record["seq"]?.intValue {
            if let last = lastSequence, sequence != last + 1 {
                onEvent(.damaged("events \(last + 1) to \(sequence - 1) are missing"))
            }
            lastSequence = sequence
        }
        onEvent(.record(record))
    }
}

extension EventStream: ClientDelegate {
    func received(head: ResponseHead, on connection: ClientConnection) {
        guard head.status == 200 else {
            let status = head.status
            connection.close()
            return end("status \(status)")
        }
        opened?.succeed()
        opened = nil
    }

    func received(body: ByteBuffer, on connection: ClientConnection) {
        rest.addInbound(body)
        for line in Pipe.takeLines(from: &rest) { received(line: line) }
    }

    func receivedEnd(trailers: Trailers?, on connection: ClientConnection) { end("it has ended") }
    func failed(_ failure: ClientFailure, on connection: ClientConnection) { end("\(failure)") }
}
