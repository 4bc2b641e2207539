// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// One request of a load from its planned start to its end, whichever comes of it. Confined to the load's event loop.
final class LoadExchange: ClientDelegate {
    private(set) var result: LoadResult
    private(set) var isOver = false
    /// When it is given up.
    let deadline: NIODeadline
    private let request: PreparedRequest
    private let clock: LoadClock
    private var connection: LoadConnection?
    private var isSentWhole = false
    /// Called once, when it is over; lets go of it then.
    private var ended: ((LoadExchange) -> Void)?
    private let pool: LoadPool

    /// - Parameter result: with its number, planned start and load; the rest is filled in here.
    init(
        _ result: LoadResult, request: PreparedRequest, clock: LoadClock, timeout: TimeAmount,
        pool: LoadPool,
        ended: @escaping (LoadExchange) -> Void
    ) {
        self.result = result
        self.request = request
        self.clock = clock
        self.pool = pool
        self.ended = ended
        deadline = clock.loop.now + timeout
    }

    func start(on connection: LoadConnection) {
        self.connection = connection
        result.connection = connection.number
        let client = connection.client
        client.delegate = self
        result.sent = clock.now
        client.send(whole: request.bytes, method: request.method)
        isSentWhole = client.hasSentAll
    }

    func received(head: ResponseHead, on connection: ClientConnection) {
        result.firstByte = clock.now
        result.status = head.status
        for field in head.fields.list {
            switch field.known {
            case .xKongResponseLatency: result.origin = .gateway
            case .xKongUpstreamLatency, .via: if result.origin == .unknown { result.origin = .upstream }
            default: break
            }
        }
    }

    func received(body: ByteBuffer, on connection: ClientConnection) { result.bytes += body.readableBytes }

    func receivedEnd(trailers: Trailers?, on connection: ClientConnection) { end(nil) }

    func failed(_ failure: ClientFailure, on connection: ClientConnection) {
        switch failure {
        case .closed: end(.closed)
        case .reset: end(.reset)
        case .readTimedOut, .writeTimedOut: end(.timeout)
        case .badResponse: end(.protocolError)
        case .cancelled: end(.aborted)
        }
    }

    /// Ends it, now: with a complete answer (nil) or without one.
    func end(_ failure: LoadResult.Failure?) {
        guard !isOver else { return }
        isOver = true
        result.ended = clock.now
        result.failure = failure
        result.outcome = outcome(failure)
        let connection = connection
        self.connection = nil
        if let connection {
            if failure == .timeout || failure == .aborted { connection.client.close() }
            pool.release(connection)
        }
        ended?(self)
        ended = nil
    }

    private func outcome(_ failure: LoadResult.Failure?) -> LoadResult.Outcome {
        if let status = result.status, status >= 400 { return .failed }
        if failure == nil { return .ok }
        return isSentWhole ? .unknown : .failed
    }
}

/// The clock of a load: its event loop's, from the load's start.
struct LoadClock {
    let loop: any EventLoop
    let start: NIODeadline

    var now: Nanoseconds { Nanoseconds((loop.now - start).nanoseconds) }
    func deadline(of moment: Nanoseconds) -> NIODeadline { start + moment.timeAmount }
}
