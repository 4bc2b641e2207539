// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import Testing
import World

@testable import Chaos

/// The links of a running scenario as a client of the API sees them.
@Suite(.timeLimit(.minutes(1))) struct AdoptedLinkTests {
    @Test func `a link shows its faults, takes toxics, and keeps its addresses`() async throws {
        try await withRealWorld { world, loop in
            let (api, link) = try await loop.submit {
                let link = Link(name: "wire", world: world, loop: loop, address: .loopback(port: 0), transport: .http)
                link.setTarget(.loopback(port: 9))
                let api = ToxiproxyAPI(world: world, loop: loop)
                api.adopt(link)
                return (NIOLoopBound(api, eventLoop: loop), NIOLoopBound(link, eventLoop: loop))
            }.get()
            func send(_ method: String, _ path: String, _ body: String = "") async throws -> (Int, JSONValue) {
                let request = ToxiproxyAPI.Request(method: method, path: path, body: Array(body.utf8))
                let answer = try await loop.flatSubmit { api.value.respond(to: request) }.get()
                return (answer.status, (try? JSONValue(parsing: answer.body.utf8)) ?? .null)
            }
            let slow = LatencyToxic(.uniform(middle: .milliseconds(30), jitter: .milliseconds(10)))
            try await loop.flatSubmit {
                link.value.install(InstalledToxic(name: "lag", toxic: .latency(slow), stream: .both))
            }.get()
            let shown = try await send("GET", "/proxies/wire").1
            #expect(shown["upstream"] == "127.0.0.1:9")
            #expect(shown["enabled"] == true)
            #expect(
                shown["toxics"]?.arrayValue == [
                    [
                        "attributes": ["latency": 30, "jitter": 10], "name": "lag", "type": "latency", "stream": "both",
                        "toxicity": 1,
                    ]
                ])
            #expect(try await send("POST", "/proxies/wire/toxics", #"{"type":"status"}"#).0 == 200)
            #expect(try await loop.submit { link.value.toxics.map(\.name) }.get() == ["lag", "status_downstream"])
            #expect(try await send("PATCH", "/proxies/wire", #"{"upstream":"127.0.0.1:10"}"#).0 == 403)
            #expect(try await send("DELETE", "/proxies/wire").0 == 403)
            #expect(try await send("PATCH", "/proxies/wire", #"{"enabled":false}"#).0 == 200)
            #expect(try await loop.submit { link.value.isListening }.get() == false)
            #expect(try await send("POST", "/reset").0 == 204)
            #expect(try await loop.submit { link.value.isListening }.get())
            #expect(try await loop.submit { link.value.toxics.isEmpty }.get())
            try await loop.flatSubmit { link.value.stop() }.get()
        }
    }

    /// Every type with every attribute, as shown and read again.
    @Test(arguments: ToxicType.all.map(\.name))
    func `a toxic that is shown can be asked for again`(name: String) throws {
        let type = try #require(ToxicType.named(name))
        var values = ToxicValues(type.attributes)
        if name.hasSuffix("_header") { values.set("name", "X-A") }
        let toxic = type.make(values)
        let installed = InstalledToxic(name: "x", toxic: toxic)
        let again = try ToxicRequest(ToxicRequest(installed).json) { _ in false }
        // A slicer of size 0 is nothing at all, and a reset at the first byte goes by our own name.
        #expect(again.installed.toxic == toxic)
    }
}
