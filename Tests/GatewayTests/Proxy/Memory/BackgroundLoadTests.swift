// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import GatewayHarness
import NIOCore
import Testing

@testable import Gateway

/// What `POST /config` brings is read and compiled in the background when it is large.
@Suite struct BackgroundLoadTests {
    /// - Parameter padding: characters that say nothing.
    private static func config(_ path: String, padding: Int = 20_000) -> String {
        "{\"_comment\": \"\(comment(padding))\", \"_format_version\": \"3.0\","
            + "\"services\": [{\"name\": \"s\", \"url\": \"http://127.0.0.1:9000\","
            + " \"routes\": [{\"name\": \"r\", \"paths\": [\"\(path)\"]}]}]}"
    }

    private static func comment(_ length: Int = 20_000) -> String { String(repeating: "x", count: length) }

    private static func post(_ body: String, _ target: String = "/config") -> String {
        "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private let background = HeldBackground()
    private let gateway: MemoryGateway

    init() throws {
        gateway = try MemoryGateway(
            Self.config("/old"), background: background,
            connector: .init { _ in
                .accepted { peer in
                    peer.onReceive = { peer in
                        _ = peer.takeText()
                        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    }
                }
            })
    }

    private func status(_ path: String) throws -> String {
        let client = try gateway.connect()
        client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        gateway.run()
        return String(client.takeText().dropFirst(9).prefix(3))
    }

    @Test func `the gateway serves while a configuration is read, and then the new one`() throws {
        let (admin, other) = (try gateway.connectToAdmin(), try gateway.connectToAdmin())
        admin.send(Self.post(Self.config("/new")))
        gateway.run()
        #expect(admin.text == "")
        #expect(background.count == 1)
        other.send("GET /status HTTP/1.1\r\nHost: a\r\n\r\n")
        gateway.run()
        #expect(other.text.hasPrefix("HTTP/1.1 200 "))
        #expect(try status("/old") == "200")
        #expect(try status("/new") == "404")
        background.release()
        gateway.run()
        #expect(admin.text.hasPrefix("HTTP/1.1 201 "))
        #expect(try status("/old") == "404")
        #expect(try status("/new") == "200")
    }

    @Test func `a client that is gone gets no answer, but its configuration is applied`() throws {
        let admin = try gateway.connectToAdmin()
        admin.send(Self.post(Self.config("/new")))
        gateway.run()
        admin.reset()
        gateway.run()
        background.release()
        gateway.run()
        #expect(try status("/new") == "200")
    }

    @Test func `two loads are applied in their order, each after the other`() throws {
        let (one, two) = (try gateway.connectToAdmin(), try gateway.connectToAdmin())
        one.send(Self.post(Self.config("/one")))
        gateway.run()
        two.send(Self.post(Self.config("/two")))
        gateway.run()
        background.release()
        gateway.run()
        #expect(one.text.hasPrefix("HTTP/1.1 201 ") && two.text.hasPrefix("HTTP/1.1 201 "))
        #expect(try status("/one") == "404")
        #expect(try status("/two") == "200")
        // The hash is that of what is in force when it is asked for.
        let same = try gateway.connectToAdmin()
        same.send(Self.post(Self.config("/two"), "/config?check_hash=1"))
        gateway.run()
        background.release()
        gateway.run()
        #expect(same.text.hasPrefix("HTTP/1.1 304 "))
    }

    @Test func `a bad configuration is refused and changes nothing`() throws {
        let admin = try gateway.connectToAdmin()
        admin.send(Self.post("{\"_comment\": \"\(Self.comment())\", \"services\": 1}"))
        gateway.run()
        background.release()
        gateway.run()
        #expect(admin.text.hasPrefix("HTTP/1.1 400 "))
        #expect(try status("/old") == "200")
    }

    @Test func `a configuration that is read when the gateway stops does not start its probes again`() throws {
        let probed = """
            {"_comment": "\(Self.comment())", "_format_version": "3.0",
             "services": [{"name": "s", "host": "up", "routes": [{"paths": ["/"]}]}],
             "upstreams": [{"name": "up", "targets": [{"target": "127.0.0.1:9000"}],
                            "healthchecks": {"active": {"healthy": {"interval": 1}}}}]}
            """
        let admin = try gateway.connectToAdmin()
        admin.send(Self.post(probed))
        gateway.run()
        _ = gateway.stop()
        background.release()
        gateway.advance(.seconds(5))
        #expect(gateway.upstreams.isEmpty)
    }

    @Test func `a small one is applied at once, but never before a large one that came first`() throws {
        let (one, two, three) = (
            try gateway.connectToAdmin(), try gateway.connectToAdmin(), try gateway.connectToAdmin()
        )
        one.send(Self.post(Self.config("/one", padding: 0)))
        gateway.run()
        #expect(background.count == 0)
        #expect(one.text.hasPrefix("HTTP/1.1 201 "))
        #expect(try status("/one") == "200")
        two.send(Self.post(Self.config("/two")))
        gateway.run()
        three.send(Self.post(Self.config("/three", padding: 0)))
        gateway.run()
        #expect(three.text == "")
        background.release()
        gateway.run()
        #expect(three.text.hasPrefix("HTTP/1.1 201 "))
        #expect(try status("/three") == "200")
    }
}
