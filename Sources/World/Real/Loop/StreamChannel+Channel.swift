// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import NIOCore

/// What any thread may ask a channel for.
extension StreamChannel {
    var localAddress: SocketAddress? { flags.addresses.local }
    var remoteAddress: SocketAddress? { flags.addresses.remote }
    var isWritable: Bool { flags.isWritable }
    var isActive: Bool { flags.isActive }
    var syncOptions: (any NIOSynchronousChannelOptions)? { StreamOptions(channel: self) }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        onLoop { try self.set(option, value) }
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        onLoop { try self.get(option) }
    }

    func onLoop<T: Sendable>(_ body: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
        guard loop.inEventLoop else { return loop.submit(body) }
        let promise = loop.makePromise(of: T.self)
        promise.completeWith(Result(catching: body))
        return promise.futureResult
    }
}
#endif
