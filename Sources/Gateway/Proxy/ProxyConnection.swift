// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// Proxies the requests of one client connection, one at a time: routes, picks a peer, forwards both ways with
/// back-pressure, tries again where that is allowed, reports to the health checks, answers by itself where nothing else
/// can. Confined to its event loop; one object for all requests of the connection.
///
///     client --ServerConnection--> ProxyConnection --ClientConnection--> upstream
///            <--- response -------                 <--- response -------
final class ProxyConnection {
    /// Bytes of a request body that are kept to be sent again if the first try fails. A longer body is sent on and let
    /// go; the request then has only the tries that fail before any of it was sent.
    static let replayBytes = 64 * 1024

    enum State {
        case idle
        /// Waits for a connection to the upstream.
        case connecting
        /// The request goes out, the response is awaited.
        case exchanging(ClientConnection)
        /// The response is on its way to the client.
        case responding(ClientConnection)
        /// Answered by the gateway itself; the rest of the request is dropped.
        case answered
    }

    let worker: ProxyWorker
    let client: ClientFacts
    var state = State.idle
    /// Counts tries over all requests of the connection: what comes back for an older one is stale.
    private var attempt = 0

    // Of the request under way
    weak var connection: ServerConnection?
    var head: RequestHead?
    var requestID = ""
    private var startedAt = NIODeadline.uptimeNanoseconds(0)
    private var sentAt = NIODeadline.uptimeNanoseconds(0)
    private var routed: RoutedRequest?
    private var plan = RetryPlan(retries: 0, method: .get, isLock: false)
    private var peer: Peer?
    /// Wants to know when the try is over.
    private var balancer: Balancer?
    private var triedAt = NIODeadline.uptimeNanoseconds(0)
    private var tried: [Peer] = []
    private var upstreamStatus: Int?
    /// What the client gets, once that is known.
    private var status: Int?
    private var routeCounters: RouteCounters?
    /// How long the upstream took for the head of its response.
    private var upstreamTime: TimeAmount?
    private var bodyBytes = 0
    private var isReusedConnection = false
    private var hasSentRequest = false
    private var held: [ByteBuffer] = []
    private var heldBytes = 0
    /// Some of the body has been sent and not kept: the request cannot be sent again.
    private var hasLetGo = false
    private var hasWholeBody = false
    private var trailers: Trailers?
    private var requestBuffer = ByteBuffer()
    private var responseBuffer = ByteBuffer()

    init(worker: ProxyWorker, client: ClientFacts) {
        self.worker = worker
        self.client = client
    }

    // MARK: A request and its tries

    private func begin(_ head: RequestHead, on connection: ServerConnection) {
        self.head = head
        self.connection = connection
        startedAt = worker.loop.now
        requestID = worker.nextRequestID()
        worker.counters.requests.add(1)
        (upstreamStatus, peer, trailers) = (nil, nil, nil)
        (status, routeCounters, upstreamTime, bodyBytes) = (nil, nil, nil, 0)
        (hasSentRequest, hasLetGo, hasWholeBody, heldBytes) = (false, false, false, 0)
        if !held.isEmpty { held.removeAll(keepingCapacity: true) }
        if !tried.isEmpty { tried.removeAll(keepingCapacity: true) }
        if head.method == .trace || head.method == .connect { return answer(.nginx(405)) }
        route(head)
    }

    private func route(_ head: RequestHead) {
        switch worker.route(head, client) {
        case .refused(let page): answer(page)
        case .routed(let request):
            plan = RetryPlan(retries: request.service.service.retries, method: head.method, isLock: request.isLock)
            routed = request
            routeCounters = request.counters
            tryNext(mayReuse: true)
        }
    }

    /// Picks a peer and sends the request there.
    private func tryNext(mayReuse: Bool) {
        guard let routed else { return }
        switch worker.pick(routed, tried: tried) {
        case .peer(let peer, let balancer):
            plan.began()
            self.balancer = balancer
            triedAt = worker.loop.now
            attempt += 1
            hasSentRequest = false
            self.peer = peer
            if mayReuse, let open = worker.pool.take(peer, routed.service.transport(to: peer)) {
                isReusedConnection = true
                exchange(on: open)
            } else {
                connect(to: peer, routed.service)
            }
        case .notYet:
            state = .connecting
            let current = attempt
            worker.atNextSnapshot { [weak self] in
                guard let self, attempt == current, case .connecting = state, let head = self.head else { return }
                route(head)
                flushRequest()
            }
        case .none(let page):
            // A second try without a peer is nginx's own 503 (kong-facts 4.4).
            answer(plan.tries == 0 ? page : .nginx(503))
        }
    }

    private func connect(to peer: Peer, _ service: CompiledService) {
        state = .connecting
        isReusedConnection = false
        let current = attempt
        worker.connect(to: peer, service) { [self] (result: ConnectResult) in
            guard attempt == current, case .connecting = state else {
                if case .success(let open) = result { worker.pool.put(open, peer, service.transport(to: peer)) }
                return
            }
            switch result {
            case .success(let open):
                exchange(on: open)
                flushRequest()
            case .failure(let failure): tryFailed(failure)
            }
        }
    }

    private func exchange(on upstream: ClientConnection) {
        guard let head, let routed, let peer else { return }
        state = .exchanging(upstream)
        upstream.delegate = self
        sentAt = worker.loop.now
        let host = routed.hostField(for: peer)
        let request = ForwardedRequest.write(
            head, uri: routed.uri, host: host, client: client, strippedPrefix: routed.strippedPrefix,
            requestID: requestID, into: requestBuffer)
        requestBuffer = ByteBuffer()
        let service = routed.service.service
        upstream.send(
            request, method: head.method, framing: head.framing, write: service.writeTimeout, read: service.readTimeout)
        hasSentRequest = true
        for slice in held { upstream.send(body: slice) }
        if heldBytes > Self.replayBytes { letGo() }
        if hasWholeBody || head.framing == .none {
            upstream.sendEnd(trailers: trailers)
        } else if upstream.isWritable {
            connection?.resumeReading()
        }
    }

    /// Sends what there is of a request that is still coming; what came together leaves together.
    private func flushRequest() {
        switch state {
        case .exchanging(let upstream), .responding(let upstream):
            if !upstream.hasSentAll { upstream.flush() }
        case .idle, .connecting, .answered: break
        }
    }

    private func letGo() {
        hasLetGo = true
        if !held.isEmpty { releaseHeld() }
    }

    private func releaseHeld() {
        held.removeAll(keepingCapacity: true)
        heldBytes = 0
    }

    /// Tells the balancer that the try is over, with its duration if it brought an answer.
    private func tryEnded(hasAnswer: Bool) {
        guard let balancer, let target = peer?.target else { return }
        self.balancer = nil
        let now = worker.loop.now
        balancer.ended(target, took: hasAnswer ? now - triedAt : nil, now: now)
    }

    private func tryFailed(_ failure: AttemptFailure) {
        guard let peer else { return }
        tryEnded(hasAnswer: false)
        tried.append(peer)
        let decision = plan.failed(
            failure, hasSentRequest: hasSentRequest, canReplay: !hasLetGo, wasReused: isReusedConnection)
        switch decision {
        case .retry(let report):
            self.report(report)
            tryNext(mayReuse: false)
        case .giveUp(let report, let status):
            self.report(report)
            answer(.nginx(status))
        }
    }

    private func report(_ report: AttemptReport) {
        guard let target = peer?.target else { return }
        worker.report(report, target, requestID: requestID, head: head)
    }

    /// What a request is counted as whose client did not wait for the answer (nginx).
    private static let clientHasGone = 499

    private func count(_ connection: ServerConnection, status: Int) {
        let isFromService = upstreamStatus != nil && status == upstreamStatus
        (routeCounters ?? worker.unrouted).count(
            CountedRequest(
                status: status, isFromService: isFromService,
                ingress: (head?.bytes.readableBytes ?? 0) + bodyBytes, egress: connection.bytesSent,
                total: (worker.loop.now - startedAt).nanoseconds,
                upstream: isFromService ? upstreamTime?.nanoseconds : nil))
    }

    // MARK: Answers of the gateway itself

    private func answer(_ page: ErrorPage) {
        guard let connection else { return }
        state = .answered
        status = page.status
        attempt += 1
        releaseHeld()
        let (response, body) = worker.page(
            page, head: head, client: client, requestID: requestID, since: startedAt)
        connection.resumeReading()
        connection.respond(response, body: body)
    }
}

// MARK: From the client

extension ProxyConnection: ServerDelegate {
    func received(head: RequestHead, on connection: ServerConnection) {
        worker.counters.writing.add(1)
        begin(head, on: connection)
    }

    func received(body: ByteBuffer, on connection: ServerConnection) {
        bodyBytes += body.readableBytes
        switch state {
        case .exchanging(let upstream), .responding(let upstream):
            if !hasLetGo, heldBytes + body.readableBytes <= Self.replayBytes { hold(body) } else { letGo() }
            upstream.send(body: body)
            // An upstream that failed meanwhile is not writable either; its successor asks for more by itself.
            if upstream.isOpen, !upstream.isWritable { connection.pauseReading() }
        case .idle, .connecting:
            hold(body)
            if heldBytes > Self.replayBytes { connection.pauseReading() }
        case .answered: break
        }
    }

    private func hold(_ body: ByteBuffer) {
        held.append(body)
        heldBytes += body.readableBytes
    }

    func receivedEnd(trailers: Trailers?, on connection: ServerConnection) {
        hasWholeBody = true
        self.trailers = trailers
        switch state {
        case .exchanging(let upstream), .responding(let upstream):
            if !upstream.hasSentAll { upstream.sendEnd(trailers: trailers) }
        case .idle, .connecting, .answered: break
        }
    }

    func readCompleted(on connection: ServerConnection) { flushRequest() }

    func exchangeEnded(on connection: ServerConnection) {
        switch state {
        case .idle: return
        case .exchanging(let upstream), .responding(let upstream): upstream.close()
        case .connecting, .answered: break
        }
        attempt += 1
        tryEnded(hasAnswer: false)
        state = .idle
        worker.counters.writing.add(-1)
        count(connection, status: status ?? Self.clientHasGone)
        head = nil
        routed = nil
        peer = nil
        if !held.isEmpty { releaseHeld() }
    }

    func writabilityChanged(on connection: ServerConnection) {
        guard case .responding(let upstream) = state else { return }
        if connection.isWritable { upstream.resumeReading() } else { upstream.pauseReading() }
    }

    func closed(on connection: ServerConnection) {
        attempt += 1
        switch state {
        case .exchanging(let upstream), .responding(let upstream):
            // A client that goes away reports what is known so far (kong-facts 6.4).
            if let upstreamStatus { report(.last(status: upstreamStatus)) }
            upstream.close()
        case .idle, .connecting, .answered: break
        }
        tryEnded(hasAnswer: false)
        if case .idle = state {
        } else {
            worker.counters.writing.add(-1)
            count(connection, status: status ?? Self.clientHasGone)
        }
        state = .idle
        releaseHeld()
        worker.closed(connection)
    }

    func refusal(
        status: Int, error: WireError?, on connection: ServerConnection
    ) -> (head: HeadWriter, body: ByteBuffer) {
        worker.unrouted.count(
            CountedRequest(status: status, isFromService: false, ingress: 0, egress: 0, total: 0, upstream: nil))
        return worker.page(
            .refusal(status: status, error), head: nil, client: client, requestID: worker.nextRequestID(),
            since: worker.loop.now)
    }
}

// MARK: From the upstream

extension ProxyConnection: ClientDelegate {
    func received(head response: ResponseHead, on upstream: ClientConnection) {
        guard let head, let connection, case .exchanging = state else { return }
        state = .responding(upstream)
        upstreamStatus = response.status
        let now = worker.loop.now
        status = response.status
        upstreamTime = now - sentAt
        let latency = ProxyLatency(proxy: milliseconds(sentAt - startedAt), upstream: milliseconds(now - sentAt))
        var writer = ForwardedResponse.write(
            response, requestVersion: head.version, keepsTrailer: head.acceptsTrailers, latency: latency,
            requestID: requestID, date: worker.date(), into: responseBuffer)
        responseBuffer = ByteBuffer()
        if let cookie = routed?.setCookie { writer.add("Set-Cookie", cookie) }
        var framing = response.framing
        // After HEAD and with 304 the length is that of a body which is not there.
        if head.method == .head || response.status == 304 {
            let length = response.fields.contentLength
            framing = length.map { $0 > 0 ? .length($0) : .none } ?? (head.method == .head ? .untilClose : .none)
        }
        connection.send(writer, framing: framing)
    }

    func received(body: ByteBuffer, on upstream: ClientConnection) {
        guard case .responding = state, let connection else { return }
        connection.send(body: body)
        if !connection.isWritable { upstream.pauseReading() }
    }

    func readCompleted(on upstream: ClientConnection) {
        guard case .responding = state, let connection else { return }
        connection.flush()
        if !connection.isWritable { upstream.pauseReading() }
    }

    func receivedEnd(trailers: Trailers?, on upstream: ClientConnection) {
        guard case .responding = state, let connection, let peer, let routed else { return }
        tryEnded(hasAnswer: true)
        if let upstreamStatus { report(.last(status: upstreamStatus)) }
        if upstream.isReusable { worker.pool.put(upstream, peer, routed.service.transport(to: peer)) }
        // The request may still be coming; nobody wants the rest of it any more.
        state = .answered
        connection.resumeReading()
        connection.sendEnd(trailers: trailers)
    }

    func writabilityChanged(on upstream: ClientConnection) {
        if upstream.isWritable { connection?.resumeReading() }
    }

    func failed(_ failure: ClientFailure, on upstream: ClientConnection) {
        switch state {
        case .exchanging:
            state = .connecting
            tryFailed(AttemptFailure(failure))
        case .responding:
            // The head has gone to the client: all that can be done is to end the connection where the body broke off.
            if let upstreamStatus { report(.last(status: upstreamStatus)) }
            state = .answered
            connection?.flush()
            connection?.close()
        case .idle, .connecting, .answered: break
        }
    }
}

extension AttemptFailure {
    init(_ failure: ClientFailure) {
        self =
            switch failure {
            case .closed, .reset, .cancelled: .closedBeforeResponse
            case .writeTimedOut: .writeTimedOut
            case .readTimedOut: .readTimedOut
            case .badResponse: .badResponse
            }
    }
}

/// Whole milliseconds, as Kong's latency fields have them.
func milliseconds(_ interval: TimeAmount) -> Int { Int(interval.nanoseconds / 1_000_000) }

extension RequestHead {
    /// The client said `TE: trailers`.
    var acceptsTrailers: Bool {
        guard fields.list.contains(where: { $0.known == .te }) else { return false }
        return value(of: "te")?.lowercased().contains("trailers") ?? false
    }
}
