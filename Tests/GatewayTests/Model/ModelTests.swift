// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Gateway

@Suite struct ModelTests {
    @Test func `version 5 UUIDs are those of RFC 9562`() {
        // RFC 9562 appendix A.4: the namespace of domain names.
        let id = UUIDs.version5(namespace: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", name: "www.example.com")
        #expect(id == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
        #expect(UUIDs.isValid(id))
        #expect(!UUIDs.isValid("2ed6657de927568b95e12665a8aea6a2"))
        #expect(!UUIDs.isValid(id + "0"))
    }

    @Test(
        arguments: [
            ("example.com", "example.com", nil), ("example.com:80", "example.com", 80), ("a_b-c", "a_b-c", nil),
            ("a.", "a.", nil), ("10.0.0.1", "10.0.0.1", nil), ("010.0.0.1:1", "10.0.0.1", 1),
            ("::", "0000:0000:0000:0000:0000:0000:0000:0000", nil),
            ("1::", "0001:0000:0000:0000:0000:0000:0000:0000", nil),
            ("1:2:3:4:5:6:7:8", "0001:0002:0003:0004:0005:0006:0007:0008", nil),
            ("1:2:3::8", "0001:0002:0003:0000:0000:0000:0000:0008", nil),
            ("[::1]:5", "0000:0000:0000:0000:0000:0000:0000:0001", 5),
        ] as [(String, String, Int?)]) func `addresses are taken apart`(text: String, host: String, port: Int?) throws
    {
        let address = try HostAddress(text)
        #expect((address.host, address.port) == (host, port))
    }

    @Test(arguments: [
        "", ":", ":80", "a:", "a:b", "a b", "a..b", ".a", "a-.b", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1234", "1.2.3.4:",
        ":::", "1::2::3", ":1:2:3:4:5:6:7", "1:2", "12345::", "g::", "[::1", "[::1]x", "[::1]:", "a:65536", "é", "a/b",
    ]) func `what is no address is refused`(text: String) {
        #expect(throws: HostAddress.Invalid.self) { try HostAddress(text) }
    }

    @Test(
        arguments: [
            ("http://h:5000", "http", "h", "5000", nil), ("https://h/a/b?c#d", "https", "h", nil, "/a/b"),
            ("//h/x", nil, "h", nil, "/x"), ("h", nil, nil, nil, "h"), ("h:80", "h", nil, nil, "80"),
            ("http://u:p@h:1/", "http", "h", "1", "/"), ("http://[::1]:2", "http", "::1", "2", nil),
            ("http://[::1]", "http", "::1", nil, nil), ("http://", "http", nil, nil, nil), ("", nil, nil, nil, nil),
        ] as [(String, String?, String?, String?, String?)])
    func `URLs are taken apart`(text: String, scheme: String?, host: String?, port: String?, path: String?) {
        let url = URLParts(text)
        #expect(url.scheme == scheme)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.path == path)
    }

    @Test(arguments: [
        ("/", "/"), ("/a/b/", "/a/b/"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/..", "/"), ("/a/.", "/a/"),
        ("/../../a", "/a"), ("//a//b", "/a/b"), ("/%41%2f%2F", "/A%2F%2F"), ("/%2e%2e/a", "/a"), ("/%", "/%"),
    ]) func `paths are normalised`(path: String, normal: String) {
        #expect(PathNormalization.normalized(path) == normal)
    }

    @Test func `tables are printed as Penlight prints them`() {
        #expect(LuaText.compact(["b": ["id": "x"], "a": .null, "c-d": 1]) == #"{a=null,b={id="x"},["c-d"]=1}"#)
        let deep = Violation.fields(["a": .fields(["b": .fields(["c": .message("m"), "d-e": .message("n")])])])
        #expect(deep.summary == "schema violation (a.b: {\n  c = \"m\",\n  [\"d-e\"] = \"n\"\n})")
    }
}
