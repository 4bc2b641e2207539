// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import CPlatform
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A UDP socket on a `PollLoop`: reads and writes `AddressedEnvelope<ByteBuffer>`, as NIO's own. What the socket does
/// not take at once is lost, as datagrams may be.
// Proof: as for StreamChannel: constants, members touched on the loop alone, and what goes through it.
final class DatagramChannel: PollSource, PollChannel, @unchecked Sendable {
    /// Datagrams read before other sockets have their turn.
    private static let readsInTurn = 16

    let loop: PollLoop
    private let descriptor: CInt
    private let address: SocketAddress?
    let closePromise: EventLoopPromise<Void>
    private(set) var pipelineStorage: ChannelPipeline!
    private var isOpen = true

    private init(loop: PollLoop, descriptor: CInt) {
        self.loop = loop
        self.descriptor = descriptor
        address = SocketAddress(ofSocket: descriptor, getsockname)
        closePromise = loop.makePromise()
        super.init()
        pipelineStorage = ChannelPipeline(channel: self)
    }

    /// Opens and binds a socket; to be called on the loop. Nothing is read before `activate`.
    ///
    /// - Throws: `IOError`.
    static func open(on address: SocketAddress, loop: PollLoop) throws -> DatagramChannel {
        let descriptor = gatecrash_datagram_socket(address.family)
        guard descriptor >= 0 else { throw IOError(errnoCode: -descriptor, reason: "socket") }
        let result = address.withSockAddr { gatecrash_bind(descriptor, $0, socklen_t($1)) }
        guard result == 0 else {
            gatecrash_close(descriptor)
            throw IOError(errnoCode: -result, reason: "bind")
        }
        return DatagramChannel(loop: loop, descriptor: descriptor)
    }

    /// Its handlers are there.
    func activate() {
        guard isOpen else { return }
        pipelineStorage.syncOperations.fireChannelRegistered()
        pipelineStorage.syncOperations.fireChannelActive()
        guard isOpen else { return }
        loop.watch(self, descriptor: descriptor, events: UInt32(gatecrash_readable))
    }

    override func ready(_ events: UInt32) {
        var hasRead = false
        for _ in 0..<Self.readsInTurn where isOpen {
            var sender = sockaddr_storage()
            let (count, bytes) = loop.readBuffer.receive(descriptor, from: &sender)
            // An error that is told is that of a datagram sent before; there is nothing to close over it.
            guard count >= 0 else { break }
            guard let address = SocketAddress(sender) else { continue }
            hasRead = true
            let envelope = AddressedEnvelope(remoteAddress: address, data: bytes)
            pipelineStorage.syncOperations.fireChannelRead(NIOAny(envelope))
        }
        if hasRead, isOpen { pipelineStorage.syncOperations.fireChannelReadComplete() }
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

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let envelope = unwrapData(data, as: AddressedEnvelope<ByteBuffer>.self)
        let result = envelope.data.withUnsafeReadableBytes { bytes in
            envelope.remoteAddress.withSockAddr {
                gatecrash_send_to(descriptor, bytes.baseAddress, bytes.count, $0, socklen_t($1))
            }
        }
        if result < 0 {
            promise?.fail(IOError(errnoCode: CInt(-result), reason: "sendto"))
        } else {
            promise?.succeed()
        }
    }

    func flush0() {}
    func read0() {}

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        isOpen = false
        loop.unwatch(self, descriptor: descriptor)
        gatecrash_close(descriptor)
        promise?.succeed()
        pipelineStorage.syncOperations.fireChannelInactive()
        pipelineStorage.syncOperations.fireChannelUnregistered()
        endLater()
    }

    // MARK: Channel

    var localAddress: SocketAddress? { address }
    var remoteAddress: SocketAddress? { nil }
    var parent: (any Channel)? { nil }
    var isWritable: Bool { true }
    var isActive: Bool { true }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        loop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        loop.makeFailedFuture(ChannelError.operationUnsupported)
    }
}
#endif
