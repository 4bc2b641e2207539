// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1
import Wire

/// Compares our reading of single heads with llhttp's: what we take, it takes too and reads the same. That we refuse
/// more is the point; those few of its refusals that are not ours have a reason each (KnownDifferences of WireTests).
package enum HeadChecker {
    /// - Parameter input: one byte, even for a request and odd for a response, and the head.
    /// - Returns: what is wrong, or nil.
    package static func problem(with input: [UInt8]) -> String? {
        guard let first = input.first else { return nil }
        let bytes = ByteBuffer(bytes: input.dropFirst())
        return first & 1 == 0 ? requestProblem(bytes) : responseProblem(bytes)
    }

    private static func requestProblem(_ bytes: ByteBuffer) -> String? {
        let head = RequestHead()
        var rest = bytes
        guard case .complete = head.read(from: &rest, limits: WireLimits()) else { return splitProblem(bytes) }
        guard hasPlainTarget(head) else { return nil }
        guard let theirs = stockRequest(head.bytes) ?? stockRequest(tidied(head)) else {
            return "llhttp refuses a request that we take: \(String(buffer: head.bytes).debugDescription)"
        }
        let isSame =
            theirs.method.rawValue == head.methodText && theirs.uri == head.text(head.target)
            && same(theirs.headers, head.allFields)
        return isSame ? nil : "llhttp reads \(theirs) where we read \(head.methodText) \(head.allFields)"
    }

    /// llhttp has a list of methods and an own idea of targets.
    private static func hasPlainTarget(_ head: RequestHead) -> Bool {
        let target = head.text(head.target)
        return ["GET", "HEAD", "POST", "PUT", "DELETE"].contains(head.methodText) && target.hasPrefix("/")
            && target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && !head.fields.hasUpgrade
            && head.bytes.readableBytesView.starts(with: head.methodText.utf8)
    }

    private static func responseProblem(_ bytes: ByteBuffer) -> String? {
        let head = ResponseHead()
        var rest = bytes
        guard case .complete = head.read(from: &rest, answering: .get, limits: WireLimits()), head.status != 101,
            head.status < 600
        else { return nil }
        guard let theirs = stockResponse(head.bytes) ?? stockResponse(tidied(head)) else {
            return "llhttp refuses a response that we take: \(String(buffer: head.bytes).debugDescription)"
        }
        let isSame = Int(theirs.status.code) == head.status && same(theirs.headers, head.allFields)
        return isSame ? nil : "llhttp reads \(theirs) where we read \(head.status) \(head.allFields)"
    }

    /// A head that comes in two pieces is read as one that comes whole.
    private static func splitProblem(_ bytes: ByteBuffer) -> String? {
        guard bytes.readableBytes > 1, bytes.readableBytes < 300 else { return nil }
        var whole = bytes
        let expected = RequestHead().read(from: &whole, limits: WireLimits())
        for cut in stride(from: 1, to: bytes.readableBytes, by: 3) {
            let head = RequestHead()
            var buffer = bytes.getSlice(at: bytes.readerIndex, length: cut) ?? ByteBuffer()
            var result = head.read(from: &buffer, limits: WireLimits())
            if case .needsMore = result {
                var all = bytes
                result = head.read(from: &all, limits: WireLimits())
            }
            // What has several mistakes is refused for the one that is met first; that depends on what has come.
            if case .failed = result, case .failed = expected { continue }
            if result != expected { return "cut at \(cut) it is \(result), whole \(expected)" }
        }
        return nil
    }

    private static func stockRequest(_ bytes: ByteBuffer) -> HTTPRequestHead? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        try? channel.pipeline.syncOperations.addHandler(decoder)
        _ = try? channel.writeInbound(bytes)
        guard case .head(let head)? = try? channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        return head
    }

    private static func stockResponse(_ bytes: ByteBuffer) -> HTTPResponseHead? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward))
        try? channel.pipeline.syncOperations.addHandlers([HTTPRequestEncoder(), decoder])
        // It reads no response that nobody has asked for.
        channel.writeAndFlush(
            HTTPClientRequestPart.head(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")), promise: nil)
        _ = try? channel.writeInbound(bytes)
        guard case .head(let head)? = try? channel.readInbound(as: HTTPClientResponsePart.self) else { return nil }
        return head
    }

    // The fields once more, without white space around the values: RFC 9112 section 5 allows it, llhttp knows no tab
    // behind a length (KnownDifferences).

    private static func tidied(_ head: RequestHead) -> ByteBuffer {
        head.bytes.withUnsafeReadableBytes { bytes in
            var out = ByteBuffer(string: "\(head.methodText) ")
            out.writeBytes(bytes[head.target])
            out.writeString(head.version == .http11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n")
            write(head.fields, bytes, to: &out)
            return out
        }
    }

    private static func tidied(_ head: ResponseHead) -> ByteBuffer {
        head.bytes.withUnsafeReadableBytes { bytes in
            var out = ByteBuffer(string: "HTTP/1.\(head.version == .http11 ? 1 : 0) \(head.status) ")
            out.writeBytes(bytes[head.reason])
            out.writeString("\r\n")
            write(head.fields, bytes, to: &out)
            return out
        }
    }

    private static func write(_ fields: HeadFields, _ bytes: UnsafeRawBufferPointer, to out: inout ByteBuffer) {
        for field in fields.list {
            out.writeBytes(bytes[field.name])
            out.writeString(": ")
            out.writeBytes(bytes[field.value])
            out.writeString("\r\n")
        }
        out.writeString("\r\n")
    }

    private static func same(_ theirs: HTTPHeaders, _ ours: [(name: String, value: String)]) -> Bool {
        let list = theirs.map { ($0.name, $0.value) }
        return list.count == ours.count
            && zip(list, ours).allSatisfy { $0.0 == $1.name && $0.1.trimmingTail() == $1.value.trimmingTail() }
    }
}

extension String {
    /// NIOHTTP1 leaves white space at the end of values.
    func trimmingTail() -> Substring {
        guard let last = utf8.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return "" }
        return self[...last]
    }
}
