// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing

extension LoopbackTests {
    /// What of a request and a response passes, and how it looks on the other side.
    @Suite struct ForwardingTests {
        @Test func `the upstream sees the request to the byte`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(serviceYAML(port: upstream.port, routes: "{paths: [/hello]}"))
            let answer = try gateway.request(
                "GET /hello/there?a=1&b HTTP/1.1\r\nhOST: Api.example:81\r\nX-a:  1 \r\nConnection: x-drop, close\r\n"
                    + "x-drop: no\r\nX-Forwarded-For: 9.9.9.9\r\nX-Real-IP: 8.8.8.8\r\nVia: 1.0 fred\r\n"
                    + "TE: gzip, trailers\r\nUpgrade: h2c\r\nAccept: */*\r\n\r\n")
            let request = try #require(upstream.requests.first)
            let id = try #require(answer["X-Kong-Request-Id"])
            #expect(id.count == 32)
            #expect(
                request.lines == [
                    "GET /there?a=1&b HTTP/1.1", "Host: 127.0.0.1:\(upstream.port)", "Connection: keep-alive",
                    "X-a:  1 ", "Accept: */*", "TE: trailers", "X-Forwarded-For: 9.9.9.9, 127.0.0.1",
                    "X-Forwarded-Proto: http", "X-Forwarded-Host: Api.example",
                    "X-Forwarded-Port: \(gateway.proxyPort)", "X-Forwarded-Path: /hello/there",
                    "X-Forwarded-Prefix: /hello", "X-Real-IP: 127.0.0.1", "Via: 1.0 fred, 1.1 kong/3.10.0",
                    "X-Kong-Request-Id: \(id)",
                ])
        }

        @Test func `the client sees the response with Kong's fields`() throws {
            let upstream = try ScriptedUpstream {
                try $0.answerAll(
                    "HTTP/1.1 299 Fine by me\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nVia: 1.1 inner\r\n"
                        + "sErver: s\r\nX-B: two\r\nDate: then\r\nContent-Length: 2\r\n\r\nok")
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let answer = try gateway.get("/")
            #expect(answer.startLine == "HTTP/1.1 299 Fine by me")
            #expect(answer.text == "ok")
            #expect(answer["Via"] == "1.1 inner, 1.1 kong/3.10.0")
            #expect(answer["Server"] == "s")
            #expect(answer["Date"] == "then")
            #expect(answer["X-Hop"] == nil)
            #expect(answer["X-Kong-Upstream-Latency"].flatMap(Int.init) ?? -1 >= 0)
            #expect(answer["X-Kong-Proxy-Latency"].flatMap(Int.init) ?? -1 >= 0)
            #expect(answer["X-Kong-Response-Latency"] == nil)
            #expect(answer["Connection"] == "keep-alive")
        }

        @Test(arguments: [
            // strip_path, preserve_host, path asked for, path and Host that the upstream sees
            (true, false, "/hello", "/base", "127.0.0.1"), (true, false, "/hello/x", "/base/x", "127.0.0.1"),
            (false, false, "/hello/x", "/base/hello/x", "127.0.0.1"),
            (true, true, "/hello?q", "/base?q", "a.example"),
        ])
        func `strip_path and preserve_host`(
            strips: Bool, preserves: Bool, path: String, expected: String, host: String
        ) throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(
                serviceYAML(
                    port: upstream.port, path: "/base",
                    routes: "{paths: [/hello], strip_path: \(strips), preserve_host: \(preserves)}"))
            _ = try gateway.get(path)
            let request = try #require(upstream.requests.first)
            #expect(request.path == expected)
            #expect(request["Host"] == (preserves ? host : "\(host):\(upstream.port)"))
        }

        @Test(arguments: [
            // method, the upstream's answer, framing fields that the client sees
            ("HEAD", "200 OK\r\nContent-Length: 17\r\n\r\n", ["Content-Length: 17"]),
            ("HEAD", "200 OK\r\nContent-Length: 0\r\n\r\n", ["Content-Length: 0"]),
            ("HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", []),
            ("HEAD", "200 OK\r\n\r\n", []),
            ("GET", "204 No Content\r\n\r\n", []),
            ("GET", "204 No Content\r\nContent-Length: 5\r\n\r\n", []),
            ("GET", "304 Not Modified\r\nContent-Length: 17\r\n\r\n", ["Content-Length: 17"]),
            ("GET", "304 Not Modified\r\n\r\n", []),
            ("GET", "200 OK\r\nContent-Length: 0\r\n\r\n", ["Content-Length: 0"]),
        ])
        func `answers without a body`(method: String, answer: String, framing: [String]) throws {
            let upstream = try ScriptedUpstream { try $0.answerAll("HTTP/1.1 " + answer) }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let client = try gateway.connect(limit: 2000)
            // Twice on one connection: where the first one ends is beyond doubt.
            for _ in 0..<2 {
                let message = try client.exchange("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n", hasBody: method != "HEAD")
                #expect(message.startLine == "HTTP/1.1 " + answer.prefix { $0 != "\r\n" })
                #expect(
                    message.lines.filter { $0.hasPrefix("Content-Length") || $0.hasPrefix("Transfer-") } == framing)
                #expect(message["Connection"] == "keep-alive")
            }
        }

        @Test func `chunked bodies with trailers both ways`() throws {
            let upstream = try ScriptedUpstream { connection in
                while try connection.request() != nil {
                    try connection.socket.send(
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
                            + "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: end\r\n\r\n")
                }
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let answer = try gateway.request(
                "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "4\r\nwiki\r\n1\r\n!\r\n0\r\nX-Sum: 5\r\n\r\n")
            let request = try #require(upstream.requests.first)
            #expect(request.text == "wiki!")
            #expect(request.trailers == ["X-Sum: 5"])
            #expect(request["Content-Length"] == nil)
            #expect(answer.text == "abcde")
            #expect(answer.trailers == ["X-T: end"])
            #expect(answer["Trailer"] == "X-T")
        }

        @Test func `a body that ends with the connection becomes chunked, and plain for HTTP 1.0`() throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.request()
                try connection.socket.send("HTTP/1.0 200 OK\r\n\r\nto the end")
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let modern = try gateway.get("/")
            #expect(modern["Transfer-Encoding"] == "chunked")
            #expect(modern.text == "to the end")
            let client = try gateway.connect()
            let old = try client.exchange("GET / HTTP/1.0\r\n\r\n")
            #expect(old["Transfer-Encoding"] == nil)
            #expect(old.text == "to the end")
            #expect(old["Connection"] == "close")
            #expect(upstream.requests.last?["Via"] == "1.0 kong/3.10.0")
        }

        @Test func `a request with a body leaves with one write`() throws {
            let upstream = try ScriptedUpstream { connection in
                for _ in 0..<2 {
                    guard try connection.socket.messageHead() != nil else { return }
                    #expect(connection.socket.received == "abc")
                    _ = try connection.socket.bytes(3)
                    try connection.socket.send(ScriptedUpstream.ok)
                }
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            // On a new connection and on one that is open.
            for _ in 0..<2 {
                #expect(try gateway.request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").status == 200)
            }
        }

        @Test func `pipelined requests are answered in their order`() throws {
            let upstream = try ScriptedUpstream { connection in
                while let request = try connection.request() {
                    let path = request.path
                    try connection.socket.send(
                        "HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
                }
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let client = try gateway.connect()
            let one = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            try client.send(
                one + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\nPUT /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                    + "Connection: close\r\n\r\nxyGET /4 HTTP/1.1\r\nHost: a\r\n\r\n")
            for path in ["/1", "/2", "/3"] {
                let answer = try client.message()
                #expect(answer?.text == path)
                #expect(answer?["Connection"] == (path == "/3" ? "close" : "keep-alive"))
            }
            #expect(client.ends(within: 1000))
            #expect(upstream.requests.map(\.path) == ["/1", "/2", "/3"])
            #expect(upstream.requests.map(\.text) == ["abc", "", "xy"])
        }

        @Test func `Expect is answered here and not passed on`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let client = try gateway.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            #expect(try client.line(endingWith: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            #expect(try client.exchange("body").status == 200)
            #expect(upstream.requests.first?.text == "body")
            #expect(upstream.requests.first?["Expect"] == nil)
        }

        @Test func `a route for TLS only answers 426, or leads there`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(
                serviceYAML(
                    port: upstream.port,
                    routes: "{paths: [/tls], protocols: [https]}, "
                        + "{paths: [/moved], protocols: [https], https_redirect_status_code: 301}"))
            let refused = try gateway.get("/tls")
            #expect(refused.status == 426)
            #expect(refused["Upgrade"] == "TLS/1.2, HTTP/1.1")
            #expect(refused.text.contains(#""message":"Please use HTTPS protocol""#))
            #expect(try gateway.get("/moved/x?y=1")["Location"] == "https://a.example/moved/x?y=1")
            let absolute = try gateway.request("GET http://b.example:80/moved?z HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(absolute.status == 301)
            #expect(absolute["Location"] == "https://b.example/moved?z")
            #expect(absolute.text.isEmpty)
        }

        @Test(arguments: [
            ("GET", "/none", 404, "no Route matched with those values"),
            ("GET", "/orphan", 503, "no Service found with those values"),
            ("GET", "/empty", 503, "failure to get a peer from the ring-balancer"),
            ("GET", "/nowhere", 503, "name resolution failed"),
        ])
        func `what the gateway answers by itself`(method: String, path: String, status: Int, text: String) throws {
            let gateway = try RunningGateway(
                """
                _format_version: "3.0"
                services:
                - {name: empty, host: up, routes: [{paths: [/empty]}]}
                - {name: nowhere, host: nowhere.invalid, routes: [{paths: [/nowhere]}]}
                routes: [{paths: [/orphan]}]
                upstreams: [{name: up}]

                """)
            let answer = try gateway.get(path)
            let id = try #require(answer["X-Kong-Request-Id"])
            #expect(answer.status == status)
            #expect(answer.text == "{\n  \"message\":\"\(text)\",\n  \"request_id\":\"\(id)\"\n}")
            #expect(answer["Content-Type"] == "application/json; charset=utf-8")
            #expect(answer["Server"] == "kong/3.10.0")
            #expect(answer["X-Kong-Response-Latency"] != nil)
            #expect(answer["Via"] == nil)
        }

        @Test(arguments: [
            ("", "application/json", "{\n  \"message\":\"no Route matched with those values\",\n"),
            ("text/html", "text/html", "<h1>Error</h1>\n    <p>no Route matched with those values.</p>"),
            ("text/plain", "text/plain", "no Route matched with those values\nrequest_id: "),
            ("application/xml;q=0.5, text/html;q=0.1", "application/xml", "<message>no Route matched"),
        ])
        func `an error has the type that the client asks for`(accept: String, type: String, part: String) throws {
            let gateway = try RunningGateway()
            let answer = try gateway.get("/", accept.isEmpty ? "" : "Accept: \(accept)\r\n")
            #expect(answer.status == 404)
            #expect(answer["Content-Type"] == "\(type); charset=utf-8")
            #expect(answer.text.contains(part))
        }

        @Test func `TRACE is refused`() throws {
            let gateway = try RunningGateway()
            let answer = try gateway.request("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.status == 405)
            #expect(answer.text.hasPrefix("Method not allowed\nrequest_id: "))
        }

        @Test func `a host name is looked up before the first request is refused over it`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway()
            try gateway.admin("POST", "/services", #"{"name":"l","url":"http://localhost:\#(upstream.port)"}"#)
            try gateway.admin("POST", "/services/l/routes", #"{"paths":["/"]}"#)
            #expect(try gateway.get("/").status == 200)
        }
    }
}
