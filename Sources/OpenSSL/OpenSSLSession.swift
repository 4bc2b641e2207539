// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import COpenSSL
package import NIOCore

/// One end of one TLS connection, between two memories: what arrived goes in, what is to be sent comes out. It knows no
/// channel and waits for nothing. Confined to one loop, as everything that holds it.
package final class OpenSSLSession {
    package enum Read: Hashable, Sendable {
        case bytes
        /// Nothing more until more arrives.
        case nothing
        /// The peer has said that it has said everything.
        case finished
    }

    /// The most that one record carries (RFC 8446 section 5.1).
    private static let recordBytes = 16_384

    private let context: OpenSSLContext
    private let session: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private(set) package var isEstablished = false
    private var hasFailed = false

    /// - Parameter serverName: whom a client wants to talk to: SNI, and what a verified certificate must be for.
    package init(_ context: OpenSSLContext, serverName: String? = nil) throws(OpenSSLError) {
        ERR_clear_error()
        guard let session = SSL_new(context.pointer) else { throw .take("TLS") { _ in .setUp } }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(session)
            throw OpenSSLError(.setUp, "no memory")
        }
        for bio in [input, output] { gatecrash_bio_never_ends(bio) }
        // The session frees them.
        SSL_set_bio(session, input, output)
        self.context = context
        self.session = session
        self.input = input
        self.output = output
        switch context.role {
        case .server: SSL_set_accept_state(session)
        case .client: SSL_set_connect_state(session)
        }
        if let serverName { try call(serverName) }
    }

    deinit { SSL_free(session) }

    private func call(_ name: String) throws(OpenSSLError) {
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        if !isAddress { _ = gatecrash_set_server_name(session, name) }
        guard context.verifies else { return }
        let parameters = SSL_get0_param(session)
        let result =
            isAddress
            ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name) : X509_VERIFY_PARAM_set1_host(parameters, name, 0)
        guard result == 1 else { throw .take("the name \(name)") { _ in .setUp } }
    }

    // MARK: In

    /// Takes bytes that arrived.
    package func receive(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { space in
            var rest = space[...]
            // A memory takes all it is given; its count is a C int.
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 20))
                guard BIO_write(input, part.baseAddress, CInt(part.count)) == CInt(part.count) else { return }
                rest = rest.dropFirst(part.count)
            }
        }
    }

    /// Goes on with the handshake as far as it can.
    /// - Returns: whether it is done.
    package func shakeHands() throws(OpenSSLError) -> Bool {
        guard !isEstablished else { return true }
        ERR_clear_error()
        let result = SSL_do_handshake(session)
        if result == 1 {
            isEstablished = true
            return true
        }
        let reason = SSL_get_error(session, result)
        guard reason != SSL_ERROR_WANT_READ, reason != SSL_ERROR_WANT_WRITE else { return false }
        hasFailed = true
        let verdict = SSL_get_verify_result(session)
        var error = OpenSSLError.take("the TLS handshake failed") { .handshake(alert: $0) }
        if verdict != Int(X509_V_OK), let words = X509_verify_cert_error_string(verdict) {
            error.description += " (\(String(cString: words)))"
        }
        throw error
    }

    /// Appends what the peer said, one record at most.
    package func read(into buffer: inout ByteBuffer) throws(OpenSSLError) -> Read {
        guard !hasFailed else { return .nothing }
        ERR_clear_error()
        var reason = SSL_ERROR_NONE
        let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.recordBytes) { space in
            let result = SSL_read(session, space.baseAddress, CInt(clamping: space.count))
            if result <= 0 { reason = SSL_get_error(session, result) }
            return max(0, Int(result))
        }
        switch reason {
        case SSL_ERROR_NONE where count > 0: return .bytes
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_NONE: return .nothing
        case SSL_ERROR_ZERO_RETURN: return .finished
        default:
            hasFailed = true
            throw .take("the TLS connection is broken") { .broken(alert: $0) }
        }
    }

    // MARK: Out

    /// Encrypts all of a buffer. The handshake must be done.
    package func write(_ buffer: ByteBuffer) throws(OpenSSLError) {
        precondition(isEstablished, "bytes were written before the TLS handshake was done")
        guard !hasFailed else { throw OpenSSLError(.closed, "the TLS connection has failed") }
        ERR_clear_error()
        let reason = buffer.withUnsafeReadableBytes { space -> CInt in
            var rest = space[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.recordBytes))
                let result = SSL_write(session, part.baseAddress, CInt(part.count))
                guard result == CInt(part.count) else { return SSL_get_error(session, result) }
                rest = rest.dropFirst(part.count)
            }
            return SSL_ERROR_NONE
        }
        guard reason != SSL_ERROR_NONE else { return }
        hasFailed = true
        throw .take("the TLS connection is broken") { .broken(alert: $0) }
    }

    /// Says that everything was said (close_notify). Nothing is written after it.
    package func finish() {
        guard isEstablished, !hasFailed else { return }
        ERR_clear_error()
        _ = SSL_shutdown(session)
        ERR_clear_error()
    }

    /// What is to be sent now, an alert after a failure included; nil when there is nothing.
    package func takeOutput(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        let pending = Int(gatecrash_bio_pending(output))
        guard pending > 0 else { return nil }
        var buffer = allocator.buffer(capacity: pending)
        _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pending) { space in
            max(0, Int(BIO_read(output, space.baseAddress, CInt(clamping: pending))))
        }
        return buffer
    }

    // MARK: What was agreed on

    /// By ALPN.
    package var negotiatedProtocol: String? {
        var bytes: UnsafePointer<UInt8>?
        var count: CUnsignedInt = 0
        SSL_get0_alpn_selected(session, &bytes, &count)
        guard let bytes, count > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// `TLSv1.3`.
    package var version: String { SSL_get_version(session).map { String(cString: $0) } ?? "" }

    /// The name that a client asked for, for a server.
    package var requestedName: String? {
        SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
    }
}
