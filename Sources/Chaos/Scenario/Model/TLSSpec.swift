// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Certificates
package import OpenSSL

/// How a mock, or a link, serves TLS.
package struct TLSSpec: Hashable, Sendable {
    package var certificate: CertificateKind
    /// Nil = what OpenSSL does by itself: 1.2 to 1.3.
    package var minimum: TLSVersion?
    package var maximum: TLSVersion?

    package init(certificate: CertificateKind = .valid, minimum: TLSVersion? = nil, maximum: TLSVersion? = nil) {
        self.certificate = certificate
        self.minimum = minimum
        self.maximum = maximum
    }

    /// `TLS`, `TLS with an expired certificate, 1.2 at most`.
    package var phrase: String {
        var parts = [certificate == .valid ? "TLS" : "TLS with \(certificate.phrase)"]
        if let minimum { parts.append("\(minimum.rawValue) at least") }
        if let maximum { parts.append("\(maximum.rawValue) at most") }
        return parts.joined(separator: ", ")
    }
}

extension CertificateKind {
    package var phrase: String {
        switch self {
        case .valid: "a good certificate"
        case .expired: "an expired certificate"
        case .notYet: "a certificate that is not valid yet"
        case .wrongHost: "a certificate for another host"
        case .untrusted: "a certificate of an unknown authority"
        case .selfSigned: "a self-signed certificate"
        }
    }
}
