// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import CPlatform
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A TCP connection on a `PollLoop`, with the semantics of NIO's own: reading on demand, half-closure, water marks,
/// writes that are kept until they are flushed, one gathering system call for all of them.
// Proof: all members but constants are touched on the loop alone, which the pipeline and every entry here assert; what
// the Channel protocol lets other threads ask for goes through the loop, or is an atomic.
final class StreamChannel: PollSource, Channel, ChannelCore, @unchecked Sendable {
    enum State { case fresh, connecting, active, closed }

    /// Reads in a row before other sockets have their turn.
    private static let readsInTurn = 2

    let loop: PollLoop
    let descriptor: CInt
    let parent: (any Channel)?
    private let closePromise: EventLoopPromise<Void>
    private var pipelineStorage: ChannelPipeline!
    private(set) var state = State.fresh
    private(set) var addresses = Addresses()
    private let flags = ChannelFlags()

    var writes = PendingWrites()
    private var connectPromise: EventLoopPromise<Void>?
    private var connectTimer: Scheduled<Void>?
    private var outputPromise: EventLoopPromise<Void>?
    private var closesOutput = false
    private(set) var isInputShut = false
    private(set) var isOutputShut = false
    private var wantsRead = false
    private var isFlushing = false
    private var watchesInputEnd = true

    // Options
    private var readsByItself = true
    private var allowsHalfClosure = false
    var connectTimeout: TimeAmount?

    struct Addresses {
        var local: SocketAddress?
        var remote: SocketAddress?
    }

    init(loop: PollLoop, descriptor: CInt, parent: (any Channel)? = nil) {
        self.loop = loop
        self.descriptor = descriptor
        self.parent = parent
        closePromise = loop.makePromise()
        super.init()
        pipelineStorage = ChannelPipeline(channel: self)
    }

    deinit { if state != .closed { Glibc.close(descriptor) } }

    // MARK: Reading

    private func updateInterest() {
        guard state == .active || state == .connecting else { return }
        var events: UInt32 = 0
        if state == .connecting {
            events = UInt32(gatecrash_writable.rawValue)
        } else {
            if wantsRead, !isInputShut { events |= UInt32(gatecrash_readable.rawValue) }
            if watchesInputEnd, !isInputShut { events |= UInt32(gatecrash_input_closed.rawValue) }
            if writes.isBlocked { events |= UInt32(gatecrash_writable.rawValue) }
        }
        loop.watch(self, descriptor: descriptor, events: events)
    }

    override func ready(_ events: UInt32) {
        if state == .connecting { return connected() }
        if events & UInt32(gatecrash_failed.rawValue) != 0 { return failed() }
        if events & UInt32(gatecrash_writable.rawValue) != 0 {
            writes.isBlocked = false
            writeNow()
            updateInterest()
        }
        let endEvents = UInt32(gatecrash_input_closed.rawValue) | UInt32(gatecrash_hung_up.rawValue)
        if events & endEvents != 0, !isInputShut {
            readToTheEnd()
        } else if events & UInt32(gatecrash_hung_up.rawValue) != 0 {
            close0(error: ChannelError.eof, mode: .all, promise: nil)
        } else if events & UInt32(gatecrash_readable.rawValue) != 0, wantsRead {
            readOnce()
        }
    }

    private enum Reading { case something, nothing, ended }

    private func readOnce() {
        switch read() {
        case .something: completeRead()
        case .nothing: break
        case .ended: endOfInput()
        }
    }

    /// The other side sends no more. What it has sent is read now, wanted or not, so that its end is known at once.
    private func readToTheEnd() {
        watchesInputEnd = false
        while state == .active, !isInputShut {
            switch read() {
            case .something: completeRead()
            case .nothing: return updateInterest()
            case .ended: return endOfInput()
            }
        }
    }

    private func completeRead() {
        guard state == .active else { return }
        pipelineStorage.syncOperations.fireChannelReadComplete()
        readAgain()
    }

    private func readAgain() {
        guard state == .active, !isInputShut else { return }
        if !wantsRead, readsByItself { pipelineStorage.syncOperations.read() }
        updateInterest()
    }

    /// Up to some reads, until one is not filled.
    private func read() -> Reading {
        var result = Reading.nothing
        for _ in 0..<Self.readsInTurn {
            guard state == .active, !isInputShut else { return result }
            let (count, buffer) = loop.readBuffer.read(descriptor)
            guard count > 0 else {
                if count == 0 { return .ended }
                if count == -Int(EAGAIN) { return result }
                broken(IOError(errnoCode: CInt(-count), reason: "read"))
                return .nothing
            }
            wantsRead = false
            result = .something
            pipelineStorage.syncOperations.fireChannelRead(NIOAny(buffer))
            if count < ReadBuffer.size { return result }
        }
        return result
    }

    private func endOfInput() {
        guard state == .active, !isInputShut else { return }
        guard allowsHalfClosure else { return close0(error: ChannelError.eof, mode: .all, promise: nil) }
        if isOutputShut { return close0(error: ChannelError.eof, mode: .all, promise: nil) }
        isInputShut = true
        wantsRead = false
        updateInterest()
        pipelineStorage.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    /// The socket says that something is wrong with it.
    private func failed() {
        let code = gatecrash_socket_error(descriptor)
        broken(IOError(errnoCode: code == 0 ? ECONNRESET : code, reason: "connection"))
    }

    private func broken(_ error: IOError) {
        guard state == .active else { return }
        pipelineStorage.syncOperations.fireErrorCaught(error)
        close0(error: error, mode: .all, promise: nil)
    }

    // MARK: Writing

    /// Writes what was flushed, as far as the socket takes it.
    private func writeNow() {
        guard !isFlushing, state == .active else { return }
        isFlushing = true
        defer { isFlushing = false }
        while state == .active, writes.hasFlushed, !writes.isBlocked {
            switch writes.write(to: descriptor) {
            case .wrote(let becameWritable):
                if becameWritable { pipelineStorage.syncOperations.fireChannelWritabilityChanged() }
            case .blocked: break
            case .failed(let code): return writeFailed(IOError(errnoCode: code, reason: "write"))
            }
        }
        flags.isWritable = writes.isWritable
        if closesOutput, !writes.hasAny { shutOutput() }
    }

    /// What the other side has said before it went may say why.
    private func writeFailed(_ error: IOError) {
        if wantsRead || readsByItself {
            while state == .active, !isInputShut, case .something = read() {
                pipelineStorage.syncOperations.fireChannelReadComplete()
            }
        }
        close0(error: error, mode: .all, promise: nil)
    }

    // MARK: Opening

    /// An accepted connection; its handlers are there.
    func activate() {
        guard state == .fresh else { return }
        state = .active
        flags.isActive = true
        fetchAddresses()
        pipelineStorage.syncOperations.fireChannelRegistered()
        pipelineStorage.syncOperations.fireChannelActive()
        readAgain()
    }

    private func fetchAddresses() {
        let found = Addresses(
            local: SocketAddress(ofSocket: descriptor, getsockname),
            remote: SocketAddress(ofSocket: descriptor, getpeername))
        addresses = found
        flags.set(found)
    }

    /// An accepted connection: who adds its handlers may ask for its addresses.
    func prepareAccepted() {
        allowsHalfClosure = true
        noDelay()
        fetchAddresses()
    }

    /// A connection that is to be opened.
    func prepareOutgoing(timeout: TimeAmount) {
        allowsHalfClosure = true
        connectTimeout = timeout
        noDelay()
    }

    /// Small answers go out at once.
    private func noDelay() {
        // On a connection that is gone already it fails, which its first read will tell.
        try? setSocketOption(CInt(IPPROTO_TCP), TCP_NODELAY, CInt(1))
    }

    private func connected() {
        let code = gatecrash_socket_error(descriptor)
        guard code == 0 else { return connectFailed(IOError(errnoCode: code, reason: "connect")) }
        finishConnecting()
    }

    private func finishConnecting() {
        connectTimer?.cancel()
        connectTimer = nil
        state = .active
        flags.isActive = true
        fetchAddresses()
        let promise = connectPromise
        connectPromise = nil
        promise?.succeed()
        guard state == .active else { return }
        pipelineStorage.syncOperations.fireChannelActive()
        readAgain()
        writeNow()
        updateInterest()
    }

    private func connectFailed(_ error: any Error) {
        let promise = connectPromise
        connectPromise = nil
        close0(error: error, mode: .all, promise: nil)
        promise?.fail(error)
    }

    override func loopEnds() { close0(error: EventLoopError.shutdown, mode: .all, promise: nil) }
}

// MARK: ChannelCore

extension StreamChannel {
    func localAddress0() throws -> SocketAddress {
        guard let address = addresses.local else { throw ChannelError.ioOnClosedChannel }
        return address
    }

    func remoteAddress0() throws -> SocketAddress {
        guard let address = addresses.remote else { throw ChannelError.ioOnClosedChannel }
        return address
    }

    func register0(promise: EventLoopPromise<Void>?) {
        pipelineStorage.syncOperations.fireChannelRegistered()
        promise?.succeed()
    }

    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }

    func connect0(to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        guard state == .fresh else {
            promise?.fail(ChannelError.inappropriateOperationForState)
            return
        }
        connectPromise = promise
        let result = address.withSockAddr { gatecrash_connect(descriptor, $0, socklen_t($1)) }
        if result == 0 { return finishConnecting() }
        guard result == -EINPROGRESS else { return connectFailed(IOError(errnoCode: -result, reason: "connect")) }
        state = .connecting
        updateInterest()
        guard let connectTimeout else { return }
        connectTimer = loop.assumeIsolated().scheduleTask(in: connectTimeout) { [weak self] in
            self?.connectFailed(ChannelError.connectTimeout(connectTimeout))
        }
    }

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state != .closed, !isOutputShut, !closesOutput else {
            promise?.fail(state == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
            return
        }
        let becameUnwritable = writes.add(unwrapData(data, as: ByteBuffer.self), promise)
        if becameUnwritable {
            flags.isWritable = false
            pipelineStorage.syncOperations.fireChannelWritabilityChanged()
        }
    }

    func flush0() {
        guard state != .closed else { return }
        writes.flush()
        guard state == .active, !writes.isBlocked else { return }
        writeNow()
        if writes.isBlocked { updateInterest() }
    }

    func read0() {
        guard state != .closed, !isInputShut, !wantsRead else { return }
        wantsRead = true
        if state == .active { updateInterest() }
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard state != .closed else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        switch mode {
        case .all: closeAll(error, promise)
        case .output: closeOutput(promise)
        case .input:
            guard !isInputShut else {
                promise?.fail(ChannelError.inputClosed)
                return
            }
            isInputShut = true
            shutdown(descriptor, CInt(SHUT_RD))
            updateInterest()
            promise?.succeed()
            pipelineStorage.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }

    private func closeOutput(_ promise: EventLoopPromise<Void>?) {
        guard !isOutputShut, !closesOutput else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        if isInputShut { return closeAll(ChannelError.outputClosed, promise) }
        closesOutput = true
        outputPromise = promise
        if !writes.hasAny { shutOutput() }
    }

    private func shutOutput() {
        closesOutput = false
        isOutputShut = true
        shutdown(descriptor, CInt(SHUT_WR))
        let promise = outputPromise
        outputPromise = nil
        promise?.succeed()
        pipelineStorage.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
    }

    private func closeAll(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
        let wasActive = state == .active
        state = .closed
        flags.isActive = false
        flags.isWritable = false
        connectTimer?.cancel()
        connectTimer = nil
        loop.unwatch(self, descriptor: descriptor)
        Glibc.close(descriptor)
        let failed = writes.removeAll()
        for written in failed { written.fail(error) }
        outputPromise?.fail(error)
        outputPromise = nil
        let connecting = connectPromise
        connectPromise = nil
        connecting?.fail(error)
        promise?.succeed()
        if wasActive { pipelineStorage.syncOperations.fireChannelInactive() }
        pipelineStorage.syncOperations.fireChannelUnregistered()
        // Whoever is in the middle of something must still find the handlers where they were.
        loop._executeIsolatedUnsafeUnchecked { [self] in
            removeHandlers(pipeline: pipelineStorage)
            closePromise.succeed()
        }
    }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}
}

// MARK: Channel

extension StreamChannel {
    var allocator: ByteBufferAllocator { ByteBufferAllocator() }
    var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    var pipeline: ChannelPipeline { pipelineStorage }
    var localAddress: SocketAddress? { flags.addresses.local }
    var remoteAddress: SocketAddress? { flags.addresses.remote }
    var eventLoop: any EventLoop { loop }
    var isWritable: Bool { flags.isWritable }
    var isActive: Bool { flags.isActive }
    var _channelCore: any ChannelCore { self }
    var syncOptions: (any NIOSynchronousChannelOptions)? { Options(channel: self) }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        onLoop { try self.set(option, value) }
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        onLoop { try self.get(option) }
    }

    private func onLoop<T: Sendable>(_ body: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
        guard loop.inEventLoop else { return loop.submit(body) }
        let promise = loop.makePromise(of: T.self)
        promise.completeWith(Result(catching: body))
        return promise.futureResult
    }
}

// MARK: Options

extension StreamChannel: SocketOptionProvider {
    private struct Options: NIOSynchronousChannelOptions {
        let channel: StreamChannel

        func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
            try channel.set(option, value)
        }

        func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value { try channel.get(option) }
    }

    /// The options that this program uses; others do nothing, as they are about NIO's own sockets.
    private func set<Option: ChannelOption>(_ option: Option, _ value: Option.Value) throws {
        guard state != .closed else { throw ChannelError.ioOnClosedChannel }
        switch (option, value) {
        case (_ as ChannelOptions.Types.AutoReadOption, let value as Bool):
            let before = readsByItself
            readsByItself = value
            if value, !before { readAgain() }
        case (_ as ChannelOptions.Types.AllowRemoteHalfClosureOption, let value as Bool): allowsHalfClosure = value
        case (_ as ChannelOptions.Types.ConnectTimeoutOption, let value as TimeAmount?): connectTimeout = value
        case (
            _ as ChannelOptions.Types.WriteBufferWaterMarkOption, let value as ChannelOptions.Types.WriteBufferWaterMark
        ):
            writes.waterMark = value
        case (let option as ChannelOptions.Types.SocketOption, let value as SocketOptionValue):
            try setSocketOption(CInt(option.level), CInt(option.name), CInt(value))
        default: break
        }
    }

    private func get<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        guard state != .closed else { throw ChannelError.ioOnClosedChannel }
        let value: Any? =
            switch option {
            case _ as ChannelOptions.Types.AutoReadOption: readsByItself
            case _ as ChannelOptions.Types.AllowRemoteHalfClosureOption: allowsHalfClosure
            case _ as ChannelOptions.Types.BufferedWritableBytesOption: writes.byteCount
            case _ as ChannelOptions.Types.WriteBufferWaterMarkOption: writes.waterMark
            default: nil
            }
        guard let value = value as? Option.Value else { throw ChannelError.operationUnsupported }
        return value
    }

    func setSocketOption<Value>(_ level: CInt, _ name: CInt, _ value: Value) throws {
        var value = value
        let result = setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Value>.size))
        if result != 0 { throw IOError(errnoCode: errno, reason: "setsockopt") }
    }

    func unsafeSetSocketOption<Value: Sendable>(
        level: SocketOptionLevel, name: SocketOptionName, value: Value
    ) -> EventLoopFuture<Void> {
        onLoop {
            guard self.state != .closed else { throw ChannelError.ioOnClosedChannel }
            try self.setSocketOption(CInt(level), CInt(name), value)
        }
    }

    func unsafeSetSocketOption<Value: Sendable>(
        level: NIOBSDSocket.OptionLevel, name: NIOBSDSocket.Option, value: Value
    ) -> EventLoopFuture<Void> {
        unsafeSetSocketOption(
            level: SocketOptionLevel(level.rawValue), name: SocketOptionName(name.rawValue), value: value)
    }

    func unsafeGetSocketOption<Value: Sendable>(
        level: SocketOptionLevel, name: SocketOptionName
    ) -> EventLoopFuture<Value> { loop.makeFailedFuture(ChannelError.operationUnsupported) }

    func unsafeGetSocketOption<Value: Sendable>(
        level: NIOBSDSocket.OptionLevel, name: NIOBSDSocket.Option
    ) -> EventLoopFuture<Value> { loop.makeFailedFuture(ChannelError.operationUnsupported) }
}
#endif
