// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The line (version 1) or block (version 2) that a load balancer sends before the first byte of a connection, to say
/// whose it is (haproxy.org, proxy-protocol.txt).
///
///     PROXY TCP4 192.0.2.1 192.0.2.9 56324 80 CR LF
///     0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a  21 11 00 0c  source, destination, ports
package enum ProxyProtocol {
    package enum Reading: Sendable, Equatable {
        case needsMore
        case malformed
        /// Nil: the balancer speaks for itself (LOCAL, UNKNOWN), or of an address that is no IP address.
        case complete(source: SocketAddress?)
    }

    /// Longest line of version 1 with its CRLF (proxy-protocol.txt section 2.1).
    static let longestLine = 107
    /// Longest block of version 2; nginx's NGX_PROXY_PROTOCOL_MAX_HEADER. What is after the addresses is not read.
    static let longestBlock = 4096
    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    /// Reads it at the front of `buffer` and takes it off when it is complete.
    package static func read(_ buffer: inout ByteBuffer) -> Reading {
        guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return .needsMore }
        return first == signature[0] ? readBlock(&buffer) : readLine(&buffer)
    }

    // MARK: Version 1

    private static func readLine(_ buffer: inout ByteBuffer) -> Reading {
        let view = buffer.readableBytesView.prefix(longestLine)
        let expected = "PROXY ".utf8
        guard view.starts(with: expected.prefix(view.count)) else { return .malformed }
        guard let lineFeed = view.firstIndex(of: 0x0a) else {
            return view.count == longestLine ? .malformed : .needsMore
        }
        guard lineFeed > view.startIndex, view[lineFeed - 1] == 0x0d else { return .malformed }
        let line = String(decoding: view[view.startIndex..<lineFeed - 1], as: UTF8.self)
        buffer.moveReaderIndex(forwardBy: lineFeed + 1 - view.startIndex)
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2 else { return .malformed }
        if words[1] == "UNKNOWN" { return .complete(source: nil) }
        guard words.count == 6, let source = address(words[2], words[4], family: words[1]),
            address(words[3], words[5], family: words[1]) != nil
        else { return .malformed }
        return .complete(source: source)
    }

    private static func address(_ host: Substring, _ port: Substring, family: Substring) -> SocketAddress? {
        guard !port.isEmpty, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port),
            number <= 65_535, let address = try? SocketAddress(ipAddress: String(host), port: number)
        else { return nil }
        switch (family, address) {
        case ("TCP4", .v4), ("TCP6", .v6): return address
        default: return nil
        }
    }

    // MARK: Version 2

    private static func readBlock(_ buffer: inout ByteBuffer) -> Reading {
        guard buffer.readableBytesView.starts(with: signature.prefix(buffer.readableBytes)) else { return .malformed }
        let start = buffer.readerIndex
        guard let command = buffer.getInteger(at: start + 12, as: UInt8.self),
            let family = buffer.getInteger(at: start + 13, as: UInt8.self),
            let length = buffer.getInteger(at: start + 14, as: UInt16.self).map(Int.init)
        else { return .needsMore }
        guard command >> 4 == 2, command & 0xf <= 1, 16 + length <= longestBlock else { return .malformed }
        guard buffer.readableBytes >= 16 + length else { return .needsMore }
        defer { buffer.moveReaderIndex(forwardBy: 16 + length) }
        // LOCAL: a health check of the balancer's own.
        if command & 0xf == 0 { return .complete(source: nil) }
        switch family >> 4 {
        case 1: return packed(buffer, at: start + 16, addressBytes: 4, length)
        case 2: return packed(buffer, at: start + 16, addressBytes: 16, length)
        default: return .complete(source: nil)
        }
    }

    private static func packed(_ buffer: ByteBuffer, at index: Int, addressBytes: Int, _ length: Int) -> Reading {
        guard length >= addressBytes * 2 + 4, let bytes = buffer.getSlice(at: index, length: addressBytes),
            let port = buffer.getInteger(at: index + addressBytes * 2, as: UInt16.self),
            let source = try? SocketAddress(packedIPAddress: bytes, port: Int(port))
        else { return .malformed }
        return .complete(source: source)
    }
}

/// Reads the PROXY protocol at the beginning of a connection, tells what it said and takes itself out of the way. A
/// connection that begins with anything else, or with nothing in time, is closed without an answer, as nginx does.
package final class ProxyProtocolHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    private let timeout: TimeAmount
    /// Called once, with the address that was told.
    private var completion: ((SocketAddress?) -> Void)?
    private var deadline: Deadline?
    private var received = ByteBuffer()
    private var isRefused = false

    package init(timeout: TimeAmount, _ completion: @escaping (SocketAddress?) -> Void) {
        self.timeout = timeout
        self.completion = completion
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        deadline = Deadline(closing: context, after: timeout)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        completion = nil
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isRefused { return }
        guard let completion else { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        switch ProxyProtocol.read(&received) {
        case .needsMore: break
        case .malformed:
            isRefused = true
            received.clear()
            context.close(promise: nil)
        case .complete(let source):
            self.completion = nil
            deadline?.clear()
            completion(source)
            let rest = received
            received = ByteBuffer()
            if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
    }
}
