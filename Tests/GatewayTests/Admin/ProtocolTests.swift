// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import Testing

/// How the Admin API speaks HTTP: bodies, types, methods, headers.
@Suite struct ProtocolTests {
    @Test func `every answer has Kong's headers`() throws {
        let admin = try AdminHarness()
        let answer = admin.send("GET", "/services")
        #expect(
            answer.headers.map { "\($0.name): \($0.value)" } == [
                "Content-Type: application/json; charset=utf-8", "Server: kong/3.10.0", "X-Kong-Admin-Latency: 0",
                "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true",
            ])
        let other = admin.send("GET", "/none", headers: [("origin", "http://a")])
        #expect(other.header("Access-Control-Allow-Origin") == "http://a")
        #expect((other.status, other.json) == (404, ["message": "Not found"]))
    }

    @Test(arguments: [
        ("/services", "GET, HEAD, OPTIONS, POST"),
        ("/services/x", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/upstreams/u/targets/t/healthy", "OPTIONS, PUT"),
    ]) func `OPTIONS tells the methods`(path: String, methods: String) throws {
        let answer = try AdminHarness().send("OPTIONS", path)
        #expect(answer.status == 204)
        #expect(answer.header("Allow") == methods)
        #expect(answer.header("Access-Control-Allow-Methods") == methods)
        #expect(answer.header("Access-Control-Allow-Headers") == "Content-Type")
    }

    @Test(arguments: [
        ("PUT", "/services"), ("POST", "/services/x"), ("POST", "/status"), ("BREW", "/"), ("DELETE", "/upstreams"),
    ]) func `other methods are not allowed`(method: String, path: String) throws {
        let answer = try AdminHarness().send(method, path)
        #expect((answer.status, answer.json) == (405, ["message": "Method not allowed"]))
    }

    @Test(arguments: ["/none", "/targets", "/services/a/b", "/upstreams/u/targets/t/x", "/consumers", "//services"])
    func `other paths are not found`(path: String) throws {
        #expect(try AdminHarness().send("GET", path).status == 404)
    }

    @Test(
        arguments: [
            // Content type, body, status, message
            ("application/json", "{", 400, "Cannot parse JSON body"),
            ("application/json", "", 400, "Cannot parse JSON body"),
            ("application/json", "[1]", 400, "Cannot parse JSON body"), ("text/plain", "x=1", 415, ""),
            ("Application/Json", "{}", 415, ""), (nil, "x", 415, ""),
            ("application/json; charset=utf-8", #"{"host":"h"}"#, 201, ""),
        ] as [(String?, String, Int, String)])
    func `bodies are what their type says`(type: String?, body: String, status: Int, message: String) throws {
        let answer = try AdminHarness().send("POST", "/services", type: type, body: body)
        #expect((answer.status, answer.message) == (status, message))
        if status == 415 { #expect(answer.body == .empty) }
    }

    @Test func `a configuration that is not UTF-8 is refused, not repaired`() throws {
        let admin = try AdminHarness(file: "_format_version: \"3.0\"")
        let body = Array(#"{"_format_version":"3.0","services":[{"host":"h","name":"x"}]}"#.utf8)
        let name = try #require(body.lastIndex(of: UInt8(ascii: "x")))
        for (byte, expected) in [(UInt8(ascii: "y"), 201), (0xFF, 400)] {
            var bytes = body
            bytes[name] = byte
            var status: Int?
            admin.api.respond(
                to: AdminRequest(
                    method: "POST", path: "/config", headers: [("Content-Type", "application/json")], body: bytes)
            ) { status = $0.status }
            #expect(status == expected)
        }
    }

    @Test func `two content types are refused, none is fine without a body`() throws {
        let admin = try AdminHarness()
        let answer = admin.send(
            "POST", "/services", type: "application/json", headers: [("Content-Type", "text/plain")])
        #expect((answer.status, answer.message) == (400, "Multiple Content-Type headers not allowed"))
        #expect(admin.send("POST", "/services").json?["fields"] == ["host": "required field missing"])
    }

    @Test(arguments: [
        ("paths[]=/x&paths[]=/y", #"{"paths":["/x","/y"]}"#), ("paths[1]=/x&paths[2]=/y", #"{"paths":["/x","/y"]}"#),
        ("paths[2]=/y&paths[1]=/x", #"{"paths":["/x","/y"]}"#), ("paths=/x&paths=/y", #"{"paths":["/x","/y"]}"#),
        ("paths=/x", #"{"paths":["/x"]}"#), ("paths%5B%5D=%2Fx", #"{"paths":["/x"]}"#),
        ("hosts=a&headers[x]=y&headers[z]=1", #"{"hosts":["a"],"headers":{"x":["y"],"z":["1"]}}"#),
        ("hosts=a&headers.x=y&headers.x=z", #"{"hosts":["a"],"headers":{"x":["y","z"]}}"#),
        ("hosts=a&strip_path=false&regex_priority=0x10", #"{"hosts":["a"],"strip_path":false,"regex_priority":16}"#),
        ("hosts=a&name=", #"{"hosts":["a"],"name":null}"#), ("hosts=a&name=1", #"{"hosts":["a"],"name":"1"}"#),
        ("hosts=a&methods=GET&methods=GET", #"{"hosts":["a"],"methods":["GET"]}"#),
    ]) func `forms mean what JSON says`(form: String, json: String) throws {
        var (one, other) = (
            try AdminHarness().form("POST", "/routes", form).json ?? .null,
            try AdminHarness().json("POST", "/routes", json).json ?? .null
        )
        #expect(one["id"] != nil)
        one["id"] = nil
        other["id"] = nil
        #expect(one == other)
    }

    @Test func `multipart forms are forms`() throws {
        let body = """
            --xyz\r\nContent-Disposition: form-data; name="name"\r\n\r\nr\r\n\
            --xyz\r\nContent-Disposition: form-data; name="paths[]"\r\n\r\n/a\r\n\
            --xyz\r\nContent-Disposition: form-data; name="paths[]"; filename="b"\r\n\
            Content-Type: text/plain\r\n\r\n/b\r\n\
            --xyz--\r\n
            """
        let answer = try AdminHarness().send(
            "POST", "/routes", type: "multipart/form-data; boundary=xyz", body: body)
        #expect(answer.status == 201)
        #expect(answer.json?["paths"] == ["/a", "/b"])
        #expect(answer.json?["name"] == "r")
    }

    @Test(arguments: [
        "%", "%zz=1", "a[=1", "a]=1", "[]=1", "a[][]=1", ".=1", "a..b=1", "=1", "&&", "a[99999999999999999999]=1",
        "a" + String(repeating: ".a", count: 100_000) + "=1",
    ]) func `odd forms are refused, not fatal`(form: String) throws {
        #expect(try AdminHarness().form("POST", "/services", form).status == 400)
    }

    @Test func `events are a stream`() throws {
        let answer = try AdminHarness().send("GET", "/events")
        #expect(answer.body == .events)
        #expect(answer.header("Content-Type") == "application/x-ndjson; charset=utf-8")
    }

    @Test func `the gateway tells about itself`() throws {
        let admin = try AdminHarness()
        #expect(admin.get("/")["tagline"] == "Welcome to kong")
        #expect(admin.get("/")["version"] == "3.10.0")
        let status = admin.get("/status")
        #expect(status["server"]?["total_requests"] == 7)
        #expect(status["database"]?["reachable"] == true)
        #expect(admin.send("GET", "/status?unit=V").message == "invalid unit 'V' (expected 'k/K', 'm/M', or 'g/G')")
    }
}
