// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Wire
import World

/// Turns the head of a request into the one for the upstream, and the head of a response into the one for the client.
public final class HeadRewrite {
    private let request = RequestHead()
    private let response = ResponseHead()
    private let uri = ByteBuffer(string: "/api/v1/orders/17?full=yes")
    private let client = ClientFacts(address: "127.0.0.1", scheme: "http", port: 8000)
    private let requestID: RequestID
    private var out = ByteBuffer()
    private let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    /// - Parameter fields: of each head, at most 100.
    public init(fields: Int) {
        var random = RandomStreams(seed: 1).stream("benchmark")
        requestID = RequestID(&random)
        var arrived = HotPath.request(fields: fields)
        var answered = HotPath.response(fields: fields)
        guard case .complete = request.read(from: &arrived, limits: WireLimits()),
            case .complete = response.read(from: &answered, answering: .get, limits: WireLimits())
        else { preconditionFailure("the heads of a benchmark are in order") }
    }

    /// - Returns: the bytes that were written.
    @discardableResult
    public func runRequest() -> Int {
        let forwarded = ForwardedRequest(
            request, uri: uri, host: ("127.0.0.1", 5000), client: client, strippedPrefix: nil, requestID: requestID)
        out.clear()
        out.append(atMost: forwarded.longest) { forwarded.write(to: &$0) }
        return out.readableBytes
    }

    /// - Returns: the bytes that were written.
    @discardableResult
    public func runResponse() -> Int {
        let forwarded = ForwardedResponse(
            response, keepsTrailer: false, latency: ProxyLatency(proxy: 0, upstream: 1), requestID: requestID)
        out.clear()
        out.append(atMost: forwarded.longest) { forwarded.write(to: &$0) { date } }
        return out.readableBytes
    }
}
