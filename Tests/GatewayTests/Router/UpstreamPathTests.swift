// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing

@Suite struct UpstreamPathTests {
    @Test(arguments: [
        // service, route, request, stripped, not stripped: kong-facts 3.4 and the table in Kong's route documentation.
        ("/s", "/fv0", "/fv0req", "/s/req", "/s/fv0req"),
        ("/s", "/fv1", "/fv1/req", "/s/req", "/s/fv1/req"),
        ("/s/", "/fv0", "/fv0req", "/s/req", "/s/fv0req"),
        ("/s/", "/fv0", "/fv0/req", "/s/req", "/s/fv0/req"),
        ("/s", "/fv0/", "/fv0/req", "/s/req", "/s/fv0/req"),
        ("/s/", "/fv0/", "/fv0/req", "/s/req", "/s/fv0/req"),
        // Nothing is left after stripping: the slash at the end follows the request.
        ("/s", "/r", "/r", "/s", "/s/r"),
        ("/s", "/r", "/r/", "/s/", "/s/r/"),
        ("/s/", "/r", "/r", "/s", "/s/r"),
        ("/s/", "/r", "/r/", "/s/", "/s/r/"),
        ("/s", "/r/", "/r/", "/s/", "/s/r/"),
        ("/s/", "/r/", "/r/", "/s/", "/s/r/"),
        ("/", "/r", "/r", "/", "/r"),
        ("/", "/r", "/r/", "/", "/r/"),
        ("/", "/r/", "/r/", "/", "/r/"),
        // The catch-all.
        ("/", "/", "/", "/", "/"),
        ("/", "/", "/x", "/x", "/x"),
        ("/s", "/", "/", "/s", "/s"),
        ("/s/", "/", "/", "/s/", "/s/"),
        ("/s", "/", "/x", "/s/x", "/s/x"),
        ("/s", "/", "/x/", "/s/x/", "/s/x/"),
        // What is left begins with a dot segment that only stripping made one.
        ("/s", "/r", "/r.", "/s", "/s/r."),
        ("/s", "/r", "/r..", "/s", "/s/r.."),
        ("/s", "/r", "/r./x", "/s/x", "/s/r./x"),
        ("/s", "/r", "/r../x", "/s/x", "/s/r../x"),
        ("/s", "/r", "/r.../x", "/s/.../x", "/s/r.../x"),
        // Escapes: decoded for matching, escaped for the upstream, reserved ones untouched.
        ("/s", "/r", "/r/%7euser%2f%20x", "/s/~user%2F%20x", "/s/r/~user%2F%20x"),
        ("/s", "/r", "/r/\u{e9}", "/s/%C3%A9", "/s/r/%C3%A9"),
        ("/s p", "/r", "/r/x", "/s%20p/x", "/s%20p/r/x"),
        ("/s", "/r", "/r/a\\b\"<>^`{|}", "/s/a%5Cb%22%3C%3E%5E%60%7B%7C%7D", "/s/r/a%5Cb%22%3C%3E%5E%60%7B%7C%7D"),
        ("/s", "/r", "/r/!#$&'()*+,:;=@[]-_.~", "/s/!#$&'()*+,:;=@[]-_.~", "/s/r/!#$&'()*+,:;=@[]-_.~"),
        // The article's route.
        ("/", "/hello", "/hello", "/", "/hello"),
    ])
    func `a service path and a request path are joined`(
        service: String, path: String, request: String, stripped: String, kept: String
    ) {
        for (strip, expected) in [(true, stripped), (false, kept)] {
            let route = makeRoute("r") { ($0.paths, $0.stripPath) = ([path], strip) }
            let table = makeTable([route], services: [makeService(path: service)])
            #expect(TestRequest(path: request).match(in: table)?.upstreamPath == expected, "strip_path=\(strip)")
        }
    }

    @Test func `a service without a path has the root`() {
        let route = makeRoute("r") { $0.paths = ["/hello"] }
        #expect(TestRequest(path: "/hello/x").match(in: makeTable([route]))?.upstreamPath == "/x")
    }

    @Test func `a route that matched without paths never strips`() {
        let route = makeRoute("r") { $0.hosts = ["api.test"] }
        let table = makeTable([route], services: [makeService(path: "/s")])
        #expect(TestRequest(path: "/r/x").match(in: table)?.upstreamPath == "/s/r/x")
    }

    @Test func `a regex strips what it matched`() {
        let route = makeRoute("r") { $0.paths = [#"~/v\d+/users"#] }
        let table = makeTable([route], services: [makeService(path: "/s")])
        #expect(TestRequest(path: "/v12/users/7").match(in: table)?.upstreamPath == "/s/7")
        #expect(TestRequest(path: "/v12/usersearch").match(in: table)?.upstreamPath == "/s/earch")
    }

    @Test(arguments: [
        ("/", "/"), ("", ""), ("/a", "/a"), ("/a/", "/a/"), ("/a//b", "/a/b"), ("//", "/"), ("/a//", "/a/"),
        ("/.", "/"), ("/..", "/"), ("/./", "/"), ("/../", "/"), ("/a/.", "/a/"), ("/a/..", "/"), ("/a/./b", "/a/b"),
        ("/a/../b", "/b"), ("/a/b/../../c", "/c"), ("/../../a", "/a"), ("/a/..b", "/a/..b"), ("/a/.b", "/a/.b"),
        ("/a/b..", "/a/b.."), ("/a/...", "/a/..."), ("/%2e/a", "/a"), ("/a/%2E%2e/b", "/b"), ("/%41", "/A"),
        ("/%7e", "/~"), ("/%2f", "/%2F"), ("/%25", "/%25"), ("/%", "/%"), ("/%4", "/%4"), ("/%zz", "/%zz"),
        ("/%20", "/ "), ("/%C3%A9", "/\u{e9}"), ("/a%3fb", "/a%3Fb"), (".", ""), ("..", ""), ("./a", "a"),
        ("../a", "a"), ("*", "*"), ("a/b", "a/b"), ("/a/b/..", "/a/"), ("/a/./", "/a/"), ("/a//../b", "/b"),
    ])
    func `a path is normalised as Kong does it`(path: String, expected: String) {
        Array(path.utf8).withUnsafeBytes { bytes in
            #expect(String(decoding: PathNormalization.normalize(bytes), as: UTF8.self) == expected)
            // What counts as normalised must come back unchanged; the reverse only costs time.
            if PathNormalization.isNormalized(bytes) { #expect(path == expected) }
        }
    }

    @Test(arguments: ["/", "/a", "/a/b/", "/.well-known/x", "/a..b/..c", "/a.", "/...", "/a/.../b", "/a?b"])
    func `an ordinary path needs no work`(path: String) {
        Array(path.utf8).withUnsafeBytes { bytes in #expect(PathNormalization.isNormalized(bytes)) }
    }
}
