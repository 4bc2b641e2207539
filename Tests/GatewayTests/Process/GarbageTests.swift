// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension LoopbackTests {
    /// Bytes that mean nothing, on every listener that a process has: each connection ends, the process goes on, and
    /// nothing is left of it.
    @Suite struct GarbageTests {
        /// Beginnings that look like something, then noise.
        private static let openings: [[UInt8]] = [
            [], Array("GET / HTTP/1.1\r\n".utf8), Array("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n".utf8),
            Array("POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8),
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), [0x16, 0x03, 0x01, 0x02, 0x00, 0x01],
            Array("PROXY TCP4 ".utf8),
            Array("PUT /_mock/settings HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n{".utf8),
        ]

        private func rain(on child: ReadyChild, _ listener: String, connections: Int) throws {
            // A generator of its own (Knuth's MMIX constants), so that a failing round comes again.
            var state: UInt64 = 42
            func next() -> UInt8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            }
            for round in 0..<connections {
                let client = try child.connect(listener)
                let opening = Self.openings[round % Self.openings.count]
                // The process may have closed it already.
                try? client.send(opening + (0..<(1 + Int(next()) * 16)).map { _ in next() })
                client.finish()
                #expect(client.ends(within: 5_000), "round \(round) on \(listener)")
                client.close()
            }
        }

        @Test(arguments: ["gateway", "mock"])
        func `garbage is answered or closed, and leaves nothing behind`(program: String) throws {
            let isGateway = program == "gateway"
            let child = try isGateway ? ReadyChild.gateway() : ReadyChild.mock()
            let listeners = isGateway ? ["proxy", "admin"] : ["address"]
            for listener in listeners { try rain(on: child, listener, connections: 8) }
            let (descriptors, memory) = (child.child.descriptorCount, child.child.memory("VmRSS"))
            for listener in listeners { try rain(on: child, listener, connections: 160) }
            for (listener, path, status) in isGateway
                ? [("proxy", "/", 404), ("admin", "/status", 200)] : [("address", "/hello", 200)]
            {
                let client = try child.connect(listener)
                #expect(try client.exchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n").status == status)
                client.close()
            }
            #expect(eventually { child.child.descriptorCount <= descriptors })
            let grown = child.child.memory("VmRSS") - memory
            print("160 connections of garbage: \(grown) kB more")
            #expect(grown < 8 << 10 || !Child.memoryIsItsOwn)
            child.child.signal(SIGTERM)
            #expect(child.child.wait() == .exited(0))
        }
    }
}
