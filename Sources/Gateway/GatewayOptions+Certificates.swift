// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document

/// Certificates that the environment names, as kong.conf does: a path, or PEM itself; the first of a list counts where
/// one is wanted.
extension GatewayOptions {
    static let certificateVariable = "KONG_SSL_CERT"
    static let keyVariable = "KONG_SSL_CERT_KEY"
    static let trustedVariable = "KONG_LUA_SSL_TRUSTED_CERTIFICATE"

    mutating func nameCertificates(_ environment: [String: String], _ problems: inout Problems) {
        let chain = Self.list(environment[Self.certificateVariable]).first
        let key = Self.list(environment[Self.keyVariable]).first
        switch (chain, key) {
        case (let chain?, let key?): certificate = (chain, key)
        case (nil, nil): break
        case (_?, nil), (nil, _?):
            let (given, missing) =
                chain == nil
                ? (Self.keyVariable, Self.certificateVariable) : (Self.certificateVariable, Self.keyVariable)
            problems.add(Problem(at: nil, "\(given) without \(missing)", advice: "set both or none"))
        }
        guard environment[Self.trustedVariable] != nil else { return }
        let trusted = Self.list(environment[Self.trustedVariable])
        settings.trusted.includesSystem = trusted.isEmpty || trusted.contains("system")
        authorities = trusted.filter { $0 != "system" }
    }

    /// PEM has no commas outside of its text, paths may not have any: kong.conf splits so too.
    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.trimming() }.filter { !$0.isEmpty }
    }

    /// Reads what the environment named into `settings`.
    ///
    /// - Parameter read: the text of a file.
    /// - Throws: what `read` throws, and `Problems` for texts that hold no certificate or not the right key.
    package mutating func readCertificates(_ read: (String) throws -> String) throws {
        func text(_ place: String) throws -> String { place.hasPrefix("-----BEGIN") ? place : try read(place) }
        var problems = Problems()
        if let certificate {
            let (chain, key) = (try text(certificate.chain), try text(certificate.key))
            do {
                guard try CertificateFacts.read(chain).first?.isFor(key: key) == true else {
                    throw CertificateProblem("it does not match \(Self.keyVariable)")
                }
                settings.certificate = (chain, key)
            } catch {
                problems.add(
                    Problem(at: nil, "\(Self.certificateVariable): \(error)", advice: "name a PEM file and its key"))
            }
        }
        for place in authorities {
            let pem = try text(place)
            do {
                _ = try CertificateFacts.read(pem)
                settings.trusted.others.append(pem)
            } catch {
                problems.add(
                    Problem(at: nil, "\(Self.trustedVariable): \(place): \(error)", advice: "name a PEM file"))
            }
        }
        if !problems.isEmpty { throw problems }
    }
}

extension Substring {
    fileprivate func trimming() -> String {
        var text = drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
