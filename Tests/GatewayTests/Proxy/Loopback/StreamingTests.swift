// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Gateway
import NIOCore
import Synchronization
import Testing

extension LoopbackTests {
    /// Bodies that fit no buffer: they pass whole, and neither side gets far ahead of the other.
    @Suite struct StreamingTests {
        static let megabyte = 1 << 20

        @Test func `64 MiB pass both ways at once, byte for byte`() throws {
            let total = 64 * Self.megabyte
            let upstream = try ScriptedUpstream { connection in
                guard try connection.socket.messageHead() != nil else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
                for part in 0..<1024 {
                    #expect(try connection.socket.bytes(64 << 10) == pattern(part))
                    try connection.socket.send(pattern(part))
                }
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port, routes: unbufferedRoute))
            let client = try gateway.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(total)\r\n\r\n")
            Thread.detachNewThread {
                for part in 0..<1024 { try? client.send(pattern(part)) }
            }
            #expect(try client.messageHead()?.hasPrefix("HTTP/1.1 200") == true)
            for part in 0..<1024 { #expect(try client.bytes(64 << 10) == pattern(part)) }
        }

        @Test(arguments: [100, 3000, 70_000])
        func `a chunked answer comes whole to a client that reads now and then`(chunkBytes: Int) throws {
            let chunk = "\(String(chunkBytes, radix: 16))\r\n\(String(repeating: "x", count: chunkBytes))\r\n"
            let count = 24 * Self.megabyte / chunkBytes
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                let burst = Array(String(repeating: chunk, count: max(1, 200_000 / chunkBytes)).utf8)
                for _ in 0..<(count / max(1, 200_000 / chunkBytes)) { try connection.socket.send(burst) }
                try connection.socket.send("0\r\n\r\n")
                // Nothing more comes, so nothing pushes out what the gateway would hold back.
                _ = try connection.request()
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let client = try gateway.connect(limit: 3000)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            // Long enough for the buffers on the way to fill.
            #expect(!client.ends(within: 0))
            _ = eventually(within: 200) { false }
            let expected = count / max(1, 200_000 / chunkBytes) * max(1, 200_000 / chunkBytes) * chunkBytes
            let answer = try client.message()
            #expect(answer?.body.count == expected)
        }

        @Test func `an event stream arrives piece by piece`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.socket.messageHead() != nil else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for number in 0..<5 {
                    try connection.socket.send("2\r\n\(number)\n\r\n")
                    _ = try connection.socket.line(endingWith: "+")
                }
                try connection.socket.send("0\r\n\r\n")
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port, routes: unbufferedRoute))
            let client = try gateway.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            _ = try client.messageHead()
            // Each piece is asked for with a byte of the request body.
            for number in 0..<5 {
                #expect(try client.line(endingWith: "\n\r\n")?.hasSuffix("\(number)\n\r\n") == true)
                try client.send("+")
            }
            #expect(try client.line(endingWith: "0\r\n\r\n") == "0\r\n\r\n")
        }

        @Test func `a client that does not read stops the upstream, and is cut off at last`() throws {
            let sent = Mutex(0)
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                while true {
                    try connection.socket.send(pattern(1))
                    sent.withLock { $0 += 64 << 10 }
                }
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port, fields: "read_timeout: 100")) {
                $0.timeouts.send = .milliseconds(700)
            }
            let client = try gateway.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            // The client is slow, not the upstream: read_timeout has long passed when its time is up.
            _ = eventually(within: 450) { false }
            #expect(upstream.openCount == 1)
            #expect(eventually(within: 3000) { upstream.openCount == 0 })
            let ahead = sent.withLock { $0 }
            #expect(ahead < 32 * Self.megabyte, "\(ahead) bytes were taken for a client that reads nothing")
        }
    }
}

/// 64 KiB that differ from part to part.
private func pattern(_ part: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 64 << 10) { bytes, count in
        for place in 0..<(64 << 10) { bytes[place] = UInt8(truncatingIfNeeded: place &* 31 &+ part) }
        count = 64 << 10
    }
}
