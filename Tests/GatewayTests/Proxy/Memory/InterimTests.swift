// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import GatewayHarness
import NIOCore
import Testing

/// What comes before, beside and instead of a final response.
@Suite struct InterimTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let upload = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"

    @Test func `103 passes with its fields, 100 does not`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        gateway.send(Self.get, from: client)
        gateway.answer(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-y\r\nX-Y: 1\r\n\r\n")
        #expect(client.takeText() == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        gateway.answer(ScriptedUpstream.ok)
        #expect(client.statuses == [200])
        #expect(client.text.hasSuffix("ok"))
    }

    @Test func `HTTP/1.0 knows no interim responses`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        gateway.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n", from: client)
        gateway.answer("HTTP/1.1 103 Early Hints\r\n\r\n" + ScriptedUpstream.ok)
        #expect(client.statuses == [200])
    }

    @Test func `interim responses without end are a 502`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        gateway.send(Self.get, from: client)
        gateway.answer(String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 1000))
        #expect(client.statuses == Array(repeating: 102, count: 16) + [502])
        #expect(gateway.upstream.isClosed)
    }

    @Test func `who expects 100 is told to continue, and the upstream sees nothing of it`() throws {
        for config in [memoryYAML(), unbufferedYAML] {
            let gateway = try MemoryGateway(config) { _ in }
            let client = try gateway.connect()
            gateway.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", from: client)
            #expect(client.takeText() == "HTTP/1.1 100 Continue\r\n\r\n")
            gateway.send("hello", from: client)
            #expect(!gateway.upstream.text.contains("Expect"))
            #expect(gateway.upstream.text.hasSuffix("hello"))
            gateway.answer(ScriptedUpstream.ok)
            #expect(client.statuses == [200])
        }
    }

    @Test func `who expects 100 and has no route is told so instead`() throws {
        let gateway = try MemoryGateway(serviceYAML(port: 9000, routes: "{paths: [/only]}")) { _ in }
        let client = try gateway.connect()
        gateway.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", from: client)
        #expect(client.statuses == [404])
        #expect(client.lines.contains("Connection: close"))
    }

    @Test func `an answer during the upload reaches the client, and the connections are not used again`() throws {
        let gateway = try MemoryGateway(unbufferedYAML) { _ in }
        let client = try gateway.connect()
        gateway.send(Self.upload + "some", from: client)
        gateway.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        #expect(client.statuses == [413])
        #expect(client.text.hasSuffix("no"))
        #expect(gateway.upstream.isClosed)
        gateway.advance(.seconds(3))
        #expect(client.isClosed)
    }

    @Test(arguments: [
        "before the answer", "during the answer", "during the upload", "in the middle of a buffered body",
    ])
    func `a client that goes away takes its request along`(moment: String) throws {
        let isUpload = moment == "during the upload"
        let isBuffered = moment.contains("buffered")
        let gateway = try MemoryGateway(isUpload ? unbufferedYAML : memoryYAML()) { _ in }
        for isReset in [false, true] {
            let client = try gateway.connect()
            gateway.send(isUpload || isBuffered ? Self.upload + "some" : Self.get, from: client)
            if isBuffered { #expect(gateway.upstreams.isEmpty) }
            if moment == "during the answer" {
                gateway.upstreams.last?.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
                gateway.run()
                #expect(client.text.hasSuffix("he"))
            }
            if isReset { client.reset() } else { client.finish() }
            gateway.run()
            #expect(client.isClosed)
            #expect(gateway.upstreams.allSatisfy { $0.isClosed })
            #expect(gateway.upstreams.count == (isBuffered ? 0 : isReset ? 2 : 1))
        }
    }

    @Test func `an upstream that breaks off in a body breaks the client's off too`() throws {
        for framing in ["Content-Length: 10\r\n\r\nhe", "Transfer-Encoding: chunked\r\n\r\n5\r\nhe"] {
            let gateway = try MemoryGateway { _ in }
            let client = try gateway.connect()
            gateway.send(Self.get, from: client)
            gateway.answer("HTTP/1.1 200 OK\r\n\(framing)")
            gateway.upstream.finish()
            gateway.run()
            #expect(client.statuses == [200])
            #expect(client.isClosed)
            #expect(!client.text.hasSuffix("0\r\n\r\n"))
        }
    }
}
