// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Wire

/// The parts of the path of a request, each as something that can be run by itself: for the micro-benchmarks, which
/// live in a package of their own, and for the tests that count allocations. Nothing here decides anything; it prepares
/// what the gateway's own types need and calls them.
public enum HotPath {
    /// A head with this many field lines, of the kinds that browsers and proxies send.
    static func request(fields: Int) -> ByteBuffer {
        var text = "GET /api/v1/orders/17?full=yes HTTP/1.1\r\nHost: api.example.org\r\n"
        for (name, value) in lines(fields - 1) { text += "\(name): \(value)\r\n" }
        return ByteBuffer(string: text + "\r\n")
    }

    static func response(fields: Int) -> ByteBuffer {
        var text = "HTTP/1.1 200 OK\r\nContent-Length: 34\r\n"
        for (name, value) in lines(fields - 1) { text += "\(name): \(value)\r\n" }
        return ByteBuffer(string: text + "\r\n")
    }

    /// The configuration of a declarative file.
    static func configuration(_ text: String) -> Configuration {
        do {
            return try DeclarativeFile.read(
                text, file: "benchmark", acceptsServiceHealthChecks: false, now: 1_000_000_000_000
            ).configuration()
        } catch {
            preconditionFailure("the configuration of a benchmark is in order: \(error)")
        }
    }

    private static func lines(_ count: Int) -> [(String, String)] {
        let known = [
            ("Accept", "application/json, text/plain, */*"), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
            ("Content-Type", "application/json"), ("Accept-Encoding", "gzip, deflate, br"),
            ("Cache-Control", "no-cache"), ("Cookie", "session=0123456789abcdef0123456789abcdef"),
        ]
        return (0..<max(0, count)).map { $0 < known.count ? known[$0] : ("X-Field-\($0)", "value \($0)") }
    }
}

/// Scans the head of a request, with the connection's own object, as often as it is run.
public final class HeadScan {
    private let bytes: ByteBuffer
    private let head = RequestHead()
    private let limits = WireLimits()

    /// - Parameter fields: of the head, at most 100.
    public init(fields: Int) { bytes = HotPath.request(fields: fields) }

    /// - Returns: the length of the head.
    @discardableResult
    public func run() -> Int {
        var arrived = bytes
        guard case .complete(let length) = head.read(from: &arrived, limits: limits) else {
            preconditionFailure("the head of a benchmark is in order")
        }
        head.reset()
        return length
    }
}
