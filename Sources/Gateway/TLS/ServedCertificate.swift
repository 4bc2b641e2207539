// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
package import NIOSSL
import Synchronization

/// One certificate with its key, ready for handshakes. Contexts are made when the first client wants one: reading keys
/// takes time that a start without TLS clients does not have.
package final class ServedCertificate: Sendable {
    let source: TLSMaterial.Certificate?
    /// Of the configured certificate; nil for the default.
    package var id: String? { source?.id }
    private let make: @Sendable () throws -> (chain: String, key: String)
    /// By whether HTTP/2 is offered.
    private let contexts = Mutex<[Bool: NIOSSLContext]>([:])

    package init(_ certificate: TLSMaterial.Certificate) {
        source = certificate
        make = { (certificate.chain, certificate.key) }
    }

    package init(chain: String, key: String) {
        source = nil
        make = { (chain, key) }
    }

    private init(make: @escaping @Sendable () throws -> (chain: String, key: String)) {
        source = nil
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
    package func context(offersHTTP2: Bool) throws -> NIOSSLContext {
        try contexts.withLock { contexts in
            if let made = contexts[offersHTTP2] { return made }
            let (chain, key) = try make()
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(chain.utf8)).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
            // Kong's default, Mozilla's intermediate profile: TLS 1.2 and 1.3.
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
            let context = try NIOSSLContext(configuration: configuration)
            contexts[offersHTTP2] = context
            return context
        }
    }
}
