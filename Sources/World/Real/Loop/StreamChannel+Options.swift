// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// The way to a channel's options for who is on its loop already.
struct StreamOptions: NIOSynchronousChannelOptions {
    let channel: StreamChannel

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try channel.set(option, value)
    }

    func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value { try channel.get(option) }
}

extension StreamChannel: SocketOptionProvider {
    /// The options that this program uses; others do nothing, as they are about NIO's own sockets.
    func set<Option: ChannelOption>(_ option: Option, _ value: Option.Value) throws {
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

    func get<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
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
        // Who sets an option gives it a value of C.
        let result = withUnsafeBytes(of: value) {
            setsockopt(descriptor, level, name, $0.baseAddress, socklen_t($0.count))
        }
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
