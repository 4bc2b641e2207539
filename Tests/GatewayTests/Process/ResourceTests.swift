// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension LoopbackTests {
    /// What a gateway takes of the machine: a process of its own, so that nothing else is measured.
    @Suite struct ResourceTests {
        /// `ci/large-body` does the same with 4 GiB and a release build.
        @Test(arguments: [(up: true, buffered: false), (up: true, buffered: true), (up: false, buffered: false)])
        func `a large body takes no memory`(up: Bool, buffered: Bool) throws {
            let part = [UInt8](repeating: 0x61, count: 1 << 20)
            let upstream = try ScriptedUpstream { connection in
                while let head = try connection.socket.messageHead() {
                    let head = RawMessage(head: head, body: [], trailers: [])
                    if let total = head["Content-Length"].flatMap(Int.init) {
                        #expect(try connection.socket.drop(total) == total)
                        try connection.socket.send(ScriptedUpstream.ok)
                    } else if let parts = Int(head.path.dropFirst()) {
                        try connection.socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(parts << 20)\r\n\r\n")
                        for _ in 0..<parts { try connection.socket.send(part) }
                    }
                }
            }
            let route = "{paths: [/], request_buffering: \(buffered)}"
            let config = try TemporaryFile("kong.yml", serviceYAML(port: upstream.port, routes: route))
            let gateway = try ReadyChild.gateway(["--config", config.path])
            func transfer(mebibytes: Int) throws {
                let client = try gateway.connect("proxy")
                let total = mebibytes << 20
                if up {
                    try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(total)\r\n\r\n")
                    for _ in 0..<mebibytes { try client.send(part) }
                    #expect(try client.message()?.status == 200)
                } else {
                    try client.send("GET /\(mebibytes) HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try client.messageHead()?.hasPrefix("HTTP/1.1 200 OK") == true)
                    #expect(try client.drop(total) == total)
                }
            }
            // The first bytes make buffers and pools, which are kept.
            try transfer(mebibytes: 16)
            try gateway.child.forgetPeak()
            let before = gateway.child.memory("VmRSS")
            try transfer(mebibytes: 256)
            let grown = gateway.child.memory("VmHWM") - before
            let way = up ? buffered ? "up, buffered" : "up" : "down"
            print("256 MiB \(way): \(before) kB, then \(grown) kB more")
            // Pages of a debug build on a busy machine; ci/large-body holds a release build to 256.
            #expect(grown <= 1024 || !Child.memoryIsItsOwn)
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
