// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import Testing

@Suite struct ListTests {
    private func admin(services: Int) throws -> AdminHarness {
        let admin = try AdminHarness()
        for number in 0..<services {
            let tags = "tags[]=all&tags[]=\(number % 2 == 0 ? "even" : "odd")"
            admin.form("POST", "/services", "name=s\(number)&host=h&\(tags)")
        }
        return admin
    }

    @Test func `pages together are the whole list in the order of ids`() throws {
        let admin = try admin(services: 7)
        var path = "/services?size=3"
        var (ids, pages): ([String], [Int]) = ([], [])
        while true {
            let page = admin.get(path)
            let data = page["data"]?.arrayValue ?? []
            ids += data.compactMap { $0["id"]?.stringValue }
            pages.append(data.count)
            guard let next = page["next"]?.stringValue else {
                #expect(page["offset"] == nil)
                break
            }
            #expect(next.hasPrefix("/services?offset="))
            #expect(next.hasSuffix("&size=3"))
            #expect(page["offset"]?.stringValue != nil)
            path = next
        }
        #expect(pages == [3, 3, 1])
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == 7)
    }

    @Test func `an empty list is a list`() throws {
        #expect(try AdminHarness().send("GET", "/services").json?.description == #"{"data":[],"next":null}"#)
    }

    @Test(arguments: [
        ("all,even", 4), ("even/odd", 7), ("even,odd", 0), ("none", 0),
    ]) func `lists are filtered by tags`(tags: String, count: Int) throws {
        #expect(try admin(services: 7).get("/services?tags=\(tags)")["data"]?.arrayValue?.count == count)
    }

    @Test(arguments: [
        ("size=x", 9, "size must be a number"), ("size=0", 9, "size must be an integer between 1 and 1000"),
        ("size=1001", 9, "size must be an integer between 1 and 1000"),
        ("offset=*", 7, "'*' is not a valid offset: bad base64 encoding"),
        ("tags=", 11, "invalid option (tags: cannot be null)"),
        ("tags=a,b/c", 11, "invalid option (tags: invalid filter syntax)"),
        ("tags=a,b,c,d,e,f", 11, "invalid option (tags: cannot query more than 5 tags)"),
    ]) func `bad options are refused`(query: String, code: Int, message: String) throws {
        let answer = try AdminHarness().send("GET", "/services?\(query)")
        #expect(answer.status == 400)
        #expect(answer.json?["code"] == .integer(code))
        #expect(answer.message == message)
    }

    @Test func `targets are listed newest first with numbers as offsets`() throws {
        let admin = try AdminHarness()
        let id = try #require(admin.form("POST", "/upstreams", "name=u").json?["id"]?.stringValue)
        for port in 1...3 { admin.form("POST", "/upstreams/u/targets", "target=a:\(port)") }
        let page = admin.get("/upstreams/u/targets?size=2")
        #expect(page["data"]?.arrayValue?.compactMap { $0["target"]?.stringValue } == ["a:3", "a:2"])
        #expect(page["next"] == .string("/upstreams/\(id)/targets?offset=2"))
        #expect(page["offset"] == "2")
        let rest = admin.get("/upstreams/u/targets?size=2&offset=2")
        #expect(rest["data"]?.arrayValue?.compactMap { $0["target"]?.stringValue } == ["a:1"])
        #expect(rest["next"] == .null)
        #expect(admin.get("/upstreams/u/targets/all")["data"]?.arrayValue?.count == 3)
    }

    @Test func `more than a thousand arguments are too many`() throws {
        let query = (0...1000).map { "a\($0)=1" }.joined(separator: "&")
        let answer = try AdminHarness().send("GET", "/services?\(query)")
        #expect((answer.status, answer.message) == (400, "Too many arguments"))
    }

    @Test func `tags are listed with what has them`() throws {
        let admin = try admin(services: 3)
        #expect(admin.get("/tags")["data"]?.arrayValue?.count == 6)
        let odd = admin.get("/tags/odd")["data"]?.arrayValue ?? []
        #expect(odd.count == 1)
        #expect(odd.first?["entity_name"] == "services")
    }
}
