// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Testing
import World

/// Where a gateway listens and which certificates it is given: flags, then the environment, then Kong's defaults.
@Suite struct GatewayOptionsTests {
    private func options(
        _ flags: [String] = [], _ environment: [String: String] = [:]
    ) throws(Problems) -> GatewayOptions {
        var given = GatewayOptions.Flags()
        given.proxyListen = flags
        return try GatewayOptions(flags: given, environment: environment)
    }

    @Test(
        arguments: [
            ([], nil, ["127.0.0.1:8000", "127.0.0.1:8443 ssl http2"]),
            (["127.0.0.1:1"], nil, ["127.0.0.1:1"]),
            (["127.0.0.1:1"], "127.0.0.1:2", ["127.0.0.1:1"]),
            (["127.0.0.1:1", "[::1]:2 ssl"], nil, ["127.0.0.1:1", "[::1]:2 ssl"]),
            (
                [], "0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 http2 ssl reuseport",
                ["0.0.0.0:8000", "0.0.0.0:8443 ssl http2"]
            ),
            ([], "", ["127.0.0.1:8000", "127.0.0.1:8443 ssl http2"]),
        ] as [([String], String?, [String])])
    func `listeners come from flags, else from the environment, else they are Kong's on loopback`(
        flags: [String], variable: String?, listeners: [String]
    ) throws {
        let options = try options(flags, variable.map { ["KONG_PROXY_LISTEN": $0] } ?? [:])
        #expect(options.settings.proxyListeners.map(\.text) == listeners)
    }

    @Test(arguments: [
        ("nowhere", "--proxy-listen nowhere: no address to listen on"),
        ("127.0.0.1:1 tls", "--proxy-listen 127.0.0.1:1 tls: unknown flag 'tls'"),
        ("127.0.0.1:1,", "--proxy-listen 127.0.0.1:1,: no address to listen on"),
        ("127.0.0.1:99999", "--proxy-listen 127.0.0.1:99999: no address to listen on"),
    ])
    func `a listener that cannot be is told in one line`(flag: String, words: String) {
        let problems = #expect(throws: Problems.self) { try options([flag]) }
        let lines = problems?.sorted.map(\.description) ?? []
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix(words) == true, "\(lines)")
    }

    @Test func `certificates are read from the files that the environment names`() throws {
        let issued = try TestCertificates.issue(["a.example"])
        let other = try TestCertificates.issue(["b.example"])
        let files = [
            "cert.pem": issued.chain, "key.pem": issued.key, "other.pem": other.key,
            "root.pem": TestCertificates.root.certificate, "text.pem": "hello",
        ]
        func read(_ environment: [String: String]) throws -> GatewaySettings {
            var options = try options([], environment)
            try options.readCertificates { path in
                guard let text = files[path] else { throw Problems([Problem(at: nil, "\(path): No such file")]) }
                return text
            }
            return options.settings
        }
        let named = ["KONG_SSL_CERT": "cert.pem", "KONG_SSL_CERT_KEY": "key.pem"]
        #expect(try read(named).certificate?.key == issued.key)
        #expect(try read(["KONG_SSL_CERT": issued.chain, "KONG_SSL_CERT_KEY": issued.key]).certificate != nil)
        #expect(try read([:]).certificate == nil)
        #expect(try read([:]).trusted == TrustedAuthorities())
        let trusted = try read(["KONG_LUA_SSL_TRUSTED_CERTIFICATE": "root.pem"]).trusted
        #expect(trusted == TrustedAuthorities(includesSystem: false, others: [TestCertificates.root.certificate]))
        #expect(try read(["KONG_LUA_SSL_TRUSTED_CERTIFICATE": "system, root.pem"]).trusted.includesSystem)

        for (environment, words) in [
            (["KONG_SSL_CERT": "cert.pem"], "KONG_SSL_CERT without KONG_SSL_CERT_KEY"),
            (["KONG_SSL_CERT_KEY": "key.pem"], "KONG_SSL_CERT_KEY without KONG_SSL_CERT"),
            (["KONG_SSL_CERT": "none.pem", "KONG_SSL_CERT_KEY": "key.pem"], "none.pem: No such file"),
            (
                ["KONG_SSL_CERT": "cert.pem", "KONG_SSL_CERT_KEY": "other.pem"],
                "KONG_SSL_CERT: it does not match KONG_SSL_CERT_KEY"
            ),
            (["KONG_SSL_CERT": "text.pem", "KONG_SSL_CERT_KEY": "key.pem"], "KONG_SSL_CERT: no certificate"),
            (
                ["KONG_LUA_SSL_TRUSTED_CERTIFICATE": "text.pem"],
                "KONG_LUA_SSL_TRUSTED_CERTIFICATE: text.pem: no certificate"
            ),
        ] {
            let problems = #expect(throws: Problems.self) { try read(environment) }
            let lines = problems?.sorted.map(\.description) ?? []
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix(words) == true, "\(lines)")
        }
    }
}
