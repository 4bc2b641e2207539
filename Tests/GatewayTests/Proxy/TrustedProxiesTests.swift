// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Gateway

@Suite struct TrustedProxiesTests {
    private func trust(_ ips: String, _ header: String = "X-Real-IP", recursive: Bool = false) -> TrustedProxies {
        var trust = TrustedProxies()
        #expect(trust.read(ips) == nil)
        trust.source = TrustedProxies.Source(header)
        trust.isRecursive = recursive
        return trust
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false), ("0.0.0.0/0", "255.1.2.3", true), ("0.0.0.0/0", "::1", false),
        ("::/0", "1.2.3.4", false), ("::/0", "fe80::1", true), ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:1", false), ("::1", "::1", true), ("::1", "::2", false),
        ("10.0.0.1/31", "10.0.0.0", true), ("unix:, 10.0.0.1", "10.0.0.1", true), ("", "10.0.0.1", false),
    ])
    func `a range holds the addresses with its prefix`(range: String, address: String, isTrusted: Bool) throws {
        #expect(trust(range).trusts(try SocketAddress(ipAddress: address, port: 1)) == isTrusted)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/", "/8", "example.org", "::/129", "1.2.3"])
    func `what is no range is told`(text: String) {
        var trust = TrustedProxies()
        #expect(trust.read("127.0.0.1, \(text)") == text)
    }

    /// As ngx_http_get_forwarded_addr_internal decides, with 10.0.0.0/8 trusted.
    @Test(
        arguments: [
            (["1.2.3.4"], false, "1.2.3.4"), (["1.2.3.4", "5.6.7.8"], false, "5.6.7.8"),
            (["9.9.9.9, 1.2.3.4, 10.0.0.1"], false, "10.0.0.1"), (["9.9.9.9, 1.2.3.4, 10.0.0.1"], true, "1.2.3.4"),
            (["9.9.9.9, 1.2.3.4", "10.0.0.1,10.0.0.2"], true, "1.2.3.4"), (["10.0.0.1, 10.0.0.2"], true, "10.0.0.1"),
            (["1.2.3.4, unknown, 10.0.0.1"], true, "10.0.0.1"), (["unknown"], true, nil), ([""], true, nil),
            ([], false, nil), (["1.2.3.4:80"], false, "1.2.3.4"), (["[2001:db8::1]:80"], false, "2001:db8::1"),
            (["[2001:db8::1]"], false, "2001:db8::1"), (["2001:db8::1"], false, "2001:db8::1"),
            (["localhost:1"], false, nil),
        ] as [([String], Bool, String?)])
    func `the client is found in X-Forwarded-For from the right`(
        values: [String], isRecursive: Bool, client: String?
    ) {
        let found = trust("10.0.0.0/8", "x-forwarded-for", recursive: isRecursive).client(accordingTo: values)
        #expect(found?.ipAddress == client)
    }

    @Test func `of other fields the first line counts`() {
        #expect(trust("10.0.0.0/8").client(accordingTo: ["1.1.1.1", "2.2.2.2"])?.ipAddress == "1.1.1.1")
        #expect(trust("10.0.0.0/8", "proxy_protocol").client(accordingTo: ["1.1.1.1"]) == nil)
    }
}
