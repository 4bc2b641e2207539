// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import NIOCore
package import Wire

/// All routes of a configuration, compiled: immutable, shared by all event loops without a lock.
///
/// Matches as Kong's router flavour traditional_compatible does. A route that asks for a plain prefix, a host and
/// methods only is found without an allocation, a `String` or a regular expression; how many routes there are hardly
/// matters, as paths and hosts are indexed. Routes of one path and one host that differ in headers only are tried one
/// by one.
package final class RouteTable: Sendable {
    /// Routes in the order of the configuration, without those of disabled services and those that speak no HTTP.
    package let routes: [CompiledRoute]
    /// Routes that were left out, with the reason: a regular expression that does not compile.
    package let problems: [Problem]
    private let parts: ContiguousArray<RouteConditions>
    private let patterns: ContiguousArray<RoutePattern>
    private let hosts: HostIndex
    private let paths: PathIndex
    private let asksForPaths: Bool

    package static let empty = RouteTable(.empty)

    package init(_ configuration: Configuration) {
        let builder = RouteTableBuilder(configuration)
        routes = builder.routes
        problems = builder.problems
        parts = builder.parts
        patterns = builder.patterns
        hosts = builder.hosts
        paths = PathIndex(builder.entries)
        asksForPaths = builder.entries.contains { $0.candidate.needsPath }
    }

    /// The route for a request, or nil when there is none (404).
    ///
    /// - Parameters:
    ///   - port: the listening port, for a request whose host names none.
    ///   - serverName: of the TLS handshake; nil when the client sent none.
    package func match(
        _ head: RequestHead, scheme: RequestScheme, port: Int, serverName: String? = nil
    )
        -> RouteMatch?
    {
        let buffer = head.bytes
        return buffer.withUnsafeReadableBytes { bytes in
            let request = Request(head: head, bytes: bytes, scheme: scheme, port: port, serverName: serverName)
            guard head.method != .connect, bytes[head.target].first != UInt8(ascii: "*") else {
                return matchWithoutPath(request, buffer)
            }
            let path = bytes[head.path]
            if RequestPath.isNormal(path) { return match(request, path, isFromHead: true, buffer) }
            return RequestPath.normalized(path).withUnsafeBytes { path in
                // Kong's router takes text only: it fails, which is answered with 404, once any route asks for a path.
                guard !asksForPaths || RequestPath.isText(path) else { return nil }
                return match(request, path, isFromHead: false, buffer)
            }
        }
    }

    private struct Request {
        let head: RequestHead
        let bytes: UnsafeRawBufferPointer
        let scheme: RequestScheme
        let port: Int
        let serverName: String?
    }

    /// `*` and the target of CONNECT: no path of a route fits, and the target stays as it is.
    private func matchWithoutPath(_ request: Request, _ buffer: ByteBuffer) -> RouteMatch? {
        var pattern: RoutePattern.Match?
        guard let candidate = find(request, nil, &pattern) else { return nil }
        let target = request.head.target
        let uri = buffer.getSlice(at: buffer.readerIndex + target.lowerBound, length: Int(target.count))
        return RouteMatch(
            route: parts[Int(candidate.part)].route, uri: uri ?? ByteBuffer(), strippedPrefix: nil, captures: [])
    }

    private func match(
        _ request: Request, _ path: UnsafeRawBufferPointer, isFromHead: Bool, _ buffer: ByteBuffer
    ) -> RouteMatch? {
        var pattern: RoutePattern.Match?
        guard let candidate = find(request, path, &pattern) else { return nil }
        let route = parts[Int(candidate.part)].route
        let prefixLength = candidate.prefixLength < 0 ? nil : Int(candidate.prefixLength)
        let uri = UpstreamURI(
            path: path, isFromHead: isFromHead, head: buffer, pathStart: request.head.path.lowerBound,
            query: request.head.query, route: route,
            matchedLength: candidate.pattern < 0 ? prefixLength : pattern?.length)
        return RouteMatch(
            route: route, uri: uri.target, strippedPrefix: uri.strippedPrefix,
            captures: candidate.pattern < 0 ? [] : pattern?.captures ?? [])
    }

    /// - Parameter pattern: the match of the regular expression, when the candidate has one.
    private func find(
        _ request: Request, _ path: UnsafeRawBufferPointer?, _ pattern: inout RoutePattern.Match?
    ) -> Candidate? {
        let authority = request.bytes[request.head.authority]
        let address = HostAndPort(authority)
        let port = address.port ?? request.port
        let method = UInt16(1) << UInt16(request.head.method.rawValue)
        var text: PathText = .notMade
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: hosts.longestAnswer) { numbers in
            let count = hosts.find(UnsafeRawBufferPointer(rebasing: authority[address.host]), numbers)
            return paths.best(path, hosts: UnsafeBufferPointer(rebasing: numbers[..<count])) { candidate in
                guard candidate.methods & method != 0, candidate.port < 0 || Int(candidate.port) == port else {
                    return false
                }
                if candidate.hasConditions {
                    let conditions = parts[Int(candidate.part)]
                    guard conditions.hold(request.head, request.bytes, request.scheme, request.serverName) else {
                        return false
                    }
                }
                guard candidate.needsPath else { return true }
                guard let path else { return false }
                guard candidate.pattern >= 0 else { return true }
                guard let found = patterns[Int(candidate.pattern)].prefixMatch(text.made(from: path)) else {
                    return false
                }
                pattern = found
                return true
            }
        }
    }

    /// The path as text, made for the first regular expression that asks.
    private enum PathText {
        case notMade
        case made(String)

        mutating func made(from path: UnsafeRawBufferPointer) -> String {
            if case .made(let text) = self { return text }
            let text = String(decoding: path, as: UTF8.self)
            self = .made(text)
            return text
        }
    }
}
