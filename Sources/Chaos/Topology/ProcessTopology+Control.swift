// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
package import NIOCore

extension ProcessTopology {
    // MARK: Asking

    package func proxyAddress(of entry: String) -> SocketAddress? {
        gateways[entry]?.proxy ?? programs[entry]?.address
    }

    package func names(of node: String) -> [String] {
        let bindings = topology.bindings.filter { $0.mock == node }
        let addresses = topology.links.filter { $0.to == node }.compactMap { links[$0.id]?.address.text }
        var names = bindings.map { "\($0.host):\($0.port)" } + addresses
        for (place, name) in names.enumerated().reversed() where names.firstIndex(of: name) != place {
            names.remove(at: place)
        }
        return names
    }

    package func health(of gateway: String) -> EventLoopFuture<[ReportedHealth]> {
        guard let process = gateways[gateway], let admin = process.admin else { return unknown(gateway) }
        let asked = process.node.upstreams.map { upstream in
            control.send(.get, "/upstreams/\(upstream.name)/health", to: admin).map { answer in
                Self.targets(of: upstream, answer)
            }
        }
        return EventLoopFuture.whenAllSucceed(asked, on: loop).map { $0.flatMap(\.self) }
    }

    private static func targets(of upstream: UpstreamFacts, _ answer: ControlClient.Answer) -> [ReportedHealth] {
        let list = answer.json["data"]?.arrayValue ?? []
        return upstream.targets.map { target in
            let found = list.first { $0["target"]?.stringValue == target.target }
            let health = found?["health"]?.stringValue ?? (answer.status == 200 ? "missing" : "status \(answer.status)")
            return ReportedHealth(upstream: upstream.name, target: target.target, health: health)
        }
    }

    package func probe(_ gateway: String, path: String) -> EventLoopFuture<Int> {
        guard let proxy = proxyAddress(of: gateway) else { return unknown(gateway) }
        return control.send(.get, path, to: proxy).map(\.status)
    }

    func unknown<T>(_ node: String) -> EventLoopFuture<T> {
        loop.makeFailedFuture(TopologyError("\(node) is no node that runs"))
    }

    // MARK: Steps

    package func perform(_ action: Step.Action, name: String) -> EventLoopFuture<StepEffect> {
        loop.assertInEventLoop()
        switch action {
        case .checkpoint: return effect(of: loop.makeSucceededVoidFuture())
        case .set(let mock, let settings): return effect(of: set(mock, MockSwitches.json(settings), step: name))
        case .fault(let fault): return effect(of: onLink(fault.link) { $0.install(InstalledToxic(fault, name: name)) })
        case .names(let fault):
            change(fault, name: name)
            return effect(of: loop.makeSucceededVoidFuture())
        case .stress(let spec): return effect(of: stress(spec, name: name))
        case .kill(let node): return effect(of: kill(node))
        case .pause(let node): return effect(of: onNode(node) { $0.pause() })
        case .resume(let node): return effect(of: onNode(node) { $0.resume() })
        case .start(let node): return start(node)
        case .restart(let node, let drain):
            return onNode(node) { $0.stop(drain: drain.timeAmount) }.assumeIsolated()
                .flatMap { self.start(node) }
                .nonisolated()
        case .stop(let node, let drain): return effect(of: stop(node, drain: drain.timeAmount))
        case .signal(let node, let name): return effect(of: signal(node, name))
        case .configure(let gateway, let change): return effect(of: configure(gateway, change, step: name))
        case .health(let target, let state): return effect(of: setHealth(of: target, state, step: name))
        case .run(let program, _): return effect(of: run(program, step: name))
        }
    }

    package func undo(_ action: Step.Action, name: String) -> EventLoopFuture<StepEffect> {
        loop.assertInEventLoop()
        switch action {
        case .checkpoint, .resume, .start, .restart: return effect(of: loop.makeSucceededVoidFuture())
        case .stop(let node, _): return start(node)
        case .signal(let node, let name):
            return SignalName.effect(of: name) == .stops ? effect(of: onNode(node) { $0.resume() }) : startAgain(node)
        case .configure(let gateway, _): return effect(of: configureBack(gateway, step: name))
        case .health(let target, _): return effect(of: setHealthBack(of: target, step: name))
        case .run(_, let undo):
            return effect(of: undo.map { run($0, step: name + " undo") } ?? loop.makeSucceededVoidFuture())
        case .set(let mock, _): return effect(of: set(mock, former.removeValue(forKey: name) ?? [:], step: nil))
        case .fault(let fault): return effect(of: onLink(fault.link) { $0.remove(name) })
        case .names:
            for server in nameServers.values { server.zone.remove(name) }
            return effect(of: loop.makeSucceededVoidFuture())
        case .stress: return effect(of: endStress(name))
        case .kill(let node): return start(node)
        case .pause(let node): return effect(of: onNode(node) { $0.resume() })
        }
    }

    /// Somewhere between now and the end of the action.
    private func effect(of action: EventLoopFuture<Void>) -> EventLoopFuture<StepEffect> {
        let (loop, begun) = (loop, loop.now)
        return action.map { StepEffect(earliest: begun, latest: loop.now) }
    }

    private func onLink(_ id: String, _ body: (Link) -> EventLoopFuture<Void>) -> EventLoopFuture<Void> {
        links[id].map(body) ?? unknown(id)
    }

    func process(_ id: String) -> NodeProcess? {
        mocks[id]?.process ?? gateways[id]?.process ?? programs[id]?.process
    }

    func onNode(_ id: String, _ body: (NodeProcess) -> EventLoopFuture<Void>) -> EventLoopFuture<Void> {
        process(id).map(body) ?? unknown(id)
    }

    /// Any signal to a node; one that stops it or lets it go on is over when it has.
    private func signal(_ node: String, _ name: String) -> EventLoopFuture<Void> {
        guard let number = SignalName.number(of: name) else {
            return loop.makeFailedFuture(TopologyError("there is no signal \(name)"))
        }
        switch name {
        case "STOP": return onNode(node) { $0.pause() }
        case "CONT": return onNode(node) { $0.resume() }
        case "KILL": return kill(node)
        default: return onNode(node) { $0.signal(number, endsIt: SignalName.effect(of: name) == .ends) }
        }
    }

    /// After a signal that was to end it: a process that has a handler and lives on is left alone.
    private func startAgain(_ node: String) -> EventLoopFuture<StepEffect> {
        process(node)?.state == .dead ? start(node) : effect(of: loop.makeSucceededVoidFuture())
    }

    /// SIGTERM, after `drain` SIGKILL. Completes when the process is gone and nobody listens in its place.
    private func stop(_ id: String, drain: TimeAmount) -> EventLoopFuture<Void> {
        guard process(id)?.state != .dead else {
            return loop.makeFailedFuture(TopologyError("\(id) cannot be stopped: it does not run"))
        }
        return onNode(id) { $0.stop(drain: drain) }.assumeIsolated()
            .flatMap { self.settled(self.topology.links.filter { $0.to == id }.compactMap { self.links[$0.id] }) }
            .nonisolated()
    }

    /// Completes when the process is gone and nobody listens in its place.
    private func kill(_ id: String) -> EventLoopFuture<Void> {
        guard process(id)?.state != .dead else {
            return loop.makeFailedFuture(TopologyError("\(id) cannot be killed: it does not run"))
        }
        return onNode(id) { $0.kill() }.assumeIsolated()
            .flatMap { self.settled(self.topology.links.filter { $0.to == id }.compactMap { self.links[$0.id] }) }
            .nonisolated()
    }

    private func settled(_ links: [Link]) -> EventLoopFuture<Void> { all(links.map { $0.setTarget(nil) }) }

    private func start(_ id: String) -> EventLoopFuture<StepEffect> {
        if let mock = mocks[id] { return start(mock) }
        if let gateway = gateways[id] { return start(gateway) }
        if let program = programs[id] { return start(program) }
        return unknown(id)
    }

    // MARK: Mocks

    /// - Parameter step: remembers under this name what the switches were.
    private func set(_ id: String, _ settings: JSONValue, step: String?) -> EventLoopFuture<Void> {
        guard let mock = mocks[id], let address = mock.address else { return unknown(id) }
        if let step {
            var before: JSONValue = [:]
            for key in settings.objectValue?.keys ?? [] { before[key] = mock.settings[key] ?? .null }
            former[step] = before
        }
        return control.send(.patch, "/_mock/settings", to: address, body: settings, tls: mock.client).assumeIsolated()
            .flatMapThrowing { answer in try Self.keep(answer, mock) }
            .nonisolated()
    }

    func readSettings(of mock: Mock) -> EventLoopFuture<Void> {
        guard let address = mock.address else { return unknown(mock.node.id) }
        return control.send(.get, "/_mock/settings", to: address, tls: mock.client).assumeIsolated()
            .flatMapThrowing { answer in try Self.keep(answer, mock) }
            .nonisolated()
    }

    private static func keep(_ answer: ControlClient.Answer, _ mock: Mock) throws {
        guard answer.status == 200 else {
            let problems = answer.json["problems"]?.arrayValue?.compactMap(\.stringValue).joined(separator: "; ")
            throw TopologyError("mock \(mock.node.id) refused its settings: \(problems ?? "status \(answer.status)")")
        }
        mock.settings = answer.json
    }
}
