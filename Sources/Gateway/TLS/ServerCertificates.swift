// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The certificates that clients are shown, chosen by the name they ask for as Kong does
/// (kong/runloop/certificate.lua): the name itself, `*.` for its first label, `.*` for its last one, `*`, the default.
package final class ServerCertificates: Sendable {
    private let byName: [String: ServedCertificate]
    private let fallback: ServedCertificate

    /// - Parameters:
    ///   - fallback: for clients that ask for no name, or for one that is not there.
    ///   - previous: what has not changed since goes on with the contexts that were made of it.
    package init(_ material: TLSMaterial, fallback: ServedCertificate, reusing previous: ServerCertificates? = nil) {
        var kept: [TLSMaterial.Certificate: ServedCertificate] = [:]
        for served in previous?.byName.values.map(\.self) ?? [] {
            if let source = served.source { kept[source] = served }
        }
        var served: [String: ServedCertificate] = [:]
        for certificate in material.certificates {
            served[certificate.id] = kept[certificate] ?? ServedCertificate(certificate)
        }
        byName = material.serverNames.compactMapValues { served[$0] }
        self.fallback = fallback
    }

    /// - Parameter name: as the client sent it; nil when it sent none.
    package func certificate(for name: String?) -> ServedCertificate {
        guard let name, !byName.isEmpty else { return fallback }
        return Self.candidates(for: name).lazy.compactMap { self.byName[$0] }.first ?? byName["*"] ?? fallback
    }

    private static func candidates(for name: String) -> [String] {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        var candidates = [name]
        if let dot = name.firstIndex(of: ".") { candidates.append("*" + name[dot...]) }
        if let dot = name.lastIndex(of: ".") { candidates.append(name[...dot] + "*") }
        return candidates
    }
}
