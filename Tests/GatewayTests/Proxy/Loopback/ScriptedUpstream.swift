// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A TCP server that does with each connection what a test tells it: a script runs for each, on a thread of its own.
final class ScriptedUpstream: Sendable {
    /// One connection to it.
    struct Connection: Sendable {
        let number: Int
        let socket: RawSocket
        private let upstream: ScriptedUpstream

        fileprivate init(number: Int, socket: RawSocket, upstream: ScriptedUpstream) {
            (self.number, self.socket, self.upstream) = (number, socket, upstream)
        }

        /// The next request, noted down; nil when the connection ends.
        func request() throws -> RawMessage? {
            guard let request = try socket.message() else { return nil }
            upstream.note(request, on: number)
            return request
        }

        /// Answers every request that comes.
        func answerAll(_ response: String = ScriptedUpstream.ok) throws {
            while try request() != nil { try socket.send(response) }
        }
    }

    typealias Script = @Sendable (Connection) throws -> Void

    private struct State {
        var requests: [(connection: Int, message: RawMessage)] = []
        var connections = 0
        var open: [Int: RawSocket] = [:]
        var descriptor: CInt
    }

    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    let port: Int
    private let state: Mutex<State>
    private let script: Script

    /// - Parameter port: a free one when 0.
    init(port: Int = 0, _ script: @escaping Script = { try $0.answerAll() }) throws {
        let (descriptor, port) = try Self.listen(port)
        self.port = port
        self.script = script
        state = Mutex(State(descriptor: descriptor))
        Thread.detachNewThread { [weak self] in
            while true {
                let accepted = accept(descriptor, nil, nil)
                guard accepted >= 0 else { return }
                guard let self else {
                    close(accepted)
                    return
                }
                serve(accepted)
            }
        }
    }

    deinit { stop() }

    private func serve(_ descriptor: CInt) {
        let socket = RawSocket(descriptor: descriptor)
        let number = state.withLock { state in
            state.connections += 1
            state.open[state.connections] = socket
            return state.connections
        }
        let connection = Connection(number: number, socket: socket, upstream: self)
        Thread.detachNewThread { [weak self] in
            // A script that fails is a connection that ended, which the test sees by itself.
            do { try self?.script(connection) } catch {}
            _ = self?.state.withLock { $0.open.removeValue(forKey: number) }
            socket.close()
        }
    }

    static func listen(_ port: Int) throws -> (descriptor: CInt, port: Int) {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        var on: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        var address = RawSocket.loopback(port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutableBytes(of: &address) { bytes -> CInt in
            let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            guard bind(descriptor, pointer, length) == 0, Glibc.listen(descriptor, 128) == 0 else { return -1 }
            return getsockname(descriptor, pointer, &length)
        }
        guard result == 0 else {
            let error = errno
            close(descriptor)
            throw RawSocket.Failure.system("listen", error)
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    fileprivate func note(_ request: RawMessage, on connection: Int) {
        state.withLock { $0.requests.append((connection, request)) }
    }

    var requests: [RawMessage] { state.withLock { $0.requests.map(\.message) } }
    /// The connection that each request came on.
    var connectionOfRequest: [Int] { state.withLock { $0.requests.map(\.connection) } }
    var connectionCount: Int { state.withLock { $0.connections } }
    var openCount: Int { state.withLock { $0.open.count } }

    /// Stops listening and closes every connection.
    func stop() {
        let (descriptor, open) = state.withLock { state in
            defer { state.descriptor = -1 }
            return (state.descriptor, Array(state.open.values))
        }
        if descriptor >= 0 {
            // Wakes the thread that accepts.
            shutdown(descriptor, CInt(SHUT_RDWR))
            close(descriptor)
        }
        for socket in open { socket.finish() }
    }
}

/// A port that refuses connections: it was free a moment ago.
func refusingPort() throws -> Int {
    let (descriptor, port) = try ScriptedUpstream.listen(0)
    close(descriptor)
    return port
}

/// Waits until something holds that other threads bring about; false after the limit.
func eventually(within milliseconds: Int = 5000, _ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<(milliseconds / 5) {
        if try condition() { return true }
        usleep(5000)
    }
    return try condition()
}

/// Nanoseconds of CLOCK_MONOTONIC.
func monotonic() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// How long something took, in milliseconds.
func elapsed(_ body: () throws -> Void) rethrows -> Double {
    let start = monotonic()
    try body()
    return Double(monotonic() - start) / 1_000_000
}
