// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Certificates
package import Document
package import OpenSSL

/// How a mock API serves TLS. It is settled at the start: a listener has one certificate.
package struct MockTLSOptions: Hashable, Sendable {
    /// Files with the certificate (and its chain) and its key, PEM; nil: one is made.
    package var certificatePath: String?
    package var keyPath: String?
    /// The kind of a certificate that is made.
    package var kind = CertificateKind.valid
    /// The hosts that a made certificate is for, besides localhost and 127.0.0.1.
    package var names: [String] = []
    /// Where the certificate of the authority is written that signs a made one, for clients to trust.
    package var authorityPath: String?
    package var minimum: TLSVersion?
    package var maximum: TLSVersion?

    package init() {}

    /// The variables, their flags, and what a person is told about them.
    package static let keys: [(variable: String, flag: String)] = [
        ("TLS", "--tls"), ("TLS_CERT", "--tls-cert"), ("TLS_KEY", "--tls-key"), ("TLS_CERT_KIND", "--tls-cert-kind"),
        ("TLS_NAMES", "--tls-names"), ("TLS_CA_FILE", "--tls-ca-file"), ("TLS_MIN_VERSION", "--tls-min-version"),
        ("TLS_MAX_VERSION", "--tls-max-version"),
    ]

    /// - Parameter given: texts by variable, with the place each comes from. TLS is on when any of them is there,
    ///   unless
    ///   `TLS` says off.
    /// - Returns: nil for plain text.
    static func read(
        _ given: [String: (text: String, place: String)], _ problems: inout Problems
    ) -> MockTLSOptions? {
        var options = MockTLSOptions()
        if let (text, place) = given["TLS"] {
            guard let isOn = SettingText.isOn(text) else {
                problems.add(Problem(at: nil, "\(place): \"\(text)\" is neither on nor off", advice: "give on or off"))
                return nil
            }
            guard isOn else { return nil }
        }
        guard !given.isEmpty else { return nil }
        options.certificatePath = given["TLS_CERT"]?.text
        options.keyPath = given["TLS_KEY"]?.text
        options.authorityPath = given["TLS_CA_FILE"]?.text
        options.names = given["TLS_NAMES"]?.text.split(separator: ",").map(String.init) ?? []
        if (options.certificatePath == nil) != (options.keyPath == nil) {
            let (there, missing) = options.keyPath == nil ? ("TLS_CERT", "--tls-key") : ("TLS_KEY", "--tls-cert")
            problems.add(
                Problem(
                    at: nil, "\(given[there]?.place ?? there): a certificate needs its key and a key its certificate",
                    advice: "give \(missing) too"))
        }
        if let (text, place) = given["TLS_CERT_KIND"] {
            if let kind = CertificateKind(rawValue: text) {
                options.kind = kind
                if options.certificatePath != nil {
                    problems.add(
                        Problem(at: nil, "\(place): a certificate was given", advice: "leave out one of the two"))
                }
            } else {
                let kinds = CertificateKind.allCases.map(\.rawValue).joined(separator: ", ")
                problems.add(
                    Problem(at: nil, "\(place): \"\(text)\" is no kind of certificate", advice: "give one of \(kinds)"))
            }
        }
        options.minimum = version("TLS_MIN_VERSION", given, &problems)
        options.maximum = version("TLS_MAX_VERSION", given, &problems)
        if let minimum = options.minimum, let maximum = options.maximum, maximum < minimum {
            problems.add(
                Problem(at: nil, "TLS \(minimum.rawValue) at least and \(maximum.rawValue) at most leaves no version"))
        }
        return options
    }

    private static func version(
        _ variable: String, _ given: [String: (text: String, place: String)], _ problems: inout Problems
    ) -> TLSVersion? {
        guard let (text, place) = given[variable] else { return nil }
        if let version = TLSVersion(rawValue: text) { return version }
        problems.add(
            Problem(at: nil, "\(place): \"\(text)\" is no version of TLS", advice: "give 1.0, 1.1, 1.2 or 1.3"))
        return nil
    }
}

extension MockTLSOptions {
    /// What a certificate is made of, or read from.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - read: a file's text.
    ///   - write: puts a text into a file.
    /// - Throws: `Problems`, one line each.
    package func context(
        now: Int64, read: (String) throws(Problems) -> String,
        write: (_ text: String, _ path: String) throws(Problems) -> Void
    ) throws(Problems) -> OpenSSLContext {
        var settings = OpenSSLSettings()
        settings.minimum = minimum
        settings.maximum = maximum
        settings.protocols = ["http/1.1"]
        if let certificatePath, let keyPath {
            settings.chain = try read(certificatePath)
            settings.key = try read(keyPath)
        } else {
            let (issued, authority) = try make(now: now)
            if let authorityPath { try write(authority, authorityPath) }
            settings.chain = issued.chain
            settings.key = issued.key
        }
        do throws(OpenSSLError) { return try OpenSSLContext(.server, settings) } catch {
            let place = certificatePath.map { "\($0): " } ?? "TLS: "
            throw Problems([Problem(at: nil, "\(place)\(error)", advice: "give a PEM certificate and its PEM key")])
        }
    }

    private func make(now: Int64) throws(Problems) -> (IssuedCertificate, authority: String) {
        do {
            let authority = try CertificateAuthority.makeRoot(
                name: "Gatecrash mock authority", validity: .current(now))
            let issued = try kind.issue(for: ["localhost", "127.0.0.1", "::1"] + names, by: authority, now: now)
            return (issued, authority.certificate)
        } catch {
            throw Problems([Problem(at: nil, "no certificate can be made: \(error)")])
        }
    }
}
