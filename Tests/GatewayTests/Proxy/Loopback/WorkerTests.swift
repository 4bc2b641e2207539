// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Gateway
import NIOCore
import Synchronization
import Testing

extension LoopbackTests {
    /// Several event loops: what they share is exact, and nothing is lost between them.
    @Suite struct WorkerTests {
        private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

        /// So many requests at once, each on a connection of its own kept open over all of them.
        ///
        /// - Returns: the statuses.
        private static func together(_ count: Int, threads: Int, _ gateway: RunningGateway) throws -> [Int] {
            let statuses = Mutex<[Int]>([])
            let next = Mutex(0)
            let done = Busy(threads)
            for _ in 0..<threads {
                let client = try gateway.connect()
                Thread.detachNewThread {
                    while next.withLock({
                        $0 += 1; return $0 <= count
                    }) {
                        let status = (try? client.exchange(Self.get).status) ?? 0
                        statuses.withLock { $0.append(status) }
                    }
                    done.leave()
                }
            }
            #expect(eventually(within: 20_000) { done.isDone })
            return statuses.withLock { $0 }
        }

        /// Counts threads that are still busy.
        private final class Busy: Sendable {
            private let busy: Mutex<Int>
            init(_ count: Int) { busy = Mutex(count) }
            func leave() { busy.withLock { $0 -= 1 } }
            var isDone: Bool { busy.withLock { $0 == 0 } }
        }

        private func health(_ gateway: RunningGateway) throws -> String? {
            let answer = try JSONValue(parsing: gateway.admin("GET", "/upstreams/up/health").body)
            return answer["data"]?.arrayValue?.first?["health"]?.stringValue
        }

        @Test func `failures of several workers at once trip the target at exactly the limit`() throws {
            let bad = try ScriptedUpstream { try $0.answerAll("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") }
            let gateway = try RunningGateway(
                upstreamYAML(ports: [bad.port], passive: "unhealthy: {http_failures: 200, http_statuses: [500]}"),
                workers: 2)
            let statuses = try Self.together(199, threads: 16, gateway)
            #expect(statuses == Array(repeating: 500, count: 199))
            #expect(try gateway.events("attempt").count == 199)
            #expect(try health(gateway) == "HEALTHY")
            #expect(try gateway.get("/").status == 500)
            #expect(try health(gateway) == "UNHEALTHY")
            #expect(try gateway.get("/").status == 503)
            // An event tells of each count; those that change the state are few.
            let trips = try gateway.events("health").filter { $0["from"] != $0["to"] && $0["to"] == "unhealthy" }
            #expect(trips.count == 1)
            #expect(trips.first?["counters"]?["http"]?.intValue == 200)
            #expect(try gateway.serverStatus()["total_requests"]?.intValue == 201)
        }

        private static let tripsAtOnce = "unhealthy: {http_failures: 1, tcp_failures: 1, http_statuses: [500, 502]}"

        /// What a target does, and what its client gets when no other target is there.
        enum Failing: String, Sendable, CaseIterable {
            case status = "answers 500"
            case longAnswer = "answers 500 with a long body"
            case breaking = "breaks off"
            case refusing = "refuses connections"
        }

        private func target(_ failing: Failing) throws -> ScriptedUpstream {
            let body = failing == .longAnswer ? String(repeating: "x", count: 100_000) : "no"
            return try ScriptedUpstream { connection in
                if failing == .breaking {
                    _ = try connection.request()
                } else {
                    try connection.answerAll(
                        "HTTP/1.1 500 No\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
                }
            }
        }

        @Test(arguments: Failing.allCases)
        func `no client has the whole of a failing answer before every worker knows`(failing: Failing) throws {
            let bad = try target(failing)
            let port = failing == .refusing ? try refusingPort() : bad.port
            let gateway = try RunningGateway(
                upstreamYAML(ports: [port], service: "retries: 0", passive: Self.tripsAtOnce), workers: 2)
            // Spread over both workers by the system; the odds for all on one of them are 1 in 8 million.
            let clients = try (0..<24).map { _ in try gateway.connect() }
            let control = try #require(Array(gateway.world.loops.makeIterator()).first)
            // Nothing can be decided now; the other worker goes on.
            let gate = DispatchSemaphore(value: 0)
            control.execute { gate.wait() }
            defer { gate.signal() }
            for client in clients { try client.send(Self.get) }
            if failing != .refusing { #expect(eventually { !bad.requests.isEmpty }) }
            let isAnswered = eventually(within: 300) {
                clients.contains { client in
                    _ = client.ends(within: 0)
                    return client.received.contains("no") || client.received.contains("502")
                        || client.received.utf8.count > 100_000
                }
            }
            #expect(!isAnswered)
            gate.signal()
            let statuses = try clients.map { try $0.message()?.status ?? 0 }
            #expect(statuses.contains(failing == .status || failing == .longAnswer ? 500 : 502))
            #expect(Set(statuses).isSubset(of: [500, 502, 503]))
            #expect(try gateway.get("/").status == 503)
        }

        @Test func `a request sent after a failing answer was received never goes to the failed target`() throws {
            let (good, bad) = (try ScriptedUpstream(), try target(.status))
            let gateway = try RunningGateway(
                upstreamYAML(ports: [good.port, bad.port], passive: Self.tripsAtOnce), workers: 2)
            let clients = try (0..<12).map { _ in try gateway.connect() }
            for round in 0..<60 {
                let path = "/upstreams/up/targets/127.0.0.1:\(bad.port)/healthy"
                #expect(try gateway.admin("PUT", path).status == 204)
                var failed: Int?
                for number in 0..<clients.count where failed == nil {
                    let client = (round + number) % clients.count
                    if try clients[client].exchange(Self.get).status == 500 { failed = client }
                }
                #expect(failed != nil)
                let seen = bad.requests.count
                for client in clients { #expect(try client.exchange(Self.get).status == 200) }
                #expect(bad.requests.count == seen, "round \(round)")
            }
        }

        @Test func `reloading under load with two workers drops no request, on old connections or new ones`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(upstreamYAML(ports: [upstream.port]), workers: 2)
            let failures = Mutex<[String]>([])
            let succeeded = Mutex(0)
            let isOver = Mutex(false)
            let done = Busy(6)
            for thread in 0..<6 {
                let kept = try gateway.connect()
                Thread.detachNewThread {
                    while !isOver.withLock({ $0 }) {
                        do {
                            let client = thread < 3 ? kept : try gateway.connect()
                            let status = try client.exchange(Self.get).status
                            if status == 200 { succeeded.withLock { $0 += 1 } }
                            if status != 200 { failures.withLock { $0.append("\(status)") } }
                        } catch {
                            failures.withLock { $0.append("\(error)") }
                        }
                    }
                    done.leave()
                }
            }
            // Each one another configuration: the target by upstream, by service, with another route beside it.
            for round in 0..<30 {
                let text =
                    switch round % 3 {
                    case 0: serviceYAML(port: upstream.port)
                    case 1: upstreamYAML(ports: [upstream.port], weights: [10 + round])
                    default: serviceYAML(port: upstream.port, routes: "{paths: [/]}, {name: r\(round), paths: [/x]}")
                    }
                try gateway.gateway.reload(text, file: "round\(round).yml").wait()
                let before = succeeded.withLock { $0 }
                #expect(eventually { succeeded.withLock { $0 } > before + 10 })
            }
            isOver.withLock { $0 = true }
            #expect(eventually { done.isDone })
            #expect(failures.withLock { $0 } == [])
        }

        @Test func `stopping waits for the requests of all workers, and not longer than it may`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard let request = try connection.request() else { return }
                if request.path == "/slow" { _ = eventually(within: 400) { false } }
                if request.path != "/never" { try connection.socket.send(ScriptedUpstream.ok) }
                _ = try connection.request()
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port), workers: 2) { $0.drain = .seconds(1) }
            let clients = try (0..<12).map { _ in try gateway.connect() }
            for (number, client) in clients.enumerated() {
                try client.send("GET /\(number % 3 == 2 ? "never" : "slow") HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            #expect(eventually { upstream.requests.count == 12 })
            let took = try elapsed { try gateway.gateway.stop().wait() }
            #expect(took >= 1000 && took < 3000, "\(took) ms")
            for (number, client) in clients.enumerated() {
                let answer = try? client.message()
                #expect((answer?.status == 200) == (number % 3 != 2), "client \(number)")
            }
        }
    }
}
