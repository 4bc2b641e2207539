// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// One request of a load from its planned start to its end, whichever comes of it. Confined to the load's event loop.
final class LoadExchange: ClientDelegate {
    private(set) var result: LoadResult
    private(set) var isOver = false
    /// When it is given up.
    let deadline: NIODeadline
    private let request: PreparedRequest
    private let clock: LoadClock
    /// Gives back what carried it; called once.
    private var release: ((LoadResult.Failure?) -> Void)?
    private var isSentWhole = false
    /// Called once, when it is over; lets go of it then.
    private var ended: ((LoadExchange) -> Void)?

    /// - Parameter result: with its number, planned start and load; the rest is filled in here.
    init(
        _ result: LoadResult, request: PreparedRequest, clock: LoadClock, timeout: TimeAmount,
        ended: @escaping (LoadExchange) -> Void
    ) {
        self.result = result
        self.request = request
        self.clock = clock
        self.ended = ended
        deadline = clock.loop.now + timeout
    }

    /// What is sent, as its bytes.
    var bytes: ByteBuffer { request.bytes }

    /// - Parameters:
    ///   - number: of the connection.
    ///   - release: called once at the end, with what went wrong.
    func begin(on number: Int, release: @escaping (LoadResult.Failure?) -> Void) {
        result.connection = number
        self.release = release
    }

    func start(on connection: LoadConnection, release: @escaping (LoadResult.Failure?) -> Void) {
        begin(on: connection.number, release: release)
        let client = connection.client
        client.delegate = self
        result.sent = clock.now
        client.send(whole: request.bytes, method: request.method)
        isSentWhole = client.hasSentAll
    }

    /// A message was handed to the kernel. What a session took to open is no part of its latency.
    func leftWhole() {
        let now = clock.now
        (result.sent, result.planned) = (now, now)
        isSentWhole = true
    }

    /// The message has come back.
    func echoed(bytes: Int) {
        result.firstByte = clock.now
        result.status = 200
        result.bytes = bytes
        end(nil)
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
        end(LoadResult.Failure(failure))
    }

    /// Ends it, now: with a complete answer (nil) or without one.
    func end(_ failure: LoadResult.Failure?) {
        guard !isOver else { return }
        isOver = true
        result.ended = clock.now
        result.failure = failure
        result.outcome = outcome(failure)
        let release = release
        self.release = nil
        release?(failure)
        ended?(self)
        ended = nil
    }

    private func outcome(_ failure: LoadResult.Failure?) -> LoadResult.Outcome {
        if let status = result.status, status >= 400 { return .failed }
        if failure == nil { return .ok }
        return isSentWhole ? .unknown : .failed
    }
}

extension LoadResult.Failure {
    init(_ failure: ClientFailure) {
        switch failure {
        case .closed: self = .closed
        case .reset: self = .reset
        case .readTimedOut, .writeTimedOut: self = .timeout
        case .badResponse: self = .protocolError
        case .cancelled: self = .aborted
        }
    }

    init(connecting error: any Error) {
        switch (error as? NetworkError)?.code {
        case .refused: self = .refused
        case .timedOut: self = .connectTimeout
        case .reset: self = .reset
        default: self = .other
        }
    }
}

/// The clock of a load: its event loop's, from the load's start.
struct LoadClock {
    let loop: any EventLoop
    let start: NIODeadline

    var now: Nanoseconds { Nanoseconds((loop.now - start).nanoseconds) }
    func deadline(of moment: Nanoseconds) -> NIODeadline { start + moment.timeAmount }
}
