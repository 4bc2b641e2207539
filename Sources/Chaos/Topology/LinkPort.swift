// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import World

/// The listening port of a link: open, closed so that connects are refused, or hanging so that they are not answered.
/// Whatever is wanted meanwhile, one change is made at a time. Lives on one loop.
final class LinkPort {
    enum Wanted { case closed, open, hanging }

    private enum State {
        case closed
        /// Being opened or closed; what is wanted by then is looked at afterwards.
        case changing
        case open(any Channel)
        /// A listener that accepts nothing, and the connection that fills its queue: the kernel drops every connect
        /// that finds the queue full, as if the packet had been lost on the way.
        case hanging(any Channel, filler: any Channel)
    }

    private(set) var address: SocketAddress
    var accept: (any Channel) -> EventLoopFuture<Void> = { $0.eventLoop.makeSucceededVoidFuture() }
    private let network: any Network
    private let loop: any EventLoop
    private var state = State.closed
    private var wanted = Wanted.closed
    private var waiting: [EventLoopPromise<Void>] = []

    init(network: any Network, loop: any EventLoop, address: SocketAddress) {
        self.network = network
        self.loop = loop
        self.address = address
    }

    var isOpen: Bool { if case .open = state { true } else { false } }

    /// - Returns: completes when the port is as wanted; fails with `NetworkError` when it cannot be had.
    func settle(_ wanted: Wanted) -> EventLoopFuture<Void> {
        self.wanted = wanted
        let promise = loop.makePromise(of: Void.self)
        waiting.append(promise)
        reconcile()
        return promise.futureResult
    }

    private func reconcile() {
        switch (state, wanted) {
        case (.changing, _): return
        case (.open, .open), (.closed, .closed), (.hanging, .hanging): complete(.success(()))
        case (.closed, .open): open()
        case (.closed, .hanging): hang()
        case (.open(let channel), _): close([channel])
        case (.hanging(let channel, let filler), _): close([channel, filler])
        }
    }

    private func close(_ channels: [any Channel]) {
        state = .changing
        let port = NIOLoopBound(self, eventLoop: loop)
        EventLoopFuture.andAllComplete(channels.map { $0.close() }, on: loop).whenComplete { _ in
            port.value.state = .closed
            port.value.reconcile()
        }
    }

    private func open() {
        state = .changing
        let port = NIOLoopBound(self, eventLoop: loop)
        network.listen(on: address, loops: loop, options: ListenOptions()) { port.value.accept($0) }
            .hop(to: loop)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    port.value.address = channel.localAddress ?? port.value.address
                    port.value.changed(.success(.open(channel)))
                case .failure(let error): port.value.changed(.failure(error))
                }
            }
    }

    private func hang() {
        state = .changing
        var options = ListenOptions()
        (options.backlog, options.acceptsAtOnce) = (0, false)
        let port = NIOLoopBound(self, eventLoop: loop)
        network.listen(on: address, loops: loop, options: options) { $0.close() }
            .hop(to: loop)
            .flatMap { [network, loop] listener in
                port.value.address = listener.localAddress ?? port.value.address
                // With a backlog of 0 one connection fills the queue.
                return network.connect(to: port.value.address, on: loop, timeout: .seconds(5)) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }.map { State.hanging(listener, filler: $0) }
            }
            .whenComplete { port.value.changed($0) }
    }

    private func changed(_ result: Result<State, any Error>) {
        switch result {
        case .success(let state):
            self.state = state
            reconcile()
        case .failure(let error):
            state = .closed
            complete(.failure(error))
        }
    }

    private func complete(_ result: Result<Void, any Error>) {
        let promises = waiting
        waiting = []
        for promise in promises { promise.completeWith(result) }
    }
}
