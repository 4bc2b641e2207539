// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What a client says of itself before the handshake (RFC 8446 section 4.1.2), as far as a certificate is chosen by
/// it. It decides nothing about the handshake: what is not understood here is empty, and the TLS library has its say.
package struct ClientHello: Sendable, Hashable {
    /// The name that the client asked for (SNI), as it was sent.
    package var serverName: String?
    /// The code points of `signature_algorithms`, the client's favourite first.
    package private(set) var signatures: [UInt16] = []
    /// Those of its cipher suites, likewise.
    package private(set) var ciphers: [UInt16] = []
    /// It offers TLS 1.3.
    package private(set) var offersTLS13 = false

    /// RFC 8446 section 4.2: signature_algorithms, supported_versions.
    private static let (signatureAlgorithms, supportedVersions): (UInt16, UInt16) = (13, 43)
    private static let tls13: UInt16 = 0x0304

    package init(serverName: String?) { self.serverName = serverName }

    /// Reads what came from the client so far.
    ///
    /// - Parameter records: TLS records from the first byte of the connection.
    package init(serverName: String?, records: ByteBuffer) {
        self.init(serverName: serverName)
        var message = Self.handshake(in: records)
        read(&message)
    }

    /// The contents of the handshake records at the front (RFC 8446 section 5.1); a hello may be spread over several.
    private static func handshake(in records: ByteBuffer) -> ByteBuffer {
        var (rest, message) = (records, ByteBuffer())
        while rest.getInteger(at: rest.readerIndex, as: UInt8.self) == 22 {
            rest.moveReaderIndex(forwardBy: min(3, rest.readableBytes))
            guard var content = rest.readLengthPrefixedSlice(as: UInt16.self) else { break }
            message.writeBuffer(&content)
        }
        return message
    }

    private mutating func read(_ message: inout ByteBuffer) {
        // Type 1, a length of three bytes, a version of two, 32 bytes of chance.
        guard message.readInteger(as: UInt8.self) == 1, message.readSlice(length: 37) != nil,
            message.readLengthPrefixedSlice(as: UInt8.self) != nil,
            let ciphers = message.readLengthPrefixedSlice(as: UInt16.self),
            message.readLengthPrefixedSlice(as: UInt8.self) != nil,
            var extensions = message.readLengthPrefixedSlice(as: UInt16.self)
        else { return }
        self.ciphers = Self.codes(ciphers)
        while let kind = extensions.readInteger(as: UInt16.self),
            var content = extensions.readLengthPrefixedSlice(as: UInt16.self)
        {
            switch kind {
            case Self.signatureAlgorithms:
                signatures = content.readLengthPrefixedSlice(as: UInt16.self).map(Self.codes) ?? []
            case Self.supportedVersions:
                offersTLS13 =
                    content.readLengthPrefixedSlice(as: UInt8.self).map(Self.codes)?.contains(Self.tls13) ?? false
            default: break
            }
        }
    }

    private static func codes(_ bytes: ByteBuffer) -> [UInt16] {
        var (bytes, codes) = (bytes, [UInt16]())
        while let code = bytes.readInteger(as: UInt16.self) { codes.append(code) }
        return codes
    }
}

/// Keeps what passes until the hello has been understood.
final class HelloTap: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var bytes = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.writeImmutableBuffer(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }
}
