// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import CPlatform
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A listening TCP socket on a `PollLoop`. What it accepts it hands to a closure, on the loop where the connection is
/// to live.
// Proof: as for StreamChannel: constants, members touched on the loop alone, and what goes through it.
final class ListenerChannel: PollSource, PollChannel, @unchecked Sendable {
    /// Connections accepted before other sockets have their turn.
    private static let acceptsInTurn = 64
    /// Without descriptors or memory nothing is accepted for so long, lest the loop turn in circles.
    private static let pause = TimeAmount.milliseconds(100)

    typealias Accept = @Sendable (any Channel) -> EventLoopFuture<Void>

    let loop: PollLoop
    private let descriptor: CInt
    private let children: any EventLoopGroup
    private let accept: Accept
    private let address: SocketAddress?
    let closePromise: EventLoopPromise<Void>
    private(set) var pipelineStorage: ChannelPipeline!
    private var isOpen = true
    private var acceptsByItself: Bool
    private var wantsOne = false

    private init(
        loop: PollLoop, descriptor: CInt, children: any EventLoopGroup, acceptsAtOnce: Bool, accept: @escaping Accept
    ) {
        self.loop = loop
        self.descriptor = descriptor
        self.children = children
        self.accept = accept
        acceptsByItself = acceptsAtOnce
        address = SocketAddress(ofSocket: descriptor, getsockname)
        closePromise = loop.makePromise()
        super.init()
        pipelineStorage = ChannelPipeline(channel: self)
    }

    /// Opens a socket, and listens; to be called on the loop.
    ///
    /// - Throws: `IOError`.
    static func open(
        on address: SocketAddress, loop: PollLoop, children: any EventLoopGroup, options: ListenOptions,
        accept: @escaping Accept
    ) throws -> ListenerChannel {
        let descriptor = gatecrash_socket(address.family)
        guard descriptor >= 0 else { throw IOError(errnoCode: -descriptor, reason: "socket") }
        let result = address.withSockAddr {
            gatecrash_listen(descriptor, $0, socklen_t($1), options.backlog, options.sharesPort ? 1 : 0)
        }
        guard result == 0 else {
            gatecrash_close(descriptor)
            throw IOError(errnoCode: -result, reason: "listen")
        }
        let channel = ListenerChannel(
            loop: loop, descriptor: descriptor, children: children, acceptsAtOnce: options.acceptsAtOnce,
            accept: accept)
        channel.updateInterest()
        return channel
    }

    private func updateInterest() {
        guard isOpen else { return }
        let events = acceptsByItself || wantsOne ? UInt32(gatecrash_readable) : 0
        loop.watch(self, descriptor: descriptor, events: events)
    }

    override func ready(_ events: UInt32) {
        for _ in 0..<Self.acceptsInTurn where isOpen && (acceptsByItself || wantsOne) {
            let connection = gatecrash_accept(descriptor)
            guard connection >= 0 else {
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(-connection) { rest() }
                break
            }
            wantsOne = false
            hand(connection)
        }
        updateInterest()
    }

    private func hand(_ connection: CInt) {
        guard let home = children.next() as? PollLoop else {
            preconditionFailure("connections of a PollLoop's listener live on PollLoops")
        }
        if home === loop { return adopt(connection, loop) }
        home.execute { self.adopt(connection, home) }
    }

    private func adopt(_ connection: CInt, _ home: PollLoop) {
        let channel = StreamChannel(loop: home, descriptor: connection, parent: self)
        channel.prepareAccepted()
        let ready = accept(channel)
        ready.assumeIsolated().whenComplete { result in
            switch result {
            case .success: channel.activate()
            case .failure(let error): channel.close0(error: error, mode: .all, promise: nil)
            }
        }
    }

    private func rest() {
        let before = acceptsByItself
        guard before else { return }
        acceptsByItself = false
        loop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            acceptsByItself = before
            updateInterest()
        }
    }

    override func loopEnds() { close0(error: EventLoopError.shutdown, mode: .all, promise: nil) }

    // MARK: ChannelCore

    func localAddress0() throws -> SocketAddress {
        guard let address else { throw ChannelError.ioOnClosedChannel }
        return address
    }

    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func register0(promise: EventLoopPromise<Void>?) { promise?.succeed() }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func flush0() {}

    func read0() {
        wantsOne = true
        updateInterest()
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        isOpen = false
        loop.unwatch(self, descriptor: descriptor)
        gatecrash_close(descriptor)
        promise?.succeed()
        endLater()
    }

    // MARK: Channel

    var localAddress: SocketAddress? { address }
    var remoteAddress: SocketAddress? { nil }
    var parent: (any Channel)? { nil }
    var isWritable: Bool { false }
    var isActive: Bool { true }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        loop.submit {
            if option is ChannelOptions.Types.AutoReadOption, let value = value as? Bool {
                self.acceptsByItself = value
                self.updateInterest()
            }
        }
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        loop.makeFailedFuture(ChannelError.operationUnsupported)
    }
}
#endif
