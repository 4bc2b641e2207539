// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A blocking TCP socket that sends exactly what it is told and gives back exactly what came. Every call has a time
/// limit, so that a test fails instead of hanging.
final class RawSocket: Sendable {
    enum Failure: Error, Equatable {
        case timedOut(String)
        case reset
        /// The other side ended in the middle of something.
        case ended(got: String)
        case system(String, Int32)
    }

    private struct State {
        var descriptor: CInt
        var read: [UInt8] = []
        var isEnded = false
    }

    private let state: Mutex<State>
    /// Milliseconds that one call may take.
    let limit: Int32

    init(descriptor: CInt, limit: Int32 = 10_000) {
        state = Mutex(State(descriptor: descriptor))
        self.limit = limit
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close() }

    private var descriptor: CInt { state.withLock { $0.descriptor } }

    static func connect(port: Int, limit: Int32 = 10_000) throws -> RawSocket {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw Failure.system("socket", errno) }
        var address = loopback(port)
        let result = withUnsafeBytes(of: &address) {
            Glibc.connect(
                descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        guard result == 0 else {
            let error = errno
            Glibc.close(descriptor)
            throw Failure.system("connect", error)
        }
        return RawSocket(descriptor: descriptor, limit: limit)
    }

    static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }

    // MARK: Sending

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, "sending, \(sent) of \(bytes.count)")
            } else if errno == ECONNRESET || errno == EPIPE {
                throw Failure.reset
            } else if errno != EINTR {
                throw Failure.system("send", errno)
            }
        }
    }

    /// Ends our side (FIN).
    func finish() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Closes with a reset (RST).
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        let descriptor = state.withLock { state in
            defer { state.descriptor = -1 }
            return state.descriptor
        }
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    // MARK: Receiving

    private func wait(for events: Int32, _ what: @autoclosure () -> String, limit: Int32? = nil) throws {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        let result = poll(&entry, 1, limit ?? self.limit)
        if result == 0 { throw Failure.timedOut(what()) }
        if result < 0, errno != EINTR { throw Failure.system("poll", errno) }
    }

    /// Reads once what is there, or waits for it; false at the end.
    @discardableResult
    private func fill(_ what: String, limit: Int32? = nil) throws -> Bool {
        if state.withLock({ $0.isEnded }) { return false }
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 {
                state.withLock { $0.read += chunk[..<count] }
                return true
            }
            if count == 0 {
                state.withLock { $0.isEnded = true }
                return false
            }
            switch errno {
            case EAGAIN: try wait(for: POLLIN, "receiving \(what); so far: \(pending)", limit: limit)
            case EINTR: continue
            case ECONNRESET: throw Failure.reset
            default: throw Failure.system("recv", errno)
            }
        }
    }

    /// What was received and not taken yet.
    var pending: String { state.withLock { String(decoding: $0.read.prefix(2000), as: UTF8.self) } }

    /// All that was received and not taken yet.
    var received: String { state.withLock { String(decoding: $0.read, as: UTF8.self) } }

    /// Bytes up to and with `terminator`; nil when the connection ends before any.
    func line(endingWith terminator: String) throws -> String? {
        let pattern = Array(terminator.utf8)
        while true {
            let found: String? = state.withLock { state in
                guard let range = state.read.firstRange(of: pattern) else { return nil }
                let text = String(decoding: state.read[..<range.upperBound], as: UTF8.self)
                state.read.removeSubrange(..<range.upperBound)
                return text
            }
            if let found { return found }
            if try !fill("up to \(terminator.debugDescription)") {
                if pending.isEmpty { return nil }
                throw Failure.ended(got: pending)
            }
        }
    }

    func bytes(_ count: Int) throws -> [UInt8] {
        while state.withLock({ $0.read.count }) < count {
            if try !fill("\(count) bytes") { throw Failure.ended(got: pending) }
        }
        return state.withLock { state in
            let taken = Array(state.read[..<count])
            state.read.removeSubrange(..<count)
            return taken
        }
    }

    /// Reads and drops; the number of bytes until the end or `limit`.
    func drop(_ count: Int) throws -> Int {
        var dropped = 0
        while dropped < count {
            if state.withLock({ $0.read.isEmpty }), try !fill("bytes to drop") { return dropped }
            dropped += state.withLock { state in
                let taken = min(count - dropped, state.read.count)
                state.read.removeSubrange(..<taken)
                return taken
            }
        }
        return dropped
    }

    /// All until the other side ends.
    func everything() throws -> String {
        while try fill("the end") {}
        return state.withLock { state in
            defer { state.read = [] }
            return String(decoding: state.read, as: UTF8.self)
        }
    }

    /// Whether the other side ended (or reset) within so many milliseconds; what it sent before is kept.
    func ends(within limit: Int32) -> Bool {
        do {
            while try fill("the end", limit: limit) {}
            return true
        } catch {
            return (error as? Failure) == .reset
        }
    }
}
