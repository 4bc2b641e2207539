// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOHTTP2

#if GATECRASH_DEFECTS
import Defects
#endif

/// How much an HTTP/2 peer may ask of a connection. Whoever asks for more is told ENHANCE_YOUR_CALM or PROTOCOL_ERROR
/// and the connection closes; one stream too many is refused by itself.
package struct HTTP2Limits: Sendable, Hashable {
    /// Streams open at a time (nginx `http2_max_concurrent_streams`).
    package var concurrentStreams = 128
    /// Bytes of a body that a stream may send before somebody reads them; also what one stream can make us hold
    /// (nginx `http2_body_preread_size`).
    package var streamWindow = 64 * 1024
    /// The same for all streams of a connection together.
    package var connectionWindow = 1024 * 1024
    /// Bytes that wait to be written for one stream before its sender is held back.
    package var outboundBytes = 64 * 1024
    /// RST_STREAM frames, stream errors and refused streams within `window`, each kind by itself (CVE-2023-44487, rapid
    /// reset).
    package var resets = 200
    /// PING, SETTINGS and PRIORITY frames within `window` (CVE-2019-9512, CVE-2019-9515).
    package var controlFrames = 200
    package var window = TimeAmount.seconds(30)
    /// CONTINUATION frames of one header block (CVE-2024-27316).
    package var continuations = 16
    /// Empty DATA frames in a row (CVE-2019-9518). gRPC clients end a stream with one.
    package var emptyFrames = 1

    package init() {}
}

extension HTTP2Limits {
    /// - Parameter headBytes: of `WireLimits`. Twice as much is decoded, so that a head which is only somewhat too long
    ///   gets an answer of its stream instead of ending the connection.
    func connectionConfiguration(headBytes: Int) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: concurrentStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 2 * headBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
        ]
        configuration.targetWindowSize = connectionWindow
        // What was sent before the reset arrived is no mistake of the client, however many streams it had.
        configuration.maximumRecentlyResetStreams = max(resets, concurrentStreams)
        configuration.maximumSequentialContinuationFrames = continuations
        configuration.maximumSequentialEmptyDataFrames = emptyFrames
        configuration.controlFrameRateLimit.maximumCount = controlFrames
        configuration.controlFrameRateLimit.windowLength = window
        #if GATECRASH_DEFECTS
        if Defect.controlFramesUncounted.isChosen { configuration.controlFrameRateLimit.maximumCount = 1_000_000 }
        #endif
        return configuration
    }

    var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = streamWindow
        configuration.outboundBufferSizeHighWatermark = outboundBytes
        configuration.outboundBufferSizeLowWatermark = outboundBytes / 2
        configuration.streamResetFrameRateLimit.maximumCount = resets
        configuration.streamResetFrameRateLimit.windowLength = window
        configuration.streamErrorRateLimit.maximumCount = resets
        configuration.streamErrorRateLimit.windowLength = window
        return configuration
    }
}

extension HTTP2Limits {
    /// Whether an error that NIOHTTP2 reports on the connection's pipeline is about one stream only, which it has reset
    /// already. It tells both kinds in one way; what is not known to be about a stream ends the connection.
    static func isOfOneStream(_ error: any Error) -> Bool {
        switch error {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.StreamClosed,
            is NIOHTTP2Errors.ForbiddenHeaderField, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName,
            is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue, is NIOHTTP2Errors.InvalidPseudoHeaders,
            is NIOHTTP2Errors.InvalidPseudoHeaderValue, is NIOHTTP2Errors.DuplicatePseudoHeader,
            is NIOHTTP2Errors.UnknownPseudoHeader, is NIOHTTP2Errors.MissingPseudoHeader,
            is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader, is NIOHTTP2Errors.EmptyPathHeader,
            is NIOHTTP2Errors.ContentLengthViolated,
            is NIOHTTP2Errors.TrailersWithoutEndStream, is NIOHTTP2Errors.ContentLengthHeadersMismatch,
            is NIOHTTP2Errors.ContentLengthHeaderNegative, is NIOHTTP2Errors.ContentLengthHeaderMalformedValue:
            true
        default: false
        }
    }
}
