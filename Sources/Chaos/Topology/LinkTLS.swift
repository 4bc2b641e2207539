// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Certificates
package import OpenSSL

/// How a link and its mock speak TLS.
package struct LinkTLS {
    /// What the link itself serves; nil: bytes pass as they are, until a fault needs the link to speak.
    var own: TLSSpec?
    /// What the mock is spoken to with, where the link has decrypted; nil: it serves plain text.
    var onward: OpenSSLContext?
    /// Makes the gateway's peer; it is asked for every connection and should remember.
    var server: (TLSSpec) throws(TopologyError) -> OpenSSLContext

    package init(
        own: TLSSpec?, onward: OpenSSLContext?, server: @escaping (TLSSpec) throws(TopologyError) -> OpenSSLContext
    ) {
        self.own = own
        self.onward = onward
        self.server = server
    }
}

/// What a TLS fault asks of a new connection.
package enum TLSAdmission: Hashable, Sendable {
    case certificate(CertificateKind)
    case maximum(TLSVersion)
    case handshake(HandshakeToxic.Mode)
}

/// What becomes of the TLS of one connection, decided when it comes.
package enum TLSTreatment: Hashable, Sendable {
    /// The bytes are passed on as they are.
    case pass
    /// The link is the gateway's peer.
    case terminate(TLSSpec)
    /// There is no handshake.
    case breakOff(HandshakeToxic.Mode)

    /// - Parameters:
    ///   - own: what the link serves by itself.
    ///   - admissions: of the faults that hit the connection, in the order they were installed; of two that want
    ///     different things the later one counts, and a broken handshake before everything.
    package static func decide(own: TLSSpec?, _ admissions: [TLSAdmission]) -> TLSTreatment {
        var spec = own ?? TLSSpec()
        var isOwn = own != nil
        var broken: HandshakeToxic.Mode?
        for admission in admissions {
            switch admission {
            case .certificate(let kind): (spec.certificate, isOwn) = (kind, true)
            case .maximum(let version):
                (spec.maximum, isOwn) = (version, true)
                if let minimum = spec.minimum, minimum > version { spec.minimum = version }
            case .handshake(let mode): broken = mode
            }
        }
        if let broken { return .breakOff(broken) }
        return isOwn ? .terminate(spec) : .pass
    }
}
