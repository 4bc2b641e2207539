// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Testing

@testable import Wire

@Suite struct ProxyProtocolTests {
    private static func address(_ host: String, _ port: Int) throws -> SocketAddress {
        try SocketAddress(ipAddress: host, port: port)
    }

    /// Version 2: command and family, then what follows the length.
    private static func block(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, command, family]
            + [UInt8(rest.count >> 8), UInt8(rest.count & 0xff)] + rest
    }

    private static let ipv4: [UInt8] = [192, 0, 2, 1, 192, 0, 2, 9, 0xdc, 0x04, 0, 80]

    @Test func `both versions say where the client is, wherever the bytes are split`() throws {
        let ipv6 = [UInt8](repeating: 0, count: 15) + [1] + [UInt8](repeating: 0, count: 16) + [0, 7, 0, 80]
        let cases: [([UInt8], SocketAddress?)] = [
            (Array("PROXY TCP4 192.0.2.1 192.0.2.9 56324 80\r\n".utf8), try Self.address("192.0.2.1", 56_324)),
            (Array("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n".utf8), try Self.address("2001:db8::1", 1)),
            (Array("PROXY UNKNOWN\r\n".utf8), nil),
            (Array("PROXY UNKNOWN ffff:f::1 ::2 9 9\r\n".utf8), nil),
            (Self.block(0x21, 0x11, Self.ipv4), try Self.address("192.0.2.1", 56_324)),
            // With fields of other kinds behind the addresses.
            (Self.block(0x21, 0x11, Self.ipv4 + [4, 0, 1, 0]), try Self.address("192.0.2.1", 56_324)),
            (Self.block(0x21, 0x21, ipv6), try Self.address("::1", 7)),
            (Self.block(0x20, 0x11, Self.ipv4), nil), (Self.block(0x20, 0, []), nil),
            // A Unix domain socket's path.
            (Self.block(0x21, 0x31, [UInt8](repeating: 0, count: 216)), nil),
        ]
        for (bytes, source) in cases {
            for cut in 0..<bytes.count {
                var buffer = ByteBuffer(bytes: bytes[..<cut])
                #expect(ProxyProtocol.read(&buffer) == .needsMore, "\(bytes) cut at \(cut)")
                #expect(buffer.readableBytes == cut)
            }
            var buffer = ByteBuffer(bytes: bytes + Array("GET".utf8))
            #expect(ProxyProtocol.read(&buffer) == .complete(source: source), "\(bytes)")
            #expect(String(buffer: buffer) == "GET")
        }
    }

    private static let malformed: [[UInt8]] =
        [
            "GET / HTTP/1.1\r\n", "PROXY\r\n", "PROXY TCP4\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
            "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "proxy UNKNOWN\r\n",
            "PROXY TCP4 localhost 5.6.7.8 1 2\r\n", "PROXY UNKNOWN " + String(repeating: "x", count: 107),
        ].map { Array($0.utf8) } + [
            block(0x11, 0x11, ipv4), block(0x22, 0x11, ipv4), block(0x21, 0x11, Array(ipv4.dropLast())),
            block(0x21, 0x21, ipv4), Array(block(0x21, 0x11, [UInt8](repeating: 0, count: 4081))),
            [0x0d, 0x0a, 0x0d, 0x0a, 1],
        ]

    @Test(arguments: malformed)
    func `anything else is malformed`(bytes: [UInt8]) {
        var buffer = ByteBuffer(bytes: bytes)
        #expect(ProxyProtocol.read(&buffer) == .malformed)
    }

    @Test func `the handler passes on what follows, and closes over what is malformed or late`() throws {
        final class Told { var sources: [SocketAddress?] = [] }
        for (text, expected) in [
            ("PROXY UNKNOWN\r\nGET", "GET"), ("PROXY UNKNOWN\r\n", nil), ("GET / HTTP/1.1\r\n\r\n", nil), ("PRO", nil),
        ] as [(String, String?)] {
            let told = Told()
            let channel = EmbeddedChannel()
            let handler = ProxyProtocolHandler(timeout: .seconds(5)) { told.sources.append($0) }
            try channel.pipeline.syncOperations.addHandler(handler)
            channel.connect(to: try Self.address("127.0.0.1", 1), promise: nil)
            _ = try? channel.writeInbound(ByteBuffer(string: text))
            let passed = try channel.readInbound(as: ByteBuffer.self).map { String(buffer: $0) }
            #expect(passed == expected)
            let isComplete = text.hasPrefix("PROXY")
            #expect(told.sources.count == (isComplete ? 1 : 0))
            #expect(channel.isActive == (text != "GET / HTTP/1.1\r\n\r\n"))
            channel.embeddedEventLoop.advanceTime(by: .seconds(6))
            #expect(channel.isActive == isComplete)
            if isComplete {
                try channel.writeInbound(ByteBuffer(string: "more"))
                #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "more"))
            }
        }
    }
}
