// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// Joins the path of a service and the path of a request: Kong's `path_handling` v0 (get_upstream_uri_v0 in
/// kong/router/utils.lua), which this router flavour uses for v1 as well.
///
///     service path S   strip_path   request path R, rest P     target
///     /                no           /a/b                       /a/b
///     /s               no           /                          /s
///     /s/              no           /a                         /s/a
///     /s               yes (/a)     /a/b  -> P = /b            /s/b
///     /s               yes (/a)     /ab   -> P = b             /s/b
///     /s/              yes (/a)     /a    -> P empty           /s
struct UpstreamURI {
    private static let slash = UInt8(ascii: "/")

    /// The request path in normal form; the bytes of `head` at `pathStart` when `isFromHead`.
    let path: UnsafeRawBufferPointer
    let isFromHead: Bool
    let head: ByteBuffer
    /// Counted from the head's first byte.
    let pathStart: Int
    /// With its `?`, or empty.
    let query: ByteRange
    let route: CompiledRoute
    /// How much of the path the route matched; nil when it matched by other things only.
    let matchedLength: Int?

    /// The path without what the route matched, and without a dot segment that the cut has bared
    /// (sanitize_uri_postfix); the whole path when nothing is stripped.
    private var restStart: Int {
        guard let matchedLength else { return 0 }
        let rest = path.count - matchedLength
        let isDot = { (place: Int) in path[matchedLength + place] == UInt8(ascii: ".") }
        guard rest > 0, isDot(0) else { return matchedLength }
        if rest == 1 || rest == 2 && isDot(1) { return path.count }
        if path[matchedLength + 1] == Self.slash { return matchedLength + 2 }
        return isDot(1) && path[matchedLength + 2] == Self.slash ? matchedLength + 3 : matchedLength
    }

    /// False for an absolute target without a path, whose slash is one of those before the host.
    private var queryFollowsPath: Bool { query.isEmpty || query.lowerBound == pathStart + path.count }

    private var strips: Bool { route.route.stripPath && matchedLength != nil }

    /// What `X-Forwarded-Prefix` says; nil when nothing other than `/` was stripped.
    var strippedPrefix: ByteBuffer? {
        guard strips, let matchedLength, matchedLength > 1 || matchedLength == 1 && path[0] != Self.slash else {
            return nil
        }
        if isFromHead { return slice(from: pathStart, to: pathStart + matchedLength) }
        return ByteBuffer(bytes: RequestPath.escaped(path[..<matchedLength]))
    }

    var target: ByteBuffer {
        let start = strips ? restStart : 0
        if route.servicePathIsRoot, isFromHead, queryFollowsPath {
            let end = query.isEmpty ? pathStart + path.count : query.upperBound
            if start < path.count, path[start] == Self.slash { return slice(from: pathStart + start, to: end) }
            // The byte before the rest is a slash: it serves as the one that would be put there.
            if start > 0, path[start - 1] == Self.slash { return slice(from: pathStart + start - 1, to: end) }
        }
        return joined(restFrom: start)
    }

    private func joined(restFrom start: Int) -> ByteBuffer {
        let rest = UnsafeRawBufferPointer(rebasing: path[start...])
        var result = ByteBuffer()
        result.reserveCapacity(route.servicePath.count + 1 + rest.count + Int(query.count))
        result.writeBytes(route.servicePath)
        let base = route.servicePath
        let endsWithSlash = path.last == Self.slash
        let baseEndsWithSlash = base.last == Self.slash
        if rest.isEmpty {
            if !baseEndsWithSlash, endsWithSlash, path.count > 1 {
                result.writeInteger(Self.slash)
            } else if baseEndsWithSlash, !endsWithSlash, base.count > 1 {
                result.moveWriterIndex(to: result.writerIndex - 1)
            }
        } else if !strips, path.count == 1 {
            // The root of the service.
        } else if baseEndsWithSlash {
            write(rest.first == Self.slash ? UnsafeRawBufferPointer(rebasing: rest.dropFirst()) : rest, to: &result)
        } else {
            if rest.first != Self.slash { result.writeInteger(Self.slash) }
            write(rest, to: &result)
        }
        head.withUnsafeReadableBytes { _ = result.writeBytes($0[query]) }
        return result
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to result: inout ByteBuffer) {
        if isFromHead { result.writeBytes(bytes) } else { result.writeBytes(RequestPath.escaped(bytes)) }
    }

    private func slice(from start: Int, to end: Int) -> ByteBuffer {
        guard let slice = head.getSlice(at: head.readerIndex + start, length: end - start) else {
            preconditionFailure("\(start)..<\(end) is not in a head of \(head.readableBytes) bytes")
        }
        return slice
    }
}
