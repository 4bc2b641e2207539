// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import OpenSSL

/// The certificates of one run: an authority that is made for it, which its gateways trust, and what it signs.
/// Confined to the topology's loop.
final class RunCertificates {
    private let now: Int64
    private let folder: WorkFolder
    private var made: CertificateAuthority?
    private var issued: [Wanted: IssuedCertificate] = [:]
    /// A context is made once for all connections alike.
    private var servers: [TLSSpec: [[String]: OpenSSLContext]] = [:]

    private struct Wanted: Hashable {
        var kind: CertificateKind
        var names: [String]
    }

    /// - Parameter now: seconds since 1970.
    init(now: Int64, folder: WorkFolder) {
        self.now = now
        self.folder = folder
    }

    /// The path of the authority's certificate, for those who are to trust it.
    func authorityPath() throws(TopologyError) -> String { try folder.write(authority().certificate, to: "ca.pem") }

    private func authority() throws(TopologyError) -> CertificateAuthority {
        if let made { return made }
        do {
            let authority = try CertificateAuthority.makeRoot(name: "Gatecrash run authority", validity: .current(now))
            made = authority
            return authority
        } catch {
            throw TopologyError("no certificate can be made: \(error)")
        }
    }

    /// A certificate of a kind for some hosts; the same one every time.
    func certificate(_ kind: CertificateKind, for names: [String]) throws(TopologyError) -> IssuedCertificate {
        let wanted = Wanted(kind: kind, names: names)
        if let known = issued[wanted] { return known }
        let authority = try authority()
        do {
            let made = try kind.issue(for: names, by: authority, now: now)
            issued[wanted] = made
            return made
        } catch {
            throw TopologyError("no certificate for \(names.joined(separator: ", ")) can be made: \(error)")
        }
    }

    /// Writes the certificate and the key of a node.
    func files(
        of node: String, _ kind: CertificateKind, for names: [String]
    ) throws(TopologyError) -> (chain: String, key: String) {
        let issued = try certificate(kind, for: names)
        return (
            try folder.write(issued.chain, to: "\(node).cert.pem"), try folder.write(issued.key, to: "\(node).key.pem")
        )
    }

    /// What a link terminates TLS with.
    func server(_ spec: TLSSpec, for names: [String]) throws(TopologyError) -> OpenSSLContext {
        if let known = servers[spec]?[names] { return known }
        let issued = try certificate(spec.certificate, for: names)
        var settings = OpenSSLSettings(chain: issued.chain, key: issued.key)
        settings.minimum = spec.minimum
        settings.maximum = spec.maximum
        settings.protocols = ["http/1.1"]
        do throws(OpenSSLError) {
            let context = try OpenSSLContext(.server, settings)
            servers[spec, default: [:]][names] = context
            return context
        } catch {
            throw TopologyError("TLS cannot be set up: \(error)")
        }
    }

    /// What a link speaks to a mock that serves TLS; the certificate is not looked at.
    func client() throws(TopologyError) -> OpenSSLContext {
        var settings = OpenSSLSettings()
        settings.protocols = ["http/1.1"]
        // Whatever limits the scenario gives the mock, the runner and its links can talk to it.
        settings.minimum = .tls10
        do throws(OpenSSLError) { return try OpenSSLContext(.client, settings) } catch {
            throw TopologyError("TLS cannot be set up: \(error)")
        }
    }
}
