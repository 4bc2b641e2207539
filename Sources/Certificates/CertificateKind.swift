// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A certificate as servers in the field have it: a good one, or one of the usual bad ones.
package enum CertificateKind: String, Sendable, Hashable, CaseIterable {
    case valid
    case expired
    /// Its time has not come yet.
    case notYet = "not_yet"
    /// For another host.
    case wrongHost = "wrong_host"
    /// Signed by an authority that nobody knows.
    case untrusted
    /// Signed by itself.
    case selfSigned = "self_signed"

    /// The host that a certificate for the wrong host is for; it can never exist (RFC 6761).
    package static let otherHost = "wrong-host.invalid"

    /// Makes a certificate of this kind.
    ///
    /// - Parameters:
    ///   - names: the hosts it is for, and would be for if it were good.
    ///   - authority: who signs it, if anybody good does.
    ///   - now: seconds since 1970.
    /// - Throws: for a name that is neither a host name nor an address, and when the system cannot make a key.
    package func issue(
        for names: [String], by authority: CertificateAuthority, now: Int64
    ) throws -> IssuedCertificate {
        let request = CertificateRequest(
            names: self == .wrongHost ? [Self.otherHost] : names, validity: validity(now), usages: [.server])
        switch self {
        case .valid, .expired, .notYet, .wrongHost: return try authority.issue(request)
        case .selfSigned: return try CertificateAuthority.selfSigned(request)
        case .untrusted:
            // The same name as the good authority's would be found by it, and fail as a wrong signature.
            let other = try CertificateAuthority.makeRoot(name: "Gatecrash unknown authority", validity: .current(now))
            return try other.issue(request)
        }
    }

    private func validity(_ now: Int64) -> CertificateValidity {
        switch self {
        case .expired: .expired(now)
        case .notYet: .notYetValid(now)
        case .valid, .wrongHost, .untrusted, .selfSigned: .current(now)
        }
    }
}
