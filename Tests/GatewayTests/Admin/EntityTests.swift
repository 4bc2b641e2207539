// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Testing

@Suite struct EntityTests {
    @Test func `a new service is answered with every field`() throws {
        let admin = try AdminHarness()
        let answer = admin.form("POST", "/services", "name=orders&url=https://api.example.com/v1")
        #expect(answer.status == 201)
        var row = try #require(answer.json)
        #expect(row["id"]?.stringValue?.count == 36)
        row["id"] = nil
        let expected = parsedJSON(
            """
            {"created_at":1700000000,"updated_at":1700000000,"name":"orders","retries":5,"protocol":"https",
            "host":"api.example.com","port":443,"path":"/v1","connect_timeout":60000,"write_timeout":60000,
            "read_timeout":60000,"tags":null,"client_certificate":null,"tls_verify":null,"tls_verify_depth":null,
            "ca_certificates":null,"enabled":true}
            """)
        #expect(inKeyOrder(row) == inKeyOrder(expected))
    }

    @Test func `a new route is answered with every field`() throws {
        let admin = try AdminHarness()
        admin.form("POST", "/services", "name=s&host=h")
        var row = try #require(admin.form("POST", "/services/s/routes", "paths[]=/a&name=r").json)
        let service = admin.get("/services/s")["id"] ?? .null
        row["id"] = nil
        let expected = parsedJSON(
            """
            {"created_at":1700000000,"updated_at":1700000000,"name":"r","protocols":["http","https"],"methods":null,
            "hosts":null,"paths":["/a"],"headers":null,"https_redirect_status_code":426,"regex_priority":0,
            "strip_path":true,"path_handling":"v0","preserve_host":false,"request_buffering":true,
            "response_buffering":true,"snis":null,"sources":null,"destinations":null,"tags":null,
            "service":{"id":\(service)}}
            """)
        #expect(inKeyOrder(row) == inKeyOrder(expected))
    }

    @Test func `a new upstream is answered with the full healthchecks record`() throws {
        let admin = try AdminHarness()
        let row = try #require(admin.form("POST", "/upstreams", "name=u&healthchecks.active.timeout=0.5").json)
        let expected = parsedJSON(
            """
            {"threshold":0,"active":{"type":"http","timeout":0.5,"concurrency":10,"http_path":"/","https_sni":null,
            "https_verify_certificate":true,"headers":null,
            "healthy":{"interval":0,"http_statuses":[200,302],"successes":0},
            "unhealthy":{"interval":0,"http_statuses":[429,404,500,501,502,503,504,505],"tcp_failures":0,"timeouts":0,
            "http_failures":0}},
            "passive":{"type":"http","healthy":{"http_statuses":[200,201,202,203,204,205,206,207,208,226,300,301,302,
            303,304,305,306,307,308],"successes":0},
            "unhealthy":{"http_statuses":[429,500,503],"tcp_failures":0,"timeouts":0,"http_failures":0}}}
            """)
        #expect(inKeyOrder(row["healthchecks"]) == inKeyOrder(expected))
        #expect(row["slots"] == 10000)
        #expect(row["hash_on_cookie_path"] == "/")
        #expect(admin.configuration.upstreams.first?.healthchecks.active.timeout == .milliseconds(500))
    }

    @Test(arguments: [
        ("api", "api:8000"), ("api:80", "api:80"), ("1.2.3.4", "1.2.3.4:8000"), ("001.2.3.4:5", "1.2.3.4:5"),
        ("::1", "[0000:0000:0000:0000:0000:0000:0000:0001]:8000"),
        ("[::1]:80", "[0000:0000:0000:0000:0000:0000:0000:0001]:80"),
        ("[2001:DB8::a:b]", "[2001:0db8:0000:0000:0000:0000:000a:000b]:8000"),
    ]) func `targets are stored with their port`(given: String, stored: String) throws {
        let admin = try AdminHarness()
        admin.form("POST", "/upstreams", "name=u")
        let answer = admin.json("POST", "/upstreams/u/targets", #"{"target":"\#(given)"}"#)
        #expect(answer.status == 201)
        #expect(answer.json?["target"] == .string(stored))
        #expect(answer.json?["weight"] == 100)
        #expect(answer.json?["created_at"] == 1_700_000_000.25)
        #expect(admin.configuration.targets.first?.target == stored)
    }

    @Test func `a name is taken once`() throws {
        let admin = try AdminHarness()
        admin.form("POST", "/services", "name=x&host=h")
        let answer = admin.form("POST", "/services", "name=x&host=h")
        #expect(answer.status == 409)
        let expected = parsedJSON(
            #"""
            {"code":5,"name":"unique constraint violation","message":"UNIQUE violation detected on '{name=\"x\"}'",
            "fields":{"name":"x"}}
            """#)
        #expect(inKeyOrder(answer.json) == inKeyOrder(expected))
        admin.form("POST", "/services", "name=y&host=h")
        #expect(admin.form("PATCH", "/services/y", "name=x").status == 409)
        #expect(admin.form("PATCH", "/services/y", "name=y").status == 200)
    }

    @Test func `a target is taken once an upstream`() throws {
        let admin = try AdminHarness()
        for name in ["u", "v"] {
            admin.form("POST", "/upstreams", "name=\(name)")
            #expect(admin.form("POST", "/upstreams/\(name)/targets", "target=a").status == 201)
        }
        let answer = admin.form("POST", "/upstreams/u/targets", "target=a:8000")
        #expect(answer.status == 409)
        #expect(answer.json?["code"] == 5)
        #expect(answer.json?["fields"]?["target"] == "a:8000")
    }

    @Test func `references must lead somewhere`() throws {
        let admin = try AdminHarness()
        let id = "11111111-2222-4333-8444-555555555555"
        let answer = admin.json("POST", "/routes", #"{"paths":["/"],"service":{"id":"\#(id)"}}"#)
        let expected = parsedJSON(
            #"""
            {"code":4,"name":"foreign key violation","message":"the foreign key '{id=\"\#(id)\"}' does not reference
             an existing 'services' entity.","fields":{"service":{"id":"\#(id)"}}}
            """#.replacing("\n an", with: " an"))
        #expect(inKeyOrder(answer.json) == inKeyOrder(expected))
        #expect(answer.status == 400)
        let named = admin.form("POST", "/routes", "paths[]=/&service.name=none")
        #expect((named.status, named.json?["code"]) == (400, 13))
        admin.form("POST", "/services", "name=s&host=h")
        #expect(admin.form("POST", "/routes", "paths[]=/&service.name=s").status == 201)
        #expect(admin.configuration.routes.first?.serviceID == admin.configuration.services.first?.id)
    }

    @Test func `a service with routes cannot be deleted, an upstream takes its targets along`() throws {
        let admin = try AdminHarness()
        admin.form("POST", "/services", "name=s&host=h")
        admin.form("POST", "/services/s/routes", "paths[]=/&name=r")
        let answer = admin.send("DELETE", "/services/s")
        let expected = parsedJSON(
            """
            {"code":4,"name":"foreign key violation","message":"an existing 'routes' entity references this 'services'
             entity","fields":{"@referenced_by":"routes"}}
            """.replacing("\n entity", with: " entity"))
        #expect((answer.status, inKeyOrder(answer.json)) == (400, inKeyOrder(expected)))
        #expect(admin.send("DELETE", "/routes/r").status == 204)
        #expect(admin.send("DELETE", "/services/s").status == 204)
        #expect(admin.send("DELETE", "/services/s").status == 204)
        admin.form("POST", "/upstreams", "name=u")
        admin.form("POST", "/upstreams/u/targets", "target=a")
        #expect(admin.send("DELETE", "/upstreams/u").status == 204)
        #expect(admin.configuration == .empty)
    }

    @Test func `PUT makes or replaces, PATCH changes`() throws {
        let admin = try AdminHarness()
        let made = admin.form("PUT", "/services/s", "host=h&retries=2&tags[]=a")
        #expect((made.status, made.json?["name"]) == (200, "s"))
        let changed = admin.json("PATCH", "/services/s", #"{"port":81,"tags":null}"#)
        #expect(changed.json?["retries"] == 2)
        #expect(changed.json?["port"] == 81)
        #expect(changed.json?["tags"] == .null)
        let replaced = admin.form("PUT", "/services/s", "host=g")
        #expect(replaced.json?["id"] == made.json?["id"])
        #expect(replaced.json?["retries"] == 5)
        #expect(replaced.json?["port"] == 80)
        let id = "11111111-2222-4333-8444-555555555555"
        #expect(admin.form("PUT", "/upstreams/\(id)", "name=u").json?["id"] == .string(id))
        #expect(admin.form("PATCH", "/services/none", "port=1").json == ["message": "Not found"])
    }

    @Test func `PATCH merges records and replaces lists and maps`() throws {
        let admin = try AdminHarness()
        admin.form(
            "POST", "/upstreams", "name=u&healthchecks.active.headers.a=1&healthchecks.active.healthy.successes=2")
        let row = try #require(
            admin.form(
                "PATCH", "/upstreams/u",
                "healthchecks.active.headers.b=2&healthchecks.active.unhealthy.http_statuses=500"
            ).json?["healthchecks"])
        #expect(row["active"]?["headers"] == ["b": ["2"]])
        #expect(row["active"]?["healthy"]?["successes"] == 2)
        #expect(row["active"]?["unhealthy"]?["http_statuses"] == [500])
        #expect(row["active"]?["healthy"]?["http_statuses"] == [200, 302])
    }

    @Test(arguments: [
        ("hash_on=ip", "consistent-hashing", "ip"), ("hash_on=none", "round-robin", "none"),
        ("algorithm=least-connections&hash_on=ip", "least-connections", "none"),
        ("algorithm=latency", "latency", "none"),
        ("hash_on=none&algorithm=consistent-hashing", "round-robin", "none"),
    ]) func `hash_on and algorithm change each other`(form: String, algorithm: String, hashOn: String) throws {
        let admin = try AdminHarness()
        let row = admin.form("POST", "/upstreams", "name=u&\(form)").json
        #expect(row?["algorithm"] == .string(algorithm))
        #expect(row?["hash_on"] == .string(hashOn))
    }

    @Test func `nested routes belong to their service`() throws {
        let admin = try AdminHarness()
        admin.form("POST", "/services", "name=s&host=h")
        admin.form("POST", "/services", "name=t&host=h")
        admin.form("POST", "/services/s/routes", "paths[]=/&name=r")
        #expect(admin.send("GET", "/services/s/routes/r").status == 200)
        #expect(admin.send("GET", "/services/t/routes/r").status == 404)
        #expect(admin.send("DELETE", "/services/t/routes/r").status == 404)
        #expect(admin.get("/services/t/routes") == ["data": [], "next": .null])
        #expect(admin.get("/routes/r/service")["name"] == "s")
        #expect(admin.form("PATCH", "/routes/r/service", "port=81").json?["port"] == 81)
        #expect(admin.send("DELETE", "/routes/r/service").status == 405)
        admin.form("POST", "/routes", "paths[]=/x&name=free")
        #expect(admin.send("GET", "/routes/free/service").status == 404)
        #expect(admin.form("PUT", "/routes/free/service", "name=made&host=h").status == 200)
        #expect(admin.get("/routes/free/service")["name"] == "made")
    }

    @Test func `targets are updated and deleted by id or address`() throws {
        let admin = try AdminHarness()
        admin.form("POST", "/upstreams", "name=u")
        let id = try #require(admin.form("POST", "/upstreams/u/targets", "target=a:80").json?["id"]?.stringValue)
        #expect(admin.form("PATCH", "/upstreams/u/targets/a:80", "weight=7").json?["weight"] == 7)
        #expect(admin.form("PUT", "/upstreams/u/targets/\(id)", "weight=8").json?["weight"] == 8)
        #expect(admin.form("PUT", "/upstreams/u/targets/b:80", "weight=8").status == 404)
        #expect(admin.send("PATCH", "/upstreams/u/targets").status == 405)
        #expect(admin.send("DELETE", "/upstreams/u/targets/a:80").status == 204)
        #expect(admin.send("DELETE", "/upstreams/u/targets/a:80").status == 404)
    }

    @Test func `names are percent-decoded`() throws {
        let admin = try AdminHarness()
        #expect(admin.form("POST", "/services", "name=caf%C3%A9&host=h").status == 201)
        #expect(admin.get("/services/caf%C3%A9/")["name"] == "café")
    }

    @Test func `nulls take the defaults in the data plane`() throws {
        let admin = try AdminHarness()
        let body = #"{"name":"s","host":"h","retries":null,"read_timeout":null}"#
        #expect(admin.json("POST", "/services", body).json?["retries"] == .null)
        let service = try #require(admin.configuration.services.first)
        #expect((service.retries, service.readTimeout) == (5, .seconds(60)))
    }

    @Test func `a service whose host names an upstream is balanced by it`() throws {
        let admin = try AdminHarness()
        admin.form("POST", "/services", "name=s&host=u")
        #expect(admin.configuration.services.first?.upstreamID == nil)
        let id = admin.form("POST", "/upstreams", "name=u").json?["id"]?.stringValue
        #expect(admin.configuration.services.first?.upstreamID == id)
    }

    @Test func `the same requests give the same configuration and hash`() throws {
        func run() throws -> Configuration {
            let admin = try AdminHarness()
            admin.form("POST", "/services", "name=s&host=u")
            admin.form("POST", "/services/s/routes", "paths[]=/")
            return admin.configuration
        }
        #expect(try run() == run())
        #expect(try run().hash.count == 32)
        #expect(Configuration.empty.hash == String(repeating: "0", count: 32))
    }
}
