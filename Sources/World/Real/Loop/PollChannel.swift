// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import NIOCore

/// What all channels of a `PollLoop` answer alike.
protocol PollChannel: AnyObject, Channel, ChannelCore {
    var loop: PollLoop { get }
    var closePromise: EventLoopPromise<Void> { get }
    var pipelineStorage: ChannelPipeline! { get }
}

extension PollChannel {
    var allocator: ByteBufferAllocator { ByteBufferAllocator() }
    var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    var pipeline: ChannelPipeline { pipelineStorage }
    var eventLoop: any EventLoop { loop }
    var _channelCore: any ChannelCore { self }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}

    /// Takes a closed channel's handlers out and tells of its end, but not at once: whoever is in the middle of
    /// something must still find the handlers where they were.
    func endLater() {
        loop._executeIsolatedUnsafeUnchecked { [self] in
            removeHandlers(pipeline: pipelineStorage)
            closePromise.succeed()
        }
    }
}
#endif
