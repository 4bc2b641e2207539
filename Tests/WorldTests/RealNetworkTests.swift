// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The real network on loopback.
@Suite struct RealNetworkTests {
    private let world = World.real(threads: 1, seed: 1)
    private var loop: any EventLoop { world.loops.next() }
    private let anyPort = SocketAddress.loopback(port: 0)

    private func listen(
        on address: SocketAddress, _ options: ListenOptions = ListenOptions(),
        accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void> = { $0.eventLoop.makeSucceededVoidFuture() }
    ) throws -> any Channel {
        try world.network.listen(on: address, loops: world.loops, options: options, accept: accept).wait()
    }

    private func connect(to address: SocketAddress?, timeout: TimeAmount = .seconds(5)) throws -> any Channel {
        let address = try #require(address)
        return try world.network.connect(to: address, on: loop, timeout: timeout) {
            $0.eventLoop.makeSucceededVoidFuture()
        }.wait()
    }

    /// The code of the network error that `body` throws, or nil.
    private func code(_ body: () throws -> Void) throws -> NetworkError.Code? {
        do {
            try body()
            return nil
        } catch let error as NetworkError {
            return error.code
        }
    }

    @Test func `port 0 listens on a free port, which can be asked for`() throws {
        let first = try listen(on: anyPort)
        let second = try listen(on: anyPort)
        let ports = [first, second].compactMap { $0.localAddress?.port }
        #expect(ports.count == 2 && ports[0] != ports[1] && ports.allSatisfy { $0 > 0 })
        try first.close().wait()
        try second.close().wait()
    }

    @Test func `bytes cross a connection, and its end is seen`() throws {
        let echoed = loop.makePromise(of: String.self)
        let listener = try listen(on: anyPort) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
        }
        let address = try #require(listener.localAddress)
        let client = try world.network.connect(to: address, on: loop, timeout: .seconds(5)) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Collect(into: echoed))
            }
        }.wait()
        try client.writeAndFlush(ByteBuffer(string: "hello")).wait()
        try client.close(mode: .output).wait()
        #expect(try echoed.futureResult.wait() == "hello")
        try listener.close().wait()
    }

    @Test func `a closed port refuses`() throws {
        let listener = try listen(on: anyPort)
        let address = listener.localAddress
        try listener.close().wait()
        #expect(try code { _ = try connect(to: address) } == .refused)
    }

    @Test func `a port in use is told`() throws {
        let listener = try listen(on: anyPort)
        let address = try #require(listener.localAddress)
        #expect(try code { _ = try listen(on: address) } == .addressInUse)
        try listener.close().wait()
    }

    @Test func `an address of somebody else cannot be listened on`() throws {
        let address = try SocketAddress(ipAddress: "192.0.2.1", port: 0)
        #expect(try code { _ = try listen(on: address) } == .unreachable)
    }

    @Test func `a listener that accepts nobody lets its callers time out`() throws {
        var options = ListenOptions()
        (options.backlog, options.acceptsAtOnce) = (0, false)
        let listener = try listen(on: anyPort, options)
        // The kernel completes a few connections by itself; then it drops what comes.
        var codes: [NetworkError.Code?] = []
        var open: [any Channel] = []
        while codes.last != .timedOut, codes.count < 8 {
            codes.append(
                try code { open.append(try connect(to: listener.localAddress, timeout: .milliseconds(300))) })
        }
        #expect(codes.last == .timedOut)
        for channel in open { try channel.close().wait() }
        try listener.close().wait()
    }

    @Test func `a shared port has several listeners`() throws {
        var options = ListenOptions()
        options.sharesPort = true
        let first = try listen(on: anyPort, options)
        let address = try #require(first.localAddress)
        let second = try listen(on: address, options)
        #expect(second.localAddress == address)
        try first.close().wait()
        try second.close().wait()
    }

    @Test(arguments: [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("localhost", nil)])
    func `names and literal addresses have addresses`(host: String, expected: String?) throws {
        let addresses = try world.network.resolve(host, port: 80, on: loop).wait()
        #expect(!addresses.isEmpty)
        if let expected { #expect(addresses.map(\.text) == [expected]) }
        #expect(addresses.allSatisfy { $0.port == 80 })
    }

    @Test(arguments: [("a..b", 80), ("", 80), ("127.0.0.1", 65_536), ("127.0.0.1", -1)])
    func `what is no name is not found`(host: String, port: Int) throws {
        #expect(try code { _ = try world.network.resolve(host, port: port, on: loop).wait() } == .nameNotFound)
    }

    @Test func `an error says where and what`() {
        #expect(NetworkError(.refused, "127.0.0.1:1").description == "127.0.0.1:1: connection refused")
    }
}

/// Sends back what comes, then closes.
private final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
    }
}

/// Gathers what comes until the end.
private final class Collect: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var text = ""
    private let promise: EventLoopPromise<String>

    init(into promise: EventLoopPromise<String>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
    }
}

/// Records on their way to another process.
@Suite struct DescriptorSinkTests {
    private func makePipe() throws -> (read: CInt, write: CInt) {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    private func readAll(_ descriptor: CInt) -> String {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &part, part.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += part[..<count]
        }
    }

    @Test func `a record is a line, and out of the process's hands at once`() throws {
        let (reader, writer) = try makePipe()
        let sink = DescriptorSink(descriptor: writer)
        sink.append(ByteBuffer(string: "{\"kind\":\"ready\"}"))
        sink.append(ByteBuffer())
        close(writer)
        #expect(readAll(reader) == "{\"kind\":\"ready\"}\n\n")
        close(reader)
    }

    @Test func `a full pipe makes the writer wait, whether or not it blocks, and loses nothing`() throws {
        for isNonblocking in [false, true] {
            let (reader, writer) = try makePipe()
            if isNonblocking { _ = fcntl(writer, F_SETFL, fcntl(writer, F_GETFL) | O_NONBLOCK) }
            let line = ByteBuffer(string: String(repeating: "x", count: 999))
            // The writer has a thread of its own, the reader this one; 1,000 lines are far more than a pipe holds.
            let group = World.real(threads: 1, seed: 1).loops
            let written = group.next().submit {
                for _ in 0..<1000 { DescriptorSink(descriptor: writer).append(line) }
                close(writer)
            }
            let text = readAll(reader)
            try written.wait()
            #expect(text.utf8.count == 1_000_000)
            #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count == 999 })
            close(reader)
        }
    }

    @Test func `a reader that has gone does no harm`() throws {
        let (reader, writer) = try makePipe()
        close(reader)
        let sink = DescriptorSink(descriptor: writer)
        for _ in 0..<3 { sink.append(ByteBuffer(string: "lost")) }
        close(writer)
        sink.append(ByteBuffer(string: "lost too"))
    }
}
