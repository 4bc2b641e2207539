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
///
/// The kernel tells of changes only, so what is waited for need never be told to it anew: that there may be something
/// to read is remembered until a read finds less than it asked for.
// Proof: all members but constants are touched on the loop alone, which the pipeline and every entry here assert; what
// the Channel protocol lets other threads ask for goes through the loop, or is an atomic.
final class StreamChannel: PollSource, PollChannel, @unchecked Sendable {
    enum State { case fresh, connecting, active, closed }

    /// Reads in a row before other sockets have their turn.
    private static let readsInTurn = 2

    let loop: PollLoop
    let descriptor: CInt
    let parent: (any Channel)?
    let closePromise: EventLoopPromise<Void>
    var pipelineStorage: ChannelPipeline!
    private(set) var state = State.fresh
    private(set) var addresses = Addresses()
    let flags = ChannelFlags()

    var writes = PendingWrites()
    private var connectPromise: EventLoopPromise<Void>?
    private var connectTimer: Scheduled<Void>?
    private var outputPromise: EventLoopPromise<Void>?
    private var closesOutput = false
    private(set) var isInputShut = false
    private(set) var isOutputShut = false
    private var wantsRead = false
    /// The kernel has told of something that no read has found the end of yet.
    private var mayRead = false
    /// The other side has ended its sending half. A short read then says nothing: the end itself is still to be read.
    private var hasInputEnd = false
    private var isReading = false
    private var isReadingLater = false
    /// Gets what arrives, instead of the pipeline.
    private var receiver: (any DirectReceiver)?
    private var isFlushing = false
    private var isWritingLater = false

    // Options
    var readsByItself = true
    var allowsHalfClosure = false
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

    deinit { if state != .closed { gatecrash_close(descriptor) } }

    // MARK: Reading

    private static let events =
        UInt32(gatecrash_readable) | UInt32(gatecrash_writable) | UInt32(gatecrash_input_closed)
        | UInt32(gatecrash_changes_only)

    private func watch() { loop.watch(self, descriptor: descriptor, events: Self.events) }

    override func ready(_ events: UInt32) {
        if events & UInt32(gatecrash_readable) != 0 { mayRead = true }
        if state == .connecting {
            connected()
            guard state == .active else { return }
        }
        if events & (UInt32(gatecrash_failed) | UInt32(gatecrash_hung_up)) != 0 { return hungUp(events) }
        if events & UInt32(gatecrash_writable) != 0, writes.isBlocked {
            writes.isBlocked = false
            writeNow()
        }
        if events & UInt32(gatecrash_input_closed) != 0, !isInputShut {
            readToTheEnd()
        } else if mayRead, wantsRead {
            readOnce()
        }
    }

    /// Something is there and wanted, and nobody is reading already.
    private var canRead: Bool { wantsRead && mayRead && !isReading && state == .active && !isInputShut }

    /// Reads in the loop's next round when it can.
    private func readLater() {
        guard canRead, !isReadingLater else { return }
        isReadingLater = true
        loop._executeIsolatedUnsafeUnchecked { [self] in
            isReadingLater = false
            if canRead { readOnce() }
        }
    }

    private enum Reading { case something, nothing, ended }

    private func readOnce() {
        isReading = true
        let reading = receive()
        isReading = false
        switch reading {
        case .something: completeRead()
        case .nothing: break
        case .ended: endOfInput()
        }
    }

    /// The other side sends no more. Some of what it has sent is read now, wanted or not, so that its end is known at
    /// once if it is near; a long rest waits until it is wanted.
    private func readToTheEnd() {
        (hasInputEnd, mayRead) = (true, true)
        var mayForce = true
        while state == .active, !isInputShut, !isReading, mayRead {
            if !wantsRead {
                guard mayForce else { return }
                mayForce = false
            }
            readOnce()
        }
    }

    private func completeRead() {
        guard state == .active else { return }
        deliveredAll()
        readAgain()
    }

    func readAgain() {
        guard state == .active, !isInputShut else { return }
        if !wantsRead, readsByItself {
            if let receiver { wantsRead = receiver.wantsToRead } else { pipelineStorage.syncOperations.read() }
        }
        readLater()
    }

    @inline(__always)
    private func deliver(_ bytes: ByteBuffer) {
        if let receiver {
            receiver.received(bytes)
        } else {
            pipelineStorage.syncOperations.fireChannelRead(NIOAny(bytes))
        }
    }

    @inline(__always)
    private func deliveredAll() {
        if let receiver { receiver.receivedAll() } else { pipelineStorage.syncOperations.fireChannelReadComplete() }
    }

    /// Up to some reads, until one is not filled.
    private func receive() -> Reading {
        var result = Reading.nothing
        for _ in 0..<Self.readsInTurn {
            guard state == .active, !isInputShut else { return result }
            let (count, buffer) = loop.readBuffer.read(descriptor)
            guard count > 0 else {
                if count == 0 {
                    if case .something = result { deliveredAll() }
                    return .ended
                }
                mayRead = false
                if count == -Int(EAGAIN) { return result }
                broken(IOError(errnoCode: CInt(-count), reason: "read"))
                return .nothing
            }
            wantsRead = false
            result = .something
            if count < ReadBuffer.size, !hasInputEnd { mayRead = false }
            deliver(buffer)
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
        pipelineStorage.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    /// Nothing can be sent any more, and what has come is all that ever will.
    private func hungUp(_ events: UInt32) {
        if !isInputShut { readToTheEnd() }
        guard state == .active else { return }
        // Both sides have ended theirs in good order, and there is more than anybody wants to read now.
        if events & UInt32(gatecrash_failed) == 0, !isInputShut { return }
        let code = gatecrash_socket_error(descriptor)
        broken(IOError(errnoCode: code == 0 ? ECONNRESET : code, reason: "connection"))
    }

    private func broken(_ error: IOError) {
        guard state == .active else { return }
        pipelineStorage.syncOperations.fireErrorCaught(error)
        close0(error: error, mode: .all, promise: nil)
    }

    // MARK: Writing

    /// Writes what was flushed, as far as the socket takes it; of much of it the rest in the loop's next round.
    private func writeNow() {
        guard !isFlushing, state == .active else { return }
        isFlushing = true
        defer { isFlushing = false }
        var most = PendingWrites.mostBytes
        while state == .active, writes.hasFlushed, !writes.isBlocked {
            guard most > 0 else { return writeLater() }
            let before = writes.byteCount
            let outcome = writes.write(to: descriptor)
            most -= before - writes.byteCount
            switch outcome {
            case .wrote(let becameWritable, let written):
                // They may write more, or close.
                for promise in written { promise.succeed() }
                guard becameWritable, state == .active, writes.isWritable else { continue }
                flags.isWritable = true
                pipelineStorage.syncOperations.fireChannelWritabilityChanged()
            case .blocked: break
            case .failed(let code): return writeFailed(IOError(errnoCode: code, reason: "write"))
            }
        }
        if closesOutput, !writes.hasFlushed { shutOutput() }
    }

    private func writeLater() {
        guard !isWritingLater else { return }
        isWritingLater = true
        loop._executeIsolatedUnsafeUnchecked { [self] in
            isWritingLater = false
            writeNow()
        }
    }

    /// What the other side has said before it went may say why.
    private func writeFailed(_ error: IOError) {
        if wantsRead || readsByItself {
            while state == .active, !isInputShut, case .something = receive() { deliveredAll() }
        }
        close0(error: error, mode: .all, promise: nil)
    }

    // MARK: Opening

    /// An accepted connection; its handlers are there.
    func activate() {
        guard state == .fresh else { return }
        state = .active
        flags.isActive = true
        watch()
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
        gatecrash_send_at_once(descriptor)
        fetchAddresses()
    }

    /// A connection that is to be opened.
    func prepareOutgoing(timeout: TimeAmount) {
        allowsHalfClosure = true
        connectTimeout = timeout
        gatecrash_send_at_once(descriptor)
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
        watch()
        flags.isActive = true
        fetchAddresses()
        let promise = connectPromise
        connectPromise = nil
        promise?.succeed()
        guard state == .active else { return }
        pipelineStorage.syncOperations.fireChannelActive()
        readAgain()
        writeNow()
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

    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
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
        watch()
        guard let connectTimeout else { return }
        // Called off when the attempt ends, whichever way. A weak reference would make every later use of the channel's
        // count of references take the long way.
        connectTimer = loop.assumeIsolated().scheduleTask(in: connectTimeout) {
            self.connectFailed(ChannelError.connectTimeout(connectTimeout))
        }
    }

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state != .closed, !isOutputShut, !closesOutput else {
            promise?.fail(state == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
            return
        }
        add(unwrapData(data, as: ByteBuffer.self), promise)
    }

    private func add(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        let becameUnwritable = writes.add(bytes, promise)
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
    }

    func read0() {
        guard state != .closed, !isInputShut, !wantsRead else { return }
        wantsRead = true
        readLater()
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
            gatecrash_shut_input(descriptor)
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
        if !writes.hasFlushed { shutOutput() }
    }

    private func shutOutput() {
        closesOutput = false
        isOutputShut = true
        gatecrash_shut_output(descriptor)
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
        let written = isWritingLater ? writes.writeRest(to: descriptor) : []
        gatecrash_close(descriptor)
        receiver = nil
        let failed = writes.removeAll()
        for promise in written { promise.succeed() }
        for promise in failed { promise.fail(error) }
        outputPromise?.fail(error)
        outputPromise = nil
        let connecting = connectPromise
        connectPromise = nil
        connecting?.fail(error)
        promise?.succeed()
        if wasActive { pipelineStorage.syncOperations.fireChannelInactive() }
        pipelineStorage.syncOperations.fireChannelUnregistered()
        endLater()
    }
}

// MARK: DirectChannel

extension StreamChannel: DirectChannel {
    func deliver(to receiver: any DirectReceiver) {
        loop.assertInEventLoop()
        if state != .closed { self.receiver = receiver }
    }

    func send(_ bytes: ByteBuffer) {
        guard state == .active, !writes.hasAny, !isFlushing, !isOutputShut, !closesOutput,
            bytes.readableBytes <= PendingWrites.mostBytes
        else {
            write0(NIOAny(bytes), promise: nil)
            return flush0()
        }
        // Nothing waits before it: as a rule the socket takes it whole, and nothing is kept.
        let written = bytes.withUnsafeReadableBytes { gatecrash_write(descriptor, $0.baseAddress, $0.count) }
        if written == bytes.readableBytes { return }
        guard written >= 0 || written == -Int(EAGAIN) else {
            return writeFailed(IOError(errnoCode: CInt(-written), reason: "write"))
        }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: max(0, written))
        writes.isBlocked = true
        add(rest, nil)
        writes.flush()
    }
}
#endif
