// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import NIOCore
import NIOSSL
import World

#if GATECRASH_DEFECTS
import Defects
#endif

/// What connections to an upstream agree on besides its name, and the context made of it.
final class UpstreamTLS: Sendable {
    /// Everything that tells one context from another.
    struct Terms: Hashable, Sendable {
        /// Chain and name of the upstream's certificate are checked.
        var verifies: Bool
        /// How many certificates may stand between the upstream's and a root; nil for as many as there are.
        var depth: Int?
        /// PEM of those who may sign; nil for the gateway's own list.
        var authorities: [String]?
        /// What is presented when the upstream asks.
        var certificate: TLSMaterial.Certificate?
        var speaksHTTP2: Bool
    }

    let terms: Terms
    let context: NIOSSLContext
    /// Tells these terms from others in the keys of connection pools; never used again.
    let number: Int
    /// Where the length of the chain is limited.
    private let verifier: ChainVerifier?
    private let clock: any WallClock

    fileprivate init(
        _ terms: Terms, context: NIOSSLContext, number: Int, verifier: ChainVerifier?, clock: any WallClock
    ) {
        self.terms = terms
        self.context = context
        self.number = number
        self.verifier = verifier
        self.clock = clock
    }

    /// What speaks TLS on a new connection.
    ///
    /// - Parameters:
    ///   - serverName: for SNI; nil for an address.
    ///   - address: what is verified when there is no name.
    func handler(serverName: String?, address: SocketAddress) throws -> NIOSSLClientHandler {
        guard let verifier else { return try NIOSSLClientHandler(context: context, serverHostname: serverName) }
        let name = serverName ?? address.ipAddress ?? ""
        let now = clock.secondsSinceEpoch
        return try NIOSSLClientHandler(context: context, serverHostname: serverName) { chain, promise in
            promise.completeWithTask {
                do {
                    try await verifier.verify(chain: chain.map { try $0.toDERBytes() }, name: name, now: now)
                    return .certificateVerified(VerificationMetadata(nil))
                } catch {
                    return .failed
                }
            }
        }
    }
}

/// Who may sign for upstreams when a service does not say (kong.conf `lua_ssl_trusted_certificate`).
package struct TrustedAuthorities: Hashable, Sendable {
    /// Those that the system trusts.
    package var includesSystem: Bool
    /// PEM.
    package var others: [String]

    package init(includesSystem: Bool = true, others: [String] = []) {
        self.includesSystem = includesSystem
        self.others = others
    }

    /// - Throws: when the TLS library does not take a certificate.
    func apply(to configuration: inout TLSConfiguration) throws {
        let others = try others.flatMap { try NIOSSLCertificate.fromPEMBytes(Array($0.utf8)) }
        if includesSystem {
            configuration.trustRoots = .default
            if !others.isEmpty { configuration.additionalTrustRoots = [.certificates(others)] }
        } else {
            configuration.trustRoots = .certificates(others)
        }
    }
}

/// Makes contexts for upstreams and keeps those in use: each costs some milliseconds, and open connections stay usable
/// only while their terms keep their number. Confined to the control loop.
final class UpstreamTLSTable {
    private let trusted: TrustedAuthorities
    private let versions: TLSVersions
    private let clock: any WallClock
    private var made: [UpstreamTLS.Terms: UpstreamTLS] = [:]
    private var wanted: Set<UpstreamTLS.Terms> = []
    private var count = 0

    init(trusted: TrustedAuthorities, versions: TLSVersions, clock: any WallClock) {
        self.trusted = trusted
        self.versions = versions
        self.clock = clock
    }

    /// Terms that nobody asks for until `endRound` are forgotten.
    func beginRound() { wanted = [] }
    func endRound() { made = made.filter { wanted.contains($0.key) } }

    /// - Throws: in words that stand behind the name of what needs them.
    func tls(_ terms: UpstreamTLS.Terms) throws -> UpstreamTLS {
        wanted.insert(terms)
        if let tls = made[terms] { return tls }
        count += 1
        let tls = UpstreamTLS(
            terms, context: try context(terms), number: count, verifier: try verifier(terms), clock: clock)
        made[terms] = tls
        return tls
    }

    private func verifier(_ terms: UpstreamTLS.Terms) throws -> ChainVerifier? {
        guard terms.verifies, let depth = terms.depth else { return nil }
        return try ChainVerifier(
            roots: terms.authorities ?? trusted.others,
            includesSystem: terms.authorities == nil && trusted.includesSystem, depth: depth)
    }

    private func context(_ terms: UpstreamTLS.Terms) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        versions.apply(to: &configuration)
        configuration.certificateVerification = terms.verifies ? .fullVerification : .none
        #if GATECRASH_DEFECTS
        if Defect.certificateAccepted.isChosen { configuration.certificateVerification = .none }
        #endif
        if let authorities = terms.authorities {
            configuration.trustRoots = .certificates(
                try authorities.flatMap { try NIOSSLCertificate.fromPEMBytes(Array($0.utf8)) })
        } else if terms.verifies {
            try trusted.apply(to: &configuration)
        }
        if let certificate = terms.certificate { try certificate.present(in: &configuration) }
        if terms.speaksHTTP2 { configuration.applicationProtocols = ["h2"] }
        return try NIOSSLContext(configuration: configuration)
    }
}

extension TLSMaterial.Certificate {
    /// Presents it to servers that ask for one.
    ///
    /// - Throws: when the TLS library does not take it.
    func present(in configuration: inout TLSConfiguration) throws {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(chain.utf8)).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
    }
}
