// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
package import NIOCore
import OrderedCollections
package import World

/// Toxiproxy's HTTP API over links: requests to answers, to the byte, without a socket. One request after the other,
/// each when the one before has had its effect. Confined to the loop of its links.
package final class ToxiproxyAPI {
    /// The version whose API this is; clients compare it.
    static let version = "2.12.0"

    struct Request: Sendable {
        var method: String
        /// Without query, percent signs as they came.
        var path: String
        var userAgent = ""
        var body: [UInt8] = []
    }

    struct Answer: Hashable, Sendable {
        var status: Int
        /// Nil: no body and no type.
        var contentType: String?
        var body = ""
        /// Browsers shall not guess what an error is.
        var isSniffable = true
        /// A route was found.
        var isRouted = true
    }

    let world: World
    let loop: any EventLoop
    private(set) var proxies: OrderedDictionary<String, ToxicProxy> = [:]
    private var last: EventLoopFuture<Void>
    private var requestIDs: RandomStream
    /// Told of every decision of a link of the API's own.
    package var onDecision: (LinkDecision) -> Void = { _ in }

    package init(world: World, loop: any EventLoop) {
        self.world = world
        self.loop = loop
        last = loop.makeSucceededVoidFuture()
        requestIDs = world.random.stream("toxiproxy request ids")
    }

    /// Shows a link of a running scenario.
    package func adopt(_ link: Link) {
        loop.assertInEventLoop()
        proxies[link.name] = ToxicProxy(of: link)
    }

    /// Closes every proxy of the API's own.
    package func stop() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        return EventLoopFuture.andAllSucceed(
            proxies.values.filter { !$0.isOfScenario }.map { $0.link.stop() }, on: loop)
    }

    // MARK: Requests

    func respond(to request: Request) -> EventLoopFuture<Answer> {
        loop.assertInEventLoop()
        guard let route = ToxiproxyRoute(path: request.path) else {
            return loop.makeSucceededFuture(Self.plain(404, "404 page not found", isRouted: false))
        }
        guard route.methods.isEmpty || route.methods.contains(request.method) else {
            return loop.makeSucceededFuture(Answer(status: 405, isRouted: false))
        }
        guard !request.userAgent.hasPrefix("Mozilla/") else {
            return loop.makeSucceededFuture(Self.plain(403, "User agent not allowed"))
        }
        let answer = last.assumeIsolated()
            .flatMap { self.handle(route, request) }
            .flatMapErrorThrowing { Self.answer(to: $0) }
            .nonisolated()
        last = answer.map { _ in }
        return answer
    }

    /// What `GET /metrics` answers.
    var metrics: String {
        loop.assertInEventLoop()
        return ToxiproxyMetrics.text(Array(proxies.values))
    }

    /// 20 letters and digits, as xid makes them.
    func requestID() -> String {
        let digits = Array("0123456789abcdefghijklmnopqrstuv")
        return String((0..<20).map { _ in digits[Int(requestIDs.below(32))] })
    }

    private func handle(_ route: ToxiproxyRoute, _ request: Request) -> EventLoopFuture<Answer> {
        do throws(ToxiproxyError) {
            switch (route, request.method) {
            case (.version, _):
                return done(
                    Answer(
                        status: 200, contentType: "application/json;charset=utf-8",
                        body: "{\"version\": \"\(Self.version)\"}\n"))
            case (.metrics, _):
                return done(
                    Answer(
                        status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8",
                        body: metrics))
            case (.reset, _): return reset()
            case (.populate, _): return populate(request.body)
            case (.proxies, "GET"):
                let sorted = proxies.values.sorted { $0.name < $1.name }.map { ($0.name, $0.json) }
                return done(.object(OrderedDictionary(uniqueKeysWithValues: sorted)))
            case (.proxies, _):
                return try create(try GoJSON.object(request.body, "Proxy", type: "toxiproxy.Proxy"))
            case (.proxy(let name), "GET"): return done(try proxy(name).json)
            case (.proxy(let name), "DELETE"): return try delete(try proxy(name))
            case (.proxy(let name), _): return try update(try proxy(name), request)
            case (.toxics(let name), "GET"): return done(.array(try proxy(name).toxics.map(\.json)))
            case (.toxics(let name), _): return try addToxic(try proxy(name), request)
            case (.toxic(let name, let toxic), "GET"): return done(try self.toxic(toxic, of: try proxy(name)).json)
            case (.toxic(let name, let toxic), "DELETE"):
                let proxy = try proxy(name)
                return proxy.remove(try self.toxic(toxic, of: proxy).name).map { Self.nothing }
            case (.toxic(let name, let toxic), _): return try updateToxic(toxic, try proxy(name), request)
            }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    private func proxy(_ name: String) throws(ToxiproxyError) -> ToxicProxy {
        guard let proxy = proxies[name] else { throw .proxyNotFound }
        return proxy
    }

    private func toxic(_ name: String, of proxy: ToxicProxy) throws(ToxiproxyError) -> ToxicRequest {
        guard let toxic = proxy.toxic(name) else { throw .toxicNotFound }
        return toxic
    }

    // MARK: Proxies

    private func create(_ object: GoObject) throws(ToxiproxyError) -> EventLoopFuture<Answer> {
        let request = try ProxyRequest(object)
        guard proxies[request.name] == nil else { throw .proxyAlreadyExists }
        return try add(request).map { .json(201, $0.value.json) }
    }

    /// Makes a proxy with its toxics, and starts it if it is to be.
    func add(_ request: ProxyRequest) throws(ToxiproxyError) -> EventLoopFuture<NIOLoopBound<ToxicProxy>> {
        let proxy = try ToxicProxy(request) { [world, loop, weak self] address in
            let link = Link(name: request.name, world: world, loop: loop, address: address)
            link.unreachable = .close
            link.onDecision = { self?.onDecision($0) }
            return link
        }
        let bound = NIOLoopBound((self, proxy), eventLoop: loop)
        let started = request.isEnabled ? proxy.start() : loop.makeSucceededVoidFuture()
        return started.map {
            let (api, proxy) = bound.value
            api.proxies[proxy.name] = proxy
            return NIOLoopBound(proxy, eventLoop: api.loop)
        }
    }

    private func update(_ proxy: ToxicProxy, _ request: Request) throws(ToxiproxyError) -> EventLoopFuture<Answer> {
        let object = try GoJSON.object(request.body, "Proxy", type: "toxiproxy.Proxy")
        let listen = try object.text("listen") ?? proxy.listen
        let upstream = try object.text("upstream") ?? proxy.upstream
        let isEnabled = try object.flag("enabled") ?? proxy.isEnabled
        let bound = NIOLoopBound(proxy, eventLoop: loop)
        return proxy.update(listen: listen, upstream: upstream, isEnabled: isEnabled)
            .map { .json(200, bound.value.json) }
    }

    private func delete(_ proxy: ToxicProxy) throws(ToxiproxyError) -> EventLoopFuture<Answer> {
        if proxy.isOfScenario { throw .ofScenario(proxy.name) }
        proxies[proxy.name] = nil
        return proxy.stop().map { Self.nothing }
    }

    private func reset() -> EventLoopFuture<Answer> {
        let all = proxies.values.map { proxy in
            let bound = NIOLoopBound(proxy, eventLoop: loop)
            return proxy.start().flatMap { bound.value.removeAllToxics() }
        }
        return EventLoopFuture.andAllSucceed(all, on: loop).map { Self.nothing }
    }

    // MARK: Toxics

    private func addToxic(_ proxy: ToxicProxy, _ request: Request) throws(ToxiproxyError) -> EventLoopFuture<Answer> {
        let body = try GoJSON.value(request.body)
        let toxic = try ToxicRequest(body) { proxy.toxic($0) != nil }
        return proxy.put(toxic).map { .json(200, toxic.json) }
    }

    private func updateToxic(
        _ name: String, _ proxy: ToxicProxy, _ request: Request
    ) throws(ToxiproxyError) -> EventLoopFuture<Answer> {
        var toxic = try toxic(name, of: proxy)
        try toxic.update(try GoJSON.value(request.body))
        return proxy.change(toxic).map { [toxic] in .json(200, toxic.json) }
    }

    // MARK: Populate

    /// Makes what is not there, replaces what differs, leaves the rest untouched; stops at the first failure and shows
    /// what was made until then.
    private func populate(_ body: [UInt8]) -> EventLoopFuture<Answer> {
        do throws(ToxiproxyError) {
            return populated(try ProxyRequest.list(body)[...], [])
        } catch {
            return done(Self.answer(error.status, error, []))
        }
    }

    private func populated(_ rest: ArraySlice<ProxyRequest>, _ made: [ToxicProxy]) -> EventLoopFuture<Answer> {
        guard let request = rest.first else { return done(Self.answer(201, nil, made)) }
        let bound = NIOLoopBound((self, made), eventLoop: loop)
        return place(request)
            .flatMap { proxy in
                let (api, made) = bound.value
                return api.populated(rest.dropFirst(), made + [proxy.value])
            }
            .flatMapErrorThrowing { error in
                guard let error = error as? ToxiproxyError else { throw error }
                return Self.answer(error.status, error, bound.value.1)
            }
    }

    /// What a proxy of the list becomes.
    func place(_ request: ProxyRequest) -> EventLoopFuture<NIOLoopBound<ToxicProxy>> {
        do throws(ToxiproxyError) {
            guard let existing = proxies[request.name] else { return try add(request) }
            guard try existing.differs(listen: request.listen, upstream: request.upstream) else {
                return loop.makeSucceededFuture(NIOLoopBound(existing, eventLoop: loop))
            }
            if existing.isOfScenario { throw .ofScenario(request.name) }
            let api = NIOLoopBound(self, eventLoop: loop)
            return existing.stop().flatMap {
                do throws(ToxiproxyError) {
                    return try api.value.add(request)
                } catch {
                    return api.value.loop.makeFailedFuture(error)
                }
            }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    private static func answer(_ status: Int, _ error: ToxiproxyError?, _ proxies: [ToxicProxy]) -> Answer {
        var body: OrderedDictionary<String, JSONValue> = [:]
        if let error { (body["error"], body["status"]) = (.string(error.message), .integer(error.status)) }
        // Go's nil slice.
        body["proxies"] = proxies.isEmpty ? .null : .array(proxies.map(\.json))
        return .json(status, .object(body))
    }

    // MARK: Answers

    private func done(_ answer: Answer) -> EventLoopFuture<Answer> { loop.makeSucceededFuture(answer) }
    private func done(_ json: JSONValue) -> EventLoopFuture<Answer> { done(.json(200, json)) }

    private static let nothing = Answer(status: 204)

    private static func plain(_ status: Int, _ text: String, isRouted: Bool = true) -> Answer {
        Answer(
            status: status, contentType: "text/plain; charset=utf-8", body: text + "\n", isSniffable: false,
            isRouted: isRouted)
    }

    /// Toxiproxy sets application/json here, and Go's `http.Error` overwrites it.
    private static func answer(to error: any Error) -> Answer {
        let error = error as? ToxiproxyError ?? ToxiproxyError("\(error)", status: 500)
        let body: JSONValue = ["error": .string(error.message), "status": .integer(error.status)]
        return plain(error.status, GoJSON.text(body))
    }
}

extension ToxiproxyAPI.Answer {
    fileprivate static func json(_ status: Int, _ value: JSONValue) -> ToxiproxyAPI.Answer {
        ToxiproxyAPI.Answer(status: status, contentType: "application/json", body: GoJSON.text(value))
    }
}
