// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import OrderedCollections
import World

/// A proxy of the API: a link under a name, and what its client said of it. Confined to the loop of its links.
final class ToxicProxy {
    let name: String
    /// The link is one of a running scenario: its addresses are not the API's to change.
    let isOfScenario: Bool
    private(set) var link: Link
    private let make: (SocketAddress) -> Link
    private var givenListen: String
    private var givenUpstream: String
    private(set) var isEnabled: Bool
    /// What clients asked for, in their words, by name.
    private var requests: OrderedDictionary<String, ToxicRequest> = [:]

    /// A proxy of its own; nothing listens before `start`.
    init(_ request: ProxyRequest, make: @escaping (SocketAddress) -> Link) throws(ToxiproxyError) {
        name = request.name
        isOfScenario = false
        self.make = make
        (givenListen, givenUpstream) = (request.listen, request.upstream)
        isEnabled = false
        link = make(try ListenAddress.listening(request.listen))
        if request.isHTTP { link.followMessages() }
        for toxic in request.toxics { put(toxic) }
    }

    /// A link that is there already.
    init(of link: Link) {
        name = link.name
        isOfScenario = true
        make = { _ in link }
        (givenListen, givenUpstream) = ("", "")
        isEnabled = true
        self.link = link
    }

    private var loop: any EventLoop { link.loop }

    /// The bound address once it has listened.
    var listen: String { isOfScenario || isEnabled ? link.address.text : givenListen }
    var upstream: String {
        guard isOfScenario else { return givenUpstream }
        switch link.target {
        case .address(let address): return address.text
        case .name(let host, let port): return "\(host):\(port)"
        case nil: return ""
        }
    }

    // MARK: Starting and stopping

    /// - Returns: fails with `ToxiproxyError` in Go's words.
    func start() -> EventLoopFuture<Void> {
        guard !isEnabled else { return loop.makeSucceededVoidFuture() }
        let proxy = NIOLoopBound(self, eventLoop: loop)
        link.setEnabled(true)
        let started =
            isOfScenario
            ? link.setEnabled(true)
            : link.setTarget(named: ListenAddress.target(givenUpstream) ?? .name(host: givenUpstream, port: 0))
        return started.flatMapErrorThrowing { error in throw proxy.value.startingFailed(error) }.map {
            proxy.value.isEnabled = true
            if !proxy.value.isOfScenario { proxy.value.givenListen = proxy.value.link.address.text }
        }
    }

    private func startingFailed(_ error: any Error) -> ToxiproxyError {
        // The next start tries anew.
        if !isOfScenario { link.setTarget(named: nil) }
        let reason =
            switch (error as? NetworkError)?.code {
            case .addressInUse: "bind: address already in use"
            case .notPermitted: "bind: permission denied"
            case .unreachable: "bind: cannot assign requested address"
            default: "\(error)"
            }
        return ToxiproxyError("listen tcp \(link.address.text): \(reason)", status: 500)
    }

    /// Closes the port and every connection.
    func stop() -> EventLoopFuture<Void> {
        guard isEnabled else { return loop.makeSucceededVoidFuture() }
        isEnabled = false
        return link.setEnabled(false)
    }

    /// What an update asks for: Toxiproxy stops a proxy whose addresses change, and starts it again.
    func update(listen: String, upstream: String, isEnabled: Bool) -> EventLoopFuture<Void> {
        do throws(ToxiproxyError) {
            guard try differs(listen: listen, upstream: upstream) else {
                return isEnabled == self.isEnabled ? loop.makeSucceededVoidFuture() : isEnabled ? start() : stop()
            }
            if isOfScenario { throw .ofScenario(name) }
            let address = try ListenAddress.listening(listen)
            let proxy = NIOLoopBound(self, eventLoop: loop)
            return stop().flatMap {
                proxy.value.move(to: address, listen: listen, upstream: upstream)
                return isEnabled ? proxy.value.start() : proxy.value.loop.makeSucceededVoidFuture()
            }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    func differs(listen: String, upstream: String) throws(ToxiproxyError) -> Bool {
        // Who says nothing about an address gets it back as it was.
        if listen == self.listen, upstream == self.upstream { return false }
        do throws(ToxiproxyError) {
            return try ListenAddress.listening(listen).text != self.listen || upstream != self.upstream
        } catch {
            let prefix = "listen tcp: "
            let message =
                error.message.hasPrefix(prefix) ? String(error.message.dropFirst(prefix.count)) : error.message
            throw ToxiproxyError(message, status: error.status)
        }
    }

    private func move(to address: SocketAddress, listen: String, upstream: String) {
        let former = link
        link = make(address)
        if former.transport == .http { link.followMessages() }
        for toxic in former.toxics { link.install(toxic) }
        (givenListen, givenUpstream) = (listen, upstream)
    }

    // MARK: Toxics

    /// Those that work upstream first, each in the order they came in.
    var toxics: [ToxicRequest] {
        let all = link.toxics.map { installed in
            requests[installed.name].flatMap { $0.installed == installed ? $0 : nil } ?? ToxicRequest(installed)
        }
        let isDown = { (toxic: ToxicRequest) in ToxicRequest.direction(toxic.stream) == .down }
        return all.filter { !isDown($0) } + all.filter(isDown)
    }

    func toxic(_ name: String) -> ToxicRequest? { toxics.first { $0.name == name } }

    @discardableResult
    func put(_ toxic: ToxicRequest) -> EventLoopFuture<Void> {
        requests[toxic.name] = toxic
        if toxic.needsMessages { link.followMessages() }
        return link.install(toxic.installed)
    }

    func change(_ toxic: ToxicRequest) -> EventLoopFuture<Void> {
        requests[toxic.name] = toxic
        if toxic.needsMessages { link.followMessages() }
        return link.update(toxic.installed)
    }

    @discardableResult
    func remove(_ name: String) -> EventLoopFuture<Void> {
        requests[name] = nil
        return link.remove(name)
    }

    func removeAllToxics() -> EventLoopFuture<Void> {
        EventLoopFuture.andAllSucceed(link.toxics.map { remove($0.name) }, on: loop)
    }

    var json: JSONValue {
        var shown: OrderedDictionary<String, JSONValue> = [
            "name": .string(name), "listen": .string(listen), "upstream": .string(upstream),
            "enabled": .bool(isEnabled),
            // Go shows the field of that name of its own; clients that compare whole answers get it.
            "Logger": [:],
        ]
        if link.transport == .http { shown["protocol"] = "http" }
        shown["toxics"] = .array(toxics.map(\.json))
        return .object(shown)
    }
}
