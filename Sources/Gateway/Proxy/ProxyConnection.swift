// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

#if GATECRASH_DEFECTS
import Defects
#endif

/// Proxies the requests of one client connection, one at a time: routes, picks a peer, forwards both ways with
/// back-pressure, tries again where that is allowed, reports to the health checks, answers by itself where nothing else
/// can. Confined to its event loop; one object for all requests of the connection.
///
///     client --ServerConnection--> ProxyConnection --ClientConnection--> upstream
///            <--- response -------                 <--- response -------
final class ProxyConnection {
    /// Bytes of a streamed request body that are kept while the connection to the upstream is being opened.
    static let aheadBytes: Int64 = 64 * 1024

    enum State {
        case idle
        /// Reads the whole body before an upstream hears of the request.
        case buffering
        /// Waits for a connection to the upstream.
        case connecting
        /// The request goes out, the response is awaited.
        case exchanging(ClientConnection)
        /// The response is on its way to the client.
        case responding(ClientConnection)
        /// The upstream has done its part. The end waits for the client to take what is ahead of it, or for the health
        /// monitor to hear of a failure.
        case finishing(Trailers?)
        /// Answered, by the upstream or by the gateway itself; the rest of the request is dropped.
        case answered
    }

    let worker: ProxyWorker
    let client: ClientFacts
    var state = State.idle
    /// Counts tries over all requests of the connection: what comes back for an older one is stale.
    private var attempt = 0

    // Of the request under way
    var connection: ServerConnection?
    var head: RequestHead?
    var requestID: RequestID
    private var startedAt = NIODeadline.uptimeNanoseconds(0)
    private var sentAt = NIODeadline.uptimeNanoseconds(0)
    private var routed: RoutedRequest?
    private var plan = RetryPlan(retries: 0, method: .get, isLock: false)
    var peer: Peer?
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
    /// The response is read on while the client has no room for it.
    var readsAhead = false
    var ahead = ReadAhead()
    /// Failures that the health monitor has not confirmed: no worker may pick the target again once the client knows.
    var unconfirmedReports = 0
    /// An answer of the gateway's own that waits for them.
    var heldAnswer: (head: HeadWriter, body: ByteBuffer)?
    /// Counts the requests of the connection: what is confirmed for an older one is stale.
    var requestNumber = 0
    private var isReusedConnection = false
    private var hasSentRequest = false
    var body = RequestBody()
    /// The body is kept whole, and the request goes out when it has come.
    private(set) var buffersBody = false
    /// Where sending out of the body's file has got to; nil when it does not come from there.
    var fileOffset: Int64?
    /// Some of the body was sent and not kept, or some of a response: the request cannot be sent again.
    private(set) var hasLetGo = false
    private(set) var hasWholeBody = false
    private(set) var trailers: Trailers?

    init(worker: ProxyWorker, client: ClientFacts) {
        self.worker = worker
        requestID = worker.nextRequestID()
        self.client = client
    }

    /// The PROXY protocol has told the client's address, or that it has none.
    func learned(_ source: SocketAddress?) {
        guard let address = source?.ipAddress, worker.believesProxyProtocol(client) else { return }
        client.address = address
    }

    // MARK: A request and its tries

    private func begin(_ head: RequestHead, on connection: ServerConnection) {
        self.head = head
        self.connection = connection
        startedAt = connection.now
        requestNumber &+= 1
        requestID = worker.nextRequestID()
        worker.counters.requests.add(1)
        (upstreamStatus, peer, trailers) = (nil, nil, nil)
        (status, routeCounters, upstreamTime, bodyBytes) = (nil, nil, nil, 0)
        (hasSentRequest, hasLetGo, hasWholeBody, buffersBody) = (false, false, false, false)
        if head.framing != .none { body = RequestBody() }
        if !tried.isEmpty { tried.removeAll(keepingCapacity: true) }
        if client.isTrusted { client.address = worker.clientAddress(head, client) }
        if head.method == .trace || head.method == .connect { return answer(.nginx(405)) }
        if case .length(let length) = head.framing, length > worker.longestBody { return refuseBody() }
        route(head)
    }

    private func route(_ head: RequestHead) {
        switch worker.route(head, client) {
        case .refused(let page): answer(page)
        case .routed(let request):
            plan = RetryPlan(retries: request.service.retries, method: head.method, isLock: request.isLock)
            routed = request
            routeCounters = request.counters
            buffersBody = request.buffersRequest && head.framing != .none
            if buffersBody, !hasWholeBody {
                state = .buffering
            } else {
                tryNext()
            }
        }
    }

    /// Picks a peer and sends the request there.
    private func tryNext() {
        guard let routed else { return }
        switch worker.pick(routed, tried: tried) {
        case .peer(let peer, let balancer):
            plan.began()
            self.balancer = balancer
            let now = worker.loop.now
            triedAt = now
            attempt += 1
            hasSentRequest = false
            self.peer = peer
            // Only a peer that has failed this request needs a new connection; else every failure would leave one more
            // behind with the others.
            if !tried.contains(where: { $0.identity === peer.identity }),
                let open = worker.idleConnections(peer, routed).take()
            {
                isReusedConnection = true
                exchange(on: open, now)
            } else {
                connect(to: peer, routed)
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

    private func connect(to peer: Peer, _ routed: RoutedRequest) {
        state = .connecting
        isReusedConnection = false
        let current = attempt
        worker.connect(to: peer, routed.service) { [self] (result: ConnectResult) in
            guard attempt == current, case .connecting = state else {
                if case .success(let open) = result { worker.idleConnections(peer, routed).put(open) }
                return
            }
            switch result {
            case .success(let open):
                exchange(on: open, worker.loop.now)
                flushRequest()
            case .failure(let failure): tryFailed(failure)
            }
        }
    }

    private func exchange(on upstream: ClientConnection, _ now: NIODeadline) {
        guard let head, let routed, let peer else { return }
        state = .exchanging(upstream)
        upstream.delegate = self
        sentAt = now
        let request = ForwardedRequest(
            head, uri: routed.uri, host: routed.hostField(for: peer), client: client,
            strippedPrefix: routed.strippedPrefix, requestID: requestID)
        upstream.send(
            method: head.method, framing: buffersBody ? wholeFraming : head.framing, atMost: request.longest,
            write: routed.service.writeTimeout, read: routed.service.readTimeout,
            offersUpgrade: head.asksForWebSocket
        ) { request.write(to: &$0) }
        hasSentRequest = true
        sendBody(head, to: upstream)
    }

    /// Sends what there is of the body, and the end of the request if it has come.
    private func sendBody(_ head: RequestHead, to upstream: ClientConnection) {
        if body.file != nil {
            fileOffset = 0
            return sendFile(to: upstream)
        }
        for slice in body.slices { upstream.send(body: slice) }
        if !buffersBody, body.kept > 0 { letGo() }
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
        case .idle, .buffering, .connecting, .finishing, .answered: break
        }
    }

    private func letGo() {
        hasLetGo = true
        if body.kept > 0 { body.release() }
    }

    /// Tells the balancer that the try is over, with its duration if it brought an answer.
    private func tryEnded(hasAnswer: Bool, _ now: NIODeadline) {
        guard let balancer, let target = peer?.target else { return }
        self.balancer = nil
        balancer.ended(target, took: hasAnswer ? now - triedAt : nil, now: now)
    }

    private func tryFailed(_ failure: AttemptFailure) {
        guard let peer else { return }
        tryEnded(hasAnswer: false, worker.loop.now)
        tried.append(peer)
        let decision = plan.failed(
            failure, hasSentRequest: hasSentRequest, canReplay: !hasLetGo, wasReused: isReusedConnection)
        switch decision {
        case .retry(let report):
            self.report(report)
            tryNext()
        case .giveUp(let report, let status):
            self.report(report)
            answer(.nginx(status))
        }
    }

    /// What a request is counted as whose client did not wait for the answer (nginx).
    private static let clientHasGone = 499

    private func count(_ connection: ServerConnection, status: Int, _ now: NIODeadline) {
        let isFromService = upstreamStatus != nil && status == upstreamStatus
        (routeCounters ?? worker.unrouted).count(
            CountedRequest(
                status: status, isFromService: isFromService,
                ingress: (head?.bytes.readableBytes ?? 0) + bodyBytes, egress: connection.bytesSent,
                total: (now - startedAt).nanoseconds,
                upstream: isFromService ? upstreamTime?.nanoseconds : nil))
    }

    // MARK: Answers of the gateway itself

    func answer(_ page: ErrorPage) {
        guard let connection else { return }
        state = .answered
        status = page.status
        attempt += 1
        fileOffset = nil
        body.release()
        let (response, body) = worker.page(
            page, head: head, client: client, requestID: requestID, since: startedAt)
        connection.resumeReading()
        if unconfirmedReports > 0 {
            heldAnswer = (response, body)
        } else {
            connection.respond(response, body: body)
        }
    }
}

// MARK: From the client

extension ProxyConnection: ServerDelegate {
    func received(head: RequestHead, on connection: ServerConnection) {
        worker.counters.writing.add(1)
        begin(head, on: connection)
    }

    func received(body bytes: ByteBuffer, on connection: ServerConnection) {
        bodyBytes += bytes.readableBytes
        body.received += Int64(bytes.readableBytes)
        if body.received > worker.longestBody, !isTunnel { return refuseBody() }
        switch state {
        case .exchanging(let upstream), .responding(let upstream):
            hasLetGo = true
            upstream.send(body: bytes)
            // An upstream that failed meanwhile is not writable either; its successor asks for more by itself.
            if upstream.isOpen, !upstream.isWritable { connection.pauseReading() }
        case .buffering: keep(bytes)
        case .idle, .connecting:
            body.keep(bytes)
            if body.kept > Self.aheadBytes { connection.pauseReading() }
        case .finishing, .answered: break
        }
    }

    func receivedEnd(trailers: Trailers?, on connection: ServerConnection) {
        hasWholeBody = true
        self.trailers = trailers
        switch state {
        case .exchanging(let upstream), .responding(let upstream):
            if !upstream.hasSentAll { upstream.sendEnd(trailers: trailers) }
        case .buffering: tryNext()
        case .idle, .connecting, .finishing, .answered: break
        }
    }

    func readCompleted(on connection: ServerConnection) { flushRequest() }

    func exchangeEnded(on connection: ServerConnection) {
        switch state {
        case .idle: return
        case .exchanging(let upstream), .responding(let upstream):
            if isTunnel { report(.last(status: 101)) }
            upstream.close()
        case .buffering, .connecting, .finishing, .answered: break
        }
        attempt += 1
        tryEnded(hasAnswer: false, connection.now)
        state = .idle
        worker.counters.writing.add(-1)
        count(connection, status: status ?? Self.clientHasGone, connection.now)
        head = nil
        self.connection = nil
        routed = nil
        peer = nil
        endExchange()
    }

    func writabilityChanged(on connection: ServerConnection) {
        switch state {
        case .responding(let upstream):
            guard connection.isWritable else {
                if !readsAhead { upstream.pauseReading() }
                return
            }
            sendAhead(on: connection)
            if connection.isWritable { upstream.resumeReading() }
        case .finishing: finishResponse()
        case .idle, .buffering, .connecting, .exchanging, .answered: break
        }
    }

    func closed(on connection: ServerConnection) {
        attempt += 1
        switch state {
        case .exchanging(let upstream), .responding(let upstream):
            // A client that goes away reports what is known so far (kong-facts 6.4).
            if let upstreamStatus { report(.last(status: upstreamStatus)) }
            upstream.close()
        case .idle, .buffering, .connecting, .finishing, .answered: break
        }
        let now = worker.loop.now
        tryEnded(hasAnswer: false, now)
        if case .idle = state {
        } else {
            worker.counters.writing.add(-1)
            count(connection, status: status ?? Self.clientHasGone, now)
        }
        state = .idle
        self.connection = nil
        endExchange()
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
    func received(interim response: ResponseHead, on upstream: ClientConnection) {
        // 100 answers an Expect, and that was dealt with here (kong-facts 4.1).
        guard case .exchanging = state, response.status != 100 else { return }
        hasLetGo = true
        connection?.send(interim: ForwardedResponse.interim(response))
    }

    func received(head response: ResponseHead, on upstream: ClientConnection) {
        guard let head, let connection, case .exchanging = state else { return }
        state = .responding(upstream)
        upstreamStatus = response.status
        let now = upstream.now
        status = response.status
        upstreamTime = now - sentAt
        let latency = ProxyLatency(proxy: milliseconds(sentAt - startedAt), upstream: milliseconds(now - sentAt))
        let forwarded = ForwardedResponse(
            response, keepsTrailer: head.acceptsTrailers, latency: latency, requestID: requestID,
            setCookie: routed?.setCookie)
        if upstream.isTunnel {
            var bytes = ByteBuffer()
            bytes.append(atMost: forwarded.longest) { forwarded.write(to: &$0, date: worker.date) }
            return beginTunnel(HeadWriter(startedIn: bytes, status: response.status), response)
        }
        readsAhead = routed?.readsAhead ?? false
        if readsAhead { ahead.begin() }
        var framing = response.framing
        // After HEAD and with 304 the length is that of a body which is not there.
        if head.method == .head || response.status == 304 {
            let length = response.fields.contentLength
            framing = length.map { $0 > 0 ? .length($0) : .none } ?? (head.method == .head ? .untilClose : .none)
        }
        connection.send(status: response.status, framing: framing, atMost: forwarded.longest) {
            forwarded.write(to: &$0, date: worker.date)
        }
    }

    func received(body: ByteBuffer, on upstream: ClientConnection) {
        guard case .responding = state, let connection else { return }
        if readsAhead {
            guard ahead.isEmpty, connection.isWritable else { return ahead.add(body) }
            ahead.passed(body.readableBytes)
            return connection.send(body: body)
        }
        connection.send(body: body)
        if !connection.isWritable { upstream.pauseReading() }
    }

    func readCompleted(on upstream: ClientConnection) {
        guard case .responding = state, let connection else { return }
        connection.flush()
        if readsAhead {
            // Not before all of the read was looked at: the end of the response may have come with it.
            guard !ahead.isEmpty, ahead.isFullAfterTurn(limit: worker.settings.responseBufferBytes) else { return }
            upstream.pauseReading()
        } else if !connection.isWritable {
            upstream.pauseReading()
        }
    }

    func receivedEnd(trailers: Trailers?, on upstream: ClientConnection) {
        guard case .responding = state, let connection, let peer, let routed else { return }
        if upstream.isTunnel { return connection.sendEnd() }
        tryEnded(hasAnswer: true, upstream.now)
        if let upstreamStatus { report(.last(status: upstreamStatus)) }
        if upstream.isReusable { worker.idleConnections(peer, routed).put(upstream) }
        // The request may still be coming; nobody wants the rest of it any more.
        if ahead.isEmpty, unconfirmedReports == 0 {
            state = .answered
            connection.resumeReading()
            connection.sendEnd(trailers: trailers)
        } else {
            state = .finishing(trailers)
            connection.resumeReading()
            finishResponse()
        }
    }

    func writabilityChanged(on upstream: ClientConnection) {
        guard upstream.isWritable else { return }
        if fileOffset != nil { sendFile(to: upstream) } else { connection?.resumeReading() }
    }

    func failed(_ failure: ClientFailure, on upstream: ClientConnection) {
        switch state {
        case .exchanging:
            state = .connecting
            tryFailed(AttemptFailure(failure))
        case .responding:
            #if GATECRASH_DEFECTS
            if Defect.cutAnswerCounts.isChosen { report(.tcpFailure) }
            #endif
            // The head has gone to the client: all that can be done is to end the connection where the body broke off.
            if let upstreamStatus { report(.last(status: upstreamStatus)) }
            state = .answered
            connection?.flush()
            connection?.close()
        case .idle, .buffering, .connecting, .finishing, .answered: break
        }
    }
}
