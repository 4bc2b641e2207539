// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

@Suite struct ServerConnectionTests {
    @Test func `a request is answered and the connection kept`() throws {
        let server = try ServerHarness()
        server.receive("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(
            server.takeOutput() == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
        server.receive("GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.statuses == [200])
        #expect(server.recorder.requests.map(\.start) == ["GET /hello", "GET /again"])
        #expect(!server.hasEnded)
    }
}
