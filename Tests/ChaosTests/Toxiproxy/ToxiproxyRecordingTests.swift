// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import NIOCore
import Testing
import World

@testable import Chaos

/// Requests and answers that were recorded from Toxiproxy itself, replayed: status, type and body to the byte.
@Suite(.timeLimit(.minutes(1))) struct ToxiproxyRecordingTests {
    private struct Exchange {
        var request: ToxiproxyAPI.Request
        var status: Int
        var type: String?
        var isSniffable: Bool
        var hasID: Bool
        var answer: String

        init(_ json: JSONValue, _ ports: [String: Int]) throws {
            func text(_ key: String) -> String? {
                guard var text = json[key]?.stringValue else { return nil }
                for (name, port) in ports { text = text.replacingOccurrences(of: "{\(name)}", with: "\(port)") }
                return text
            }
            request = ToxiproxyAPI.Request(
                method: try #require(text("method")), path: try #require(text("path")),
                userAgent: text("agent") ?? "test", body: Array((text("body") ?? "").utf8))
            status = try #require(json["status"]?.intValue)
            type = text("type")
            isSniffable = json["nosniff"] == nil
            hasID = json["id"] != nil
            answer = try #require(text("answer"))
        }
    }

    @Test func `every answer is that of Toxiproxy, to the byte`() async throws {
        try await withRealWorld { world, loop in
            let path = Examples.root + "/Tests/ChaosTests/Data/toxiproxy-recording.json"
            let recording = try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: path))).arrayValue ?? []
            #expect(recording.count > 100)
            // Kept for the whole test, so that nobody else gets them; a proxy may listen on them all the same.
            let reserved = try ["A", "B", "C", "UP"].map { ($0, try PortReservation()) }
            let busy = try await world.network.listen(on: .loopback(port: 0), loops: loop, options: ListenOptions()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            var ports = Dictionary(uniqueKeysWithValues: reserved.map { ($0.0, $0.1.port) })
            ports["BUSY"] = busy.localAddress?.port
            let api = try await loop.submit { NIOLoopBound(ToxiproxyAPI(world: world, loop: loop), eventLoop: loop) }
                .get()
            for (number, entry) in recording.enumerated() {
                let exchange = try Exchange(entry, ports)
                let request = exchange.request
                let answer = try await loop.flatSubmit { api.value.respond(to: request) }.get()
                let what =
                    "\(number + 1): \(request.method) \(request.path) \(String(decoding: request.body, as: UTF8.self))"
                #expect(answer.status == exchange.status, "\(what)")
                #expect(answer.contentType == exchange.type, "\(what)")
                #expect(answer.isSniffable == exchange.isSniffable, "\(what)")
                #expect(answer.isRouted == exchange.hasID, "\(what)")
                #expect(answer.body == exchange.answer, "\(what)")
            }
            try await loop.flatSubmit { api.value.stop() }.get()
            try await busy.close().get()
            withExtendedLifetime(reserved) {}
        }
    }

    @Test(arguments: ["/proxies", "/proxies/a%20b", "/proxies/a/toxics", "/proxies/a/toxics/%2F", "/version", "/reset"])
    func `paths are found`(path: String) { #expect(ToxiproxyRoute(path: path) != nil) }

    @Test(arguments: [
        "", "/", "//", "/proxies/", "/proxies//toxics", "/proxies/a/b", "/proxies/a/toxics/b/c", "/Version", "*",
    ])
    func `other paths are not`(path: String) { #expect(ToxiproxyRoute(path: path) == nil) }
}
