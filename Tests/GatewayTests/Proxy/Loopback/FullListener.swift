// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A listener that completes no more connections: nobody accepts, and its queue is full.
final class FullListener {
    let port: Int
    private let descriptor: CInt
    private var waiting: [CInt] = []

    init() throws {
        let (descriptor, port) = try ScriptedUpstream.listen(0)
        self.descriptor = descriptor
        self.port = port
        // Calling listen again shrinks the queue; a connect that finds it full is not answered.
        _ = listen(descriptor, 0)
        for _ in 0..<4 {
            let client = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | O_CLOEXEC, 0)
            var address = RawSocket.loopback(port)
            withUnsafeBytes(of: &address) {
                _ = connect(client, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
            waiting.append(client)
        }
    }

    deinit {
        for client in waiting { close(client) }
        close(descriptor)
    }
}
