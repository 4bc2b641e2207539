// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import Wire
import World

/// One client of a bench: a place for one request at a time, on a connection that is opened again when the server has
/// closed it. Confined to its worker's event loop.
final class BenchConnection: ClientDelegate {
    /// Nanoseconds from the start of the round.
    private(set) var planned: Int64 = 0
    private(set) var sent: Int64 = 0
    private(set) var status = 0
    private(set) var bytes = 0
    private(set) var isBusy = false
    /// A request is under way and the server has given it no answer yet.
    private var hasHead = false
    private var request: PreparedRequest
    /// Nil when this connection is given up.
    private var worker: BenchWorker?
    private var client: ClientConnection?
    private var deadline: Deadline?
    private var hasTLSFailure = false
    /// Tells the connection that a future brings too late from the one that is wanted.
    private var attempt = 0

    init(worker: BenchWorker) {
        self.worker = worker
        request = worker.job.requests[0]
        deadline = Deadline(on: worker.loop) { [unowned self] in self.end(.timeout) }
    }

    private var isOpen: Bool { client.map { $0.isOpen && $0.isReusable } ?? false }

    // MARK: Inputs

    /// Opens the connection before it is needed.
    func open() -> EventLoopFuture<Void> {
        guard let worker else { preconditionFailure("a connection that was given up is not opened") }
        return connect(worker).map { _ in }
    }

    /// Sends a request, as soon as there is a connection; the worker is told of its end.
    ///
    /// - Parameter takenUp: when its time began to run out: before now when it had to wait for this connection.
    func start(_ request: PreparedRequest, planned: Int64, takenUp: Int64, now: Int64) {
        guard let worker else { return }
        self.request = request
        self.planned = planned
        (sent, status, bytes, isBusy, hasHead) = (planned, 0, 0, true, false)
        deadline?.set(at: worker.deadline(of: takenUp) + worker.job.timeout)
        if isOpen { return send(at: now) }
        let connecting = connect(worker)
        let attempt = attempt
        connecting.assumeIsolated().whenComplete { [self] result in
            guard isBusy, self.attempt == attempt else { return }
            switch result {
            case .success: if isOpen { send(at: worker.now) } else { end(hasTLSFailure ? .tls : .closedEarly) }
            case .failure(let error): end(BenchFailure(connecting: error))
            }
        }
    }

    /// Gives up what is under way, and closes; nobody hears of it.
    func close() {
        isBusy = false
        worker = nil
        deadline?.cancel()
        deadline = nil
        client?.close()
        client = nil
    }

    // MARK: Connection

    private func connect(_ worker: BenchWorker) -> EventLoopFuture<any Channel> {
        client?.close()
        let client = ClientConnection(isAlone: worker.job.tls == nil)
        self.client = client
        hasTLSFailure = false
        attempt += 1
        let (attempt, loop, tls) = (attempt, worker.loop, worker.job.tls)
        let bound = NIOLoopBound((client, self), eventLoop: loop)
        let connecting = worker.network.connect(to: worker.job.address, on: loop, timeout: worker.job.timeout) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                let (client, connection) = bound.value
                if let tls {
                    try pipeline.addHandler(NIOSSLClientHandler(context: tls.context, serverHostname: tls.serverName))
                    try pipeline.addHandler(TLSWatch { [weak connection] in connection?.failedTLS($0) })
                }
                try pipeline.addHandler(client)
            }
        }
        return connecting.assumeIsolated().map { [self] channel in
            // Given up, or timed out and begun again, meanwhile.
            if self.worker == nil || self.attempt != attempt { client.close() } else { worker.opened() }
            return channel
        }.nonisolated()
    }

    private func failedTLS(_ error: any Error) {
        hasTLSFailure = true
        worker?.tlsProblem = Self.words(error)
    }

    /// `certificate verify failed` of what BoringSSL says with file names and numbers around it.
    private static func words(_ error: any Error) -> String {
        let text = "\(error)"
        guard let start = text.firstRange(of: "OPENSSL_internal:")?.upperBound else { return text }
        return text[start...].prefix { $0.isUppercase || $0 == "_" || $0.isNumber }.lowercased().replacing(
            "_", with: " ")
    }

    private func send(at now: Int64) {
        guard let client else { return }
        sent = now
        client.delegate = self
        client.send(whole: request.bytes, method: request.method)
    }

    private func end(_ failure: BenchFailure?) {
        guard isBusy, let worker else { return }
        isBusy = false
        deadline?.clear()
        if failure == .timeout || !worker.job.reusesConnections {
            attempt += 1
            client?.close()
            client = nil
        }
        worker.ended(self, failure)
    }

    // MARK: Answers

    func received(head: ResponseHead, on connection: ClientConnection) {
        hasHead = true
        status = head.status
    }

    func received(body: ByteBuffer, on connection: ClientConnection) { bytes += body.readableBytes }

    func receivedEnd(trailers: Trailers?, on connection: ClientConnection) { end(status >= 400 ? .badStatus : nil) }

    func failed(_ failure: ClientFailure, on connection: ClientConnection) {
        end(hasTLSFailure ? .tls : BenchFailure(failure, hasHead: hasHead))
    }
}

/// Notes that what closed a connection was TLS's doing.
private final class TLSWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let failed: (any Error) -> Void

    init(_ failed: @escaping (any Error) -> Void) { self.failed = failed }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isUnclean = if case .uncleanShutdown? = error as? NIOSSLError { true } else { false }
        if !isUnclean, error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError {
            failed(error)
        }
        context.fireErrorCaught(error)
    }
}
