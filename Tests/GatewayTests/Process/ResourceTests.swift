// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension LoopbackTests {
    /// What a gateway takes of the machine: a process of its own, so that nothing else is measured.
    @Suite struct ResourceTests {
        @Test func `a large upload takes no memory`() throws {
            let total = 256 << 20
            let upstream = try ScriptedUpstream { connection in
                guard try connection.socket.messageHead() != nil else { return }
                #expect(try connection.socket.drop(total) == total)
                try connection.socket.send(ScriptedUpstream.ok)
            }
            let config = try TemporaryFile("kong.yml", serviceYAML(port: upstream.port))
            let gateway = try ReadyChild.gateway(["--config", config.path])
            let before = gateway.child.memory("VmHWM")
            let client = try gateway.connect("proxy")
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(total)\r\n\r\n")
            let part = [UInt8](repeating: 0x61, count: 1 << 20)
            for _ in 0..<256 { try client.send(part) }
            #expect(try client.message()?.status == 200)
            let grown = gateway.child.memory("VmHWM") - before
            print("256 MiB through the gateway: peak memory \(before) kB, then \(grown) kB more")
            #expect(grown < 16 << 10)
        }

        @Test(.enabled(if: descriptors(atLeast: 11_000), "the system allows too few open files"))
        func `10,000 idle connections come and go without a trace`() throws {
            let gateway = try ReadyChild.gateway()
            #expect(try gateway.connect("proxy").exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 404)
            func active() throws -> Int {
                let answer = try gateway.connect("admin").exchange("GET /status HTTP/1.1\r\nHost: a\r\n\r\n")
                return Int(answer.text.firstMatch(of: /"connections_active":(\d+)/)?.1 ?? "") ?? -1
            }
            #expect(try eventually { try active() == 0 })
            let before = gateway.child.descriptorCount
            var clients: [RawSocket] = []
            for _ in 0..<10_000 { clients.append(try gateway.connect("proxy")) }
            #expect(try eventually { try active() == 10_000 })
            let memory = gateway.child.memory("VmRSS")
            print("10,000 idle connections: \(memory) kB")
            for client in [clients[0], clients[9_999]] {
                #expect(try client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 404)
            }
            for client in clients { client.close() }
            #expect(try eventually { try active() == 0 })
            #expect(eventually { gateway.child.descriptorCount <= before })
        }
    }
}

/// Raises the limit of open files as far as the system lets it; whether that is enough.
private func descriptors(atLeast count: UInt) -> Bool {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, rlim_t(count)))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit.rlim_cur >= count
}
