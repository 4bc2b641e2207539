// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing
import World

@testable import Gateway

/// Nobody's input stops the gateway or leaves it with a configuration that does not hold together.
@Suite struct AdminFuzzTests {
    private static let paths = [
        "/services", "/services/a", "/services/a/routes", "/services/a/routes/r", "/services/a/health", "/routes",
        "/routes/r", "/routes/r/service", "/upstreams", "/upstreams/u", "/upstreams/u/targets", "/upstreams/u/health",
        "/upstreams/u/targets/t:1", "/upstreams/u/targets/t:1/healthy", "/", "/status", "/tags", "/config",
        "/services/%",
    ]
    private static let bodies = [
        "name=a&url=http://h:1/x&retries=1", "name=r&paths[]=/a&paths[]=~/b&hosts[]=*.a", "name=u&hash_on=ip&slots=10",
        "target=t:1&weight=5", "healthchecks.active.interval=1&healthchecks.passive.healthy.interval=2",
        #"{"name":"a","host":"u","port":80,"tags":["x"]}"#, #"{"protocols":["tcp"],"sources":[{"ip":"::/8"}]}"#,
        #"{"healthchecks":{"active":{"headers":{"a":["b"]},"timeout":1e3}}}"#, #"{"service":{"id":null},"snis":["a"]}"#,
        "_format_version: '3.0'\nservices:\n- {name: a, host: b}\n",
    ]

    private func mutated(_ text: String, _ random: inout RandomStream) -> String {
        var bytes = Array(text.utf8)
        for _ in 0..<random.below(4) {
            let place = Int(random.below(UInt64(bytes.count + 1)))
            switch random.below(4) {
            case 0: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 1: bytes.insert(contentsOf: Array("[]{}&=.%\"':,0".utf8).shuffled(using: &random).prefix(2), at: place)
            case 2: bytes.removeSubrange(place..<min(place + 3, bytes.count))
            default: if place < bytes.count { bytes[place] ^= UInt8(1 << random.below(7)) }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `any request gets an answer`(seed: UInt64) throws {
        var random = RandomStreams(seed: seed).stream("admin fuzz")
        let admin = try AdminHarness()
        var statuses: Set<Int> = []
        for round in 0..<2000 {
            let body = mutated(Self.bodies[Int(random.below(UInt64(Self.bodies.count)))], &random)
            let path = mutated(Self.paths[Int(random.below(UInt64(Self.paths.count)))], &random)
            let method = ["GET", "POST", "PUT", "PATCH", "DELETE"][Int(random.below(5))]
            let type = body.hasPrefix("{") ? "application/json" : "application/x-www-form-urlencoded"
            let answer = admin.send(method, path, type: type, body: body)
            statuses.insert(answer.status)
            #expect([200, 201, 204, 400, 404, 405, 409, 415].contains(answer.status), "seed \(seed) round \(round)")
        }
        #expect(statuses.isSuperset(of: [200, 204, 400, 404, 405]))
        let configuration = admin.configuration
        let upstreams = Set(configuration.upstreams.map(\.id))
        #expect(configuration.targets.allSatisfy { upstreams.contains($0.upstreamID) })
        #expect(configuration.services.compactMap(\.upstreamID).allSatisfy(upstreams.contains))
        let services = Set(configuration.services.map(\.id))
        #expect(configuration.routes.compactMap(\.serviceID).allSatisfy(services.contains))
    }

    @Test func `any file is read or refused with its mistakes`() {
        var random = RandomStreams(seed: 4).stream("file fuzz")
        let text = """
            _format_version: "3.0"
            services:
            - name: a
              url: http://u/v1
              healthchecks: {active: {interval: 1, unhealthy: {failures: 2}}}
              routes: [{name: r, paths: [/a, "~/b"], headers: {x: [y]}}]
            upstreams:
            - name: u
              targets: [{target: "a:1", weight: 3}]
            """
        var (read, refused) = (0, 0)
        for round in 0..<1500 {
            do throws(DeclarativeError) {
                let store = try DeclarativeFile.read(
                    mutated(text, &random), file: "f", acceptsServiceHealthChecks: true, now: 1_000_000_000)
                #expect(store.configuration().hash.count == 32)
                read += 1
            } catch {
                #expect(!error.problems.isEmpty, "round \(round)")
                #expect(error.problems.list.allSatisfy { !$0.description.contains("\n") }, "\(error.problems)")
                refused += 1
            }
        }
        #expect(read > 100 && refused > 100)
    }

    @Test func `any expression is compiled or refused`() {
        var random = RandomStreams(seed: 5).stream("expression fuzz")
        let pieces = [
            "(", ")", "[", "]", "a", "\\d", "\\", "+", "*", "?", "{2}", "{", "}", "|", "^", "$", "(?<n>", "(?i)", "\\1",
            "-", ":", "(?=", "\\p{L}", "\\k<n>", "[[:alpha:]]",
        ]
        for _ in 0..<3000 {
            let count = Int(random.below(9))
            let pattern = (0..<count).map { _ in pieces[Int(random.below(UInt64(pieces.count)))] }.joined()
            if let problem = TextRules.routePath("~/" + pattern) { #expect(!problem.contains("\n")) }
        }
    }
}
