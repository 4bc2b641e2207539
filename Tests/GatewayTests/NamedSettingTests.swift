// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import NIOCore
import NIOSSL
import Testing

@testable import Gateway

@Suite struct NamedSettingTests {
    private func options(_ set: [String] = [], _ environment: [String: String] = [:]) throws -> GatewaySettings {
        var flags = GatewayOptions.Flags()
        flags.set = set
        return try GatewayOptions(flags: flags, environment: environment).settings
    }

    /// One value of a setting, and whether it has arrived.
    private struct Row: Sendable {
        var name: String
        let value: String
        let hasArrived: @Sendable (GatewaySettings) -> Bool

        init(_ name: String, _ value: String, _ hasArrived: @escaping @Sendable (GatewaySettings) -> Bool) {
            (self.name, self.value, self.hasArrived) = (name, value, hasArrived)
        }
    }

    private static let values: [Row] =
        [
            Row("upstream_keepalive_pool_size", "0", { $0.pool.size == 0 }),
            Row("upstream_keepalive_max_requests", "0", { $0.pool.maximumRequests == .max }),
            Row("upstream_keepalive_idle_timeout", "5", { $0.pool.idleTimeout == .seconds(5) }),
            Row("trusted_ips", "10.0.0.0/8, ::1", { !$0.trust.isEmpty && !$0.trust.isUnset }),
            Row("real_ip_header", "X-Client", { $0.trust.source == .field("x-client") }),
            Row("real_ip_recursive", "on", { $0.trust.isRecursive }),
            Row("ssl_cipher_suite", "modern", { $0.tls.versions == TLSVersions(.tlsv13, .tlsv13) }),
            Row("ssl_protocols", "TLSv1.3 TLSv1.2 TLSv1.1", { $0.tls.customVersions == TLSVersions(.tlsv11, .tlsv13) }),
            Row("ssl_ciphers", "AES128-SHA:DHE-RSA-A:AES256-SHA", { $0.tls.customCiphers == "AES128-SHA:AES256-SHA" }),
            Row("lua_ssl_protocols", "TLSv1", { $0.tls.probeVersions == TLSVersions(.tlsv1, .tlsv1) }),
            Row("lua_max_req_headers", "3", { $0.limits.fieldCount == 3 && $0.responseLimits.fieldCount == 100 }),
            Row("lua_max_resp_headers", "4", { $0.responseLimits.fieldCount == 4 && $0.limits.fieldCount == 100 }),
            Row("nginx_events_worker_connections", "1024", { $0.connectionLimit == 1024 }),
            Row("nginx_main_worker_shutdown_timeout", "1m", { $0.drain == .minutes(1) }),
        ] + ["http", "proxy"].flatMap(directives)

    private static func directives(_ block: String) -> [Row] {
        let all: [Row] = [
            Row("client_max_body_size", "8m", { $0.bodyBytes == 8 << 20 }),
            Row("client_body_buffer_size", "16K", { $0.bufferedBodyBytes == 16 << 10 }),
            Row("client_body_temp_path", "/somewhere", { $0.spoolDirectory == "/somewhere" }),
            Row("large_client_header_buffers", "2 1k", { $0.limits.lineBytes == 1024 && $0.limits.headBytes == 2048 }),
            Row("proxy_buffers", "4 4k", { $0.responseBufferBytes == 16 << 10 }),
            Row("proxy_ssl_protocols", "TLSv1.1 TLSv1.2", { $0.tls.upstreamVersions == TLSVersions(.tlsv11, .tlsv12) }),
            Row("keepalive_requests", "7", { $0.limits.requestsPerConnection == 7 }),
            Row("client_header_timeout", "3", { $0.timeouts.head == .seconds(3) }),
            Row("client_body_timeout", "250ms", { $0.timeouts.body == .milliseconds(250) }),
            Row("send_timeout", "2m", { $0.timeouts.send == .minutes(2) }),
            Row("keepalive_timeout", "1h", { $0.timeouts.idle == .hours(1) }),
            Row("lingering_timeout", "5s", { $0.timeouts.linger == .seconds(5) }),
        ]
        return all.map { Row("nginx_\(block)_\($0.name)", $0.value, $0.hasArrived) }
    }

    @Test func `every setting arrives, by flag and by variable, and every one has a row here and in the docs`() throws {
        #expect(Set(Self.values.map(\.name)) == Set(NamedSetting.all.map(\.name)))
        for row in Self.values {
            #expect(try !row.hasArrived(options()), "\(row.name) has another default")
            #expect(try row.hasArrived(options(["\(row.name)=\(row.value)"])), "\(row.name)")
            #expect(try row.hasArrived(options([], ["KONG_\(row.name.uppercased())": row.value])), "\(row.name)")
        }
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let page = try String(contentsOf: root.appendingPathComponent("docs/gateway-settings.md"), encoding: .utf8)
        for setting in NamedSetting.all {
            let name = setting.name.replacing("nginx_proxy_", with: "nginx_http_")
            #expect(page.contains("`\(name)`"), "docs/gateway-settings.md lacks \(name)")
        }
    }

    @Test func `flags win over variables, and nginx_proxy over nginx_http`() throws {
        let name = "nginx_http_client_max_body_size"
        #expect(try options(["\(name)=1k"], ["KONG_\(name.uppercased())": "2k"]).bodyBytes == 1024)
        #expect(try options(["\(name)=1k", "nginx_proxy_client_max_body_size=3k"]).bodyBytes == 3072)
        #expect(try options([], ["KONG_\(name.uppercased())": ""]).bodyBytes == 0)
    }

    @Test(arguments: [
        ("nginx_http_client_max_body_siz=8m", "did you mean nginx_http_client_max_body_size?"),
        ("upstream_keepalive_pool_size", "not NAME=VALUE"), ("=", "no setting of that name"),
        ("nginx_http_client_max_body_size=8x", "write a size such as 8m, 0 for any"),
        ("nginx_http_client_max_body_size=-1", "write a size such as 8m, 0 for any"),
        ("nginx_http_client_max_body_size=99999999999999999999", "write a size such as 8m, 0 for any"),
        ("nginx_http_client_body_timeout=0", "write a time such as 60s"),
        ("nginx_http_client_body_timeout=1.5s", "write a time such as 60s"),
        ("nginx_http_large_client_header_buffers=4", "write a number and a size such as 4 8k"),
        ("nginx_http_large_client_header_buffers=0 8k", "write a number and a size such as 4 8k"),
        ("trusted_ips=10.0.0.0/99", "write addresses and ranges such as 10.0.0.0/8,::1"),
        ("nginx_http_proxy_buffers=8", "write a number and a size such as 8 8k, at most 128k together"),
        ("nginx_http_proxy_buffers=1 8k", "write a number and a size such as 8 8k, at most 128k together"),
        ("nginx_http_proxy_buffers=17 8k", "write a number and a size such as 8 8k, at most 128k together"),
        ("ssl_cipher_suite=fips", "write modern, intermediate, old or custom"),
        ("ssl_protocols=TLSv1 TLSv1.2", "without a gap"), ("lua_ssl_protocols=SSLv3", "without a gap"),
        ("lua_ssl_protocols=", "without a gap"),
        ("ssl_ciphers=NONE-OF-THESE", "write OpenSSL's names with colons between"),
        ("ssl_ciphers=HIGH:AES128-SHA:!MD5", "write OpenSSL's names with colons between"),
        ("ssl_ciphers=", "write OpenSSL's names with colons between"),
        ("real_ip_recursive=maybe", "write on or off"), ("lua_max_req_headers=0", "write a number of fields"),
    ])
    func `a mistake is one clear line`(flag: String, expected: String) throws {
        do {
            _ = try options([flag])
            Issue.record("\(flag) was taken")
        } catch let problems as Problems {
            #expect(problems.list.count == 1)
            #expect("\(problems.list[0])".hasPrefix("--set \(flag): "))
            #expect("\(problems.list[0])".contains(expected), "\(problems.list[0])")
        }
    }

    @Test func `a listener may ask for the PROXY protocol`() throws {
        let settings = try options([], ["KONG_PROXY_LISTEN": "127.0.0.1:9000 proxy_protocol reuseport backlog=16"])
        #expect(settings.proxyListeners.map(\.expectsProxyProtocol) == [true])
        #expect(settings.proxyListeners.first?.address.port == 9000)
        let plain = try options([], ["KONG_PROXY_LISTEN": "127.0.0.1:9000"])
        #expect(plain.proxyListeners.map(\.expectsProxyProtocol) == [false])
    }
}
