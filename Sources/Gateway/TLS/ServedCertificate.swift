// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
package import NIOSSL
import Synchronization
package import Wire

/// One certificate with its key, or two with keys of different kinds, ready for handshakes. Contexts are made when the
/// first client wants one: reading keys takes time that a start without TLS clients does not have.
package final class ServedCertificate: Sendable {
    let source: TLSMaterial.Certificate?
    /// Of the configured certificate; nil for the default.
    package var id: String? { source?.id }
    private let make: @Sendable () throws -> (chain: String, key: String)
    /// `cert_alt` and `key_alt`, with the kinds of both keys.
    private let alternative: Alternative?
    private let contexts = Mutex<[Terms: NIOSSLContext]>([:])

    private struct Alternative: Sendable {
        var pair: TLSMaterial.Pair
        var kind: SignatureKind
        /// Of the first certificate.
        var otherKind: SignatureKind
    }

    private struct Terms: Hashable {
        var isAlternative: Bool
        var offersHTTP2: Bool
    }

    package init(_ certificate: TLSMaterial.Certificate) {
        source = certificate
        make = { (certificate.chain, certificate.key) }
        if let pair = certificate.alternative, let kind = SignatureKind(chain: pair.chain),
            let otherKind = SignatureKind(chain: certificate.chain)
        {
            alternative = Alternative(pair: pair, kind: kind, otherKind: otherKind)
        } else {
            alternative = nil
        }
    }

    package init(chain: String, key: String) {
        (source, alternative) = (nil, nil)
        make = { (chain, key) }
    }

    private init(make: @escaping @Sendable () throws -> (chain: String, key: String)) {
        (source, alternative) = (nil, nil)
        self.make = make
    }

    /// A certificate that nobody vouches for, as Kong makes one for itself: `localhost`, made at the first need.
    ///
    /// - Parameter now: seconds since 1970, asked at that moment.
    package static func selfSigned(now: @escaping @Sendable () -> Int64) -> ServedCertificate {
        ServedCertificate {
            let now = now()
            // 20 years, as Kong's.
            let validity = CertificateValidity(
                notBefore: now - CertificateValidity.day, notAfter: now + 20 * 365 * CertificateValidity.day)
            let issued = try CertificateAuthority.selfSigned(
                CertificateRequest(
                    commonName: "localhost", names: ["localhost", "127.0.0.1", "::1"], validity: validity,
                    usages: [.server]))
            return (issued.chain, issued.key)
        }
    }

    /// - Throws: when the TLS library does not take the certificate or the key.
    package func context(
        for hello: ClientHello, offersHTTP2: Bool, _ settings: TLSSettings = TLSSettings()
    ) throws -> NIOSSLContext {
        let terms = Terms(isAlternative: prefersAlternative(hello, settings), offersHTTP2: offersHTTP2)
        return try contexts.withLock { contexts in
            if let made = contexts[terms] { return made }
            let pair = terms.isAlternative ? alternative?.pair : nil
            let (chain, key) = try pair.map { ($0.chain, $0.key) } ?? make()
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(chain.utf8)).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
            settings.versions.apply(to: &configuration)
            configuration.cipherSuites = settings.ciphers
            configuration.applicationProtocols = offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
            let context = try NIOSSLContext(configuration: configuration)
            contexts[terms] = context
            return context
        }
    }

    private func prefersAlternative(_ hello: ClientHello, _ settings: TLSSettings) -> Bool {
        guard let alternative else { return false }
        let kinds = [alternative.otherKind, alternative.kind]
        return hello.favourite(among: kinds, speakingTLS13: settings.versions.newest == .tlsv13) == alternative.kind
    }
}
