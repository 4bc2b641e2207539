// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Testing

extension LoopbackTests {
    /// The article that this program exists for, with its own commands.
    @Suite struct WalkThroughTests {
        /// The `curl` commands of the article's code blocks, word for word.
        static let commands: [String] = {
            guard
                let url = Bundle.module.url(forResource: "article-commands", withExtension: "md", subdirectory: "Data"),
                let text = try? String(contentsOf: url, encoding: .utf8)
            else { return [] }
            return text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }
                .map { $0.element.drop { $0 != "\n" }.description }.filter { $0.contains("curl ") }
        }()

        static let hasCurl = ["/usr/bin/curl", "/bin/curl", "/usr/local/bin/curl"].contains {
            FileManager.default.isExecutableFile(atPath: $0)
        }

        @Test(.enabled(if: hasCurl, "curl is not installed"), .timeLimit(.minutes(1)))
        func `the commands of the article do what it says`() throws {
            let mock = try ReadyChild.mock()
            let gateway = try ReadyChild.gateway(["--resolve", "mock-api:5000=127.0.0.1:\(mock.port("address"))"])
            try #require(Self.commands.count == 3)
            for (command, status) in zip(Self.commands, [201, 201, 200]) {
                let moved = command.replacing("localhost:8001", with: "localhost:\(gateway.port("admin"))")
                // Nobody reads the progress that curl shows.
                let curl = try Child(["-c", "exec 2>/dev/null\n" + moved], program: "/bin/sh")
                let answer = try curl.output.everything()
                #expect(curl.wait() == .exited(0))
                #expect(answer.contains("HTTP/1.1 \(status) "), "\(moved)\n\(answer)")
            }
            let client = try gateway.connect("proxy")
            let hello = try client.exchange(Self.hello)
            #expect(hello.status == 200)
            #expect(hello.text == "{\"message\":\"Hello from Mock API\"}\n")
            try raiseErrorRate(mock)
            try ejects(client)
            #expect(try health(gateway) == "UNHEALTHY")
            #expect(eventually(within: 18_000) { (try? health(gateway)) == "HEALTHY" })
            let (down, up) = try transitions(gateway)
            let recovery = Double(up - down) / 1e9
            print("recovery after \(recovery) s; peak memory \(gateway.child.memory("VmHWM")) kB")
            #expect(recovery >= 10 && recovery <= 15.3)
            #expect(gateway.child.memory("VmHWM") < Self.mostMemory || !Child.memoryIsItsOwn)
        }

        /// KiB. A debug build has 18 MB of code in memory, of 31 MB that are mapped.
        #if DEBUG
        static let mostMemory = 46 << 10
        #else
        static let mostMemory = 40 << 10
        #endif

        static let hello = "GET /hello HTTP/1.1\r\nHost: localhost:8000\r\nAccept: */*\r\n\r\n"

        private func raiseErrorRate(_ mock: ReadyChild) throws {
            let body = #"{"ERROR_RATE":0.9}"#
            let answer = try mock.connect("address").exchange(
                "PATCH /_mock/settings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(answer.status == 200)
        }

        /// Three failures in a row, then Kong's 503 and nothing else.
        private func ejects(_ client: RawSocket) throws {
            var statuses: [Int] = []
            var answer = try client.exchange(Self.hello)
            while answer.status != 503, statuses.count < 300 {
                statuses.append(answer.status)
                answer = try client.exchange(Self.hello)
            }
            #expect(statuses.suffix(3) == [500, 500, 500])
            #expect(!statuses.dropLast(3).map(String.init).joined(separator: " ").contains("500 500 500"))
            #expect(answer.text.contains(#""message":"failure to get a peer from the ring-balancer""#))
            #expect(try client.exchange(Self.hello).status == 503)
        }

        private func admin(_ gateway: ReadyChild, _ path: String) throws -> JSONValue {
            let answer = try gateway.connect("admin").exchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            return try JSONValue(parsing: answer.body)
        }

        private func health(_ gateway: ReadyChild) throws -> String? {
            try admin(gateway, "/services/mock-api/health")["data"]?.arrayValue?.first?["health"]?.stringValue
        }

        /// When the target left and when it came back, in nanoseconds.
        private func transitions(_ gateway: ReadyChild) throws -> (down: Int, up: Int) {
            let socket = try gateway.connect("admin")
            try socket.send("GET /events?since=1 HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try socket.messageHead()
            _ = socket.ends(within: 200)
            let events = try socket.received.split(separator: "\r\n").filter { $0.hasPrefix("{") }
                .map { try JSONValue(parsing: Array($0.utf8)) }.filter { $0["kind"] == "health" }
            let down = try #require(events.first { $0["to"] == "unhealthy" }?["t"]?.intValue)
            let up = try #require(events.last { $0["to"] == "healthy" && $0["from"] != "healthy" }?["t"]?.intValue)
            return (down, up)
        }
    }
}
