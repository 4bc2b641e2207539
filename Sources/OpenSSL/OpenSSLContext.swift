// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A version of TLS.
package enum TLSVersion: String, Hashable, Sendable, CaseIterable {
    case tls10 = "1.0"
    case tls11 = "1.1"
    case tls12 = "1.2"
    case tls13 = "1.3"

    fileprivate var number: CInt {
        switch self {
        case .tls10: TLS1_VERSION
        case .tls11: TLS1_1_VERSION
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}

/// What an end of TLS connections is to be.
package struct OpenSSLSettings: Hashable, Sendable {
    /// The certificate and those between it and the root, PEM. A server needs one.
    package var chain: String?
    /// Its key, PEM.
    package var key: String?
    package var minimum: TLSVersion?
    package var maximum: TLSVersion?
    /// The protocols that may be agreed on, the best first (ALPN); empty: none is spoken of.
    package var protocols: [String] = []
    /// Who may have signed the peer's certificate, PEM; nil: it is not looked at.
    package var trust: String?

    package init(chain: String? = nil, key: String? = nil) {
        self.chain = chain
        self.key = key
    }
}

/// Everything that TLS connections of one kind share: certificate, limits, trust.
// Proof: the SSL_CTX is configured in `init`, before anybody else has it, and never changed afterwards; OpenSSL's own
// counts and caches in it are under its locks (openssl-threads(7): an SSL_CTX may be used by several threads).
package final class OpenSSLContext: @unchecked Sendable {
    package enum Role: Hashable, Sendable { case server, client }

    package let role: Role
    let verifies: Bool
    let pointer: OpaquePointer
    /// ALPN's wire format: each name behind its length. Lives as long as the context, whose callback reads it.
    private let protocols: UnsafeMutableBufferPointer<UInt8>

    /// - Throws: `OpenSSLError` for a certificate, a key or limits that cannot be used.
    package init(_ role: Role, _ settings: OpenSSLSettings) throws(OpenSSLError) {
        ERR_clear_error()
        guard let made = SSL_CTX_new(role == .server ? TLS_server_method() : TLS_client_method()) else {
            throw .take("TLS") { _ in .setUp }
        }
        self.role = role
        pointer = made
        verifies = settings.trust != nil
        let names = settings.protocols.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8.prefix(255)) }
        protocols = .allocate(capacity: names.count)
        _ = protocols.initialize(from: names)
        gatecrash_ctx_set_options(made)
        try limitVersions(settings)
        if let chain = settings.chain { try present(chain, key: settings.key ?? "") }
        if let trust = settings.trust { try self.trust(trust) }
        if !names.isEmpty { speak() }
    }

    deinit {
        SSL_CTX_free(pointer)
        protocols.deallocate()
    }

    private func check(_ result: CInt, _ what: String) throws(OpenSSLError) {
        guard result == 1 else { throw .take(what) { _ in .setUp } }
    }

    private func limitVersions(_ settings: OpenSSLSettings) throws(OpenSSLError) {
        // Old versions are wanted where they are asked for, whatever the system's policy: level 0 lets their
        // signatures pass.
        if [settings.minimum, settings.maximum].contains(where: { $0 == .tls10 || $0 == .tls11 }) {
            SSL_CTX_set_security_level(pointer, 0)
        }
        let lowest = settings.minimum ?? (settings.maximum.map { min($0, .tls12) } ?? .tls12)
        try check(gatecrash_ctx_set_min_version(pointer, lowest.number), "version \(lowest.rawValue)")
        if let maximum = settings.maximum {
            try check(gatecrash_ctx_set_max_version(pointer, maximum.number), "version \(maximum.rawValue)")
        }
    }

    private func present(_ chain: String, key: String) throws(OpenSSLError) {
        let certificates = Self.certificates(chain)
        defer { for certificate in certificates { X509_free(certificate) } }
        guard let leaf = certificates.first else { throw OpenSSLError(.setUp, "the certificate is not PEM") }
        try check(SSL_CTX_use_certificate(pointer, leaf), "the certificate")
        for next in certificates.dropFirst() {
            try check(gatecrash_ctx_add_chain_certificate(pointer, next), "the chain")
        }
        guard let bio = Self.bio(key) else { throw OpenSSLError(.setUp, "no memory") }
        defer { BIO_free(bio) }
        guard let key = PEM_read_bio_PrivateKey(bio, nil, nil, nil) else {
            ERR_clear_error()
            throw OpenSSLError(.setUp, "the key is not PEM")
        }
        defer { EVP_PKEY_free(key) }
        try check(SSL_CTX_use_PrivateKey(pointer, key), "the key")
        try check(SSL_CTX_check_private_key(pointer), "the key does not belong to the certificate")
    }

    private func trust(_ pem: String) throws(OpenSSLError) {
        let certificates = Self.certificates(pem)
        defer { for certificate in certificates { X509_free(certificate) } }
        guard !certificates.isEmpty else { throw OpenSSLError(.setUp, "the trusted certificates are not PEM") }
        let store = SSL_CTX_get_cert_store(pointer)
        for certificate in certificates { try check(X509_STORE_add_cert(store, certificate), "a trusted certificate") }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
    }

    /// A server chooses its best protocol among those of the client; none in common is no reason to fail (RFC 7301
    /// wants an alert, servers in the field go on).
    private func speak() {
        guard role == .server else {
            SSL_CTX_set_alpn_protos(pointer, protocols.baseAddress, CUnsignedInt(protocols.count))
            return
        }
        SSL_CTX_set_alpn_select_cb(
            pointer,
            { _, chosen, length, offered, count, argument in
                guard let argument else { return SSL_TLSEXT_ERR_NOACK }
                let context = Unmanaged<OpenSSLContext>.fromOpaque(argument).takeUnretainedValue()
                var found: UnsafeMutablePointer<UInt8>?
                let result = SSL_select_next_proto(
                    &found, length, context.protocols.baseAddress, CUnsignedInt(context.protocols.count), offered,
                    count)
                guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_NOACK }
                chosen?.pointee = UnsafePointer(found)
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    // MARK: PEM

    private static func bio(_ text: String) -> OpaquePointer? {
        let bytes = Array(text.utf8)
        guard let bio = BIO_new(BIO_s_mem()), let count = CInt(exactly: bytes.count) else { return nil }
        _ = BIO_write(bio, bytes, count)
        return bio
    }

    /// All of a text; the caller frees them.
    private static func certificates(_ pem: String) -> [OpaquePointer] {
        guard let bio = bio(pem) else { return [] }
        defer {
            BIO_free(bio)
            // The end of the text is an error to OpenSSL.
            ERR_clear_error()
        }
        var list: [OpaquePointer] = []
        while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) { list.append(certificate) }
        return list
    }
}

extension TLSVersion: Comparable {
    package static func < (a: TLSVersion, b: TLSVersion) -> Bool { a.number < b.number }
}
