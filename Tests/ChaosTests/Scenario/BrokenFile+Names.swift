// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

extension BrokenFile {
    private static let wire = "  links:\n    wire: { from: gateway, to: api }\n"
    private static let lag = "{ at: 6s, name: lag, link: wire, fault: { latency: 3s } }"

    /// Mistakes in `topology.dns` and in `dns:` steps; the base has no name server.
    static let names: [BrokenFile] = [
        .init(
            wire, wire + "  dns: { a..b: { a: api } }\n",
            "19:10: `a..b` is no host name; write one such as orders.internal"),
        .init(
            wire, wire + "  dns: { x: {} }\n",
            "19:13: the name `x` has no records; write a: [api], srv: [api] or cname: other.internal"),
        .init(
            wire, wire + "  dns: { x: { a: api, srv: api } }\n", "19:23: the name `x` has a and srv at once; keep one"),
        .init(wire, wire + "  dns: { x: { a: apj } }\n", "19:18: there is no mock `apj`; did you mean `api`?"),
        .init(
            wire, wire + "  dns: { x: { a: 8.8.8.8 } }\n",
            "19:18: `8.8.8.8` is not on loopback; name a mock, or an address such as 127.0.0.9"),
        .init(
            wire, wire + "  dns: { x: { a: pair } }\n",
            "19:18: `pair` is a group of 2 mocks; name one: pair-1, pair-2"),
        .init(
            wire, wire + "  dns: { x: { srv: { target: 127.0.0.9 } } }\n",
            "19:20: an SRV record to an address needs `port`; write port: 8080"),
        .init(
            wire, wire + "  dns: { x: { a: api, tll: 3s } }\n",
            "19:23: unknown key `tll` in the name `x`; did you mean `ttl`?"),
        .init(
            lag, "{ at: 6s, dns: { name: apj, fail: nxdomain } }",
            "24:28: there is no name `apj`; did you mean `api`?"),
        .init(
            lag, "{ at: 6s, dns: { name: api, fail: nxdomian } }",
            "24:39: `fail` of a `dns` step cannot be `nxdomian`; did you mean `nxdomain`?"),
        .init(
            lag, "{ at: 6s, dns: { name: api } }",
            "24:20: the `dns` step changes nothing; write fail: nxdomain or answer: [api-2]"),
        .init(
            lag, "{ at: 6s, dns: { name: api, fail: timeout, answer: pair-1 } }",
            "24:48: a name that fails has no answer; keep `fail` or `answer`"),
        .init(
            lag, "{ at: 6s, dns: { name: api, duplicate: 1 } }",
            "24:44: `duplicate` of a `dns` step must be 2..100, not 1"),
        .init(
            lag, "{ at: 6s, dns: { name: api, reorder: 50 } }",
            "24:42: `reorder` of a `dns` step must be a duration, not a number (`50`); write 50s or 50ms"),
        .init(
            lag, "{ at: 6s, dns: { name: api, fail: timeout, duplicate: 2 } }",
            "24:48: a name that gets no answer has none to duplicate; remove `duplicate`"),
        .init(
            "    api: { health: /health }", "    api: { health: /health, tls: {}, http2: true }",
            "5:38: the mock `api` speaks HTTP/2 in plain text only; remove `tls`"),
        .init(
            lag, "{ at: 6s, stress: { node: api } }",
            "24:23: the `stress` step does nothing; write cpu: 80%, memory: 256MiB or fds: 900"),
        .init(
            lag, "{ at: 6s, stress: { node: api, memory: 256 } }",
            "24:44: `memory` of a `stress` step cannot be `256`; write one such as 256MiB or 1GiB"),
        .init(
            lag, "{ at: 6s, stress: { node: api, memory: 99999999999999999GiB } }",
            "24:44: `memory` of a `stress` step must be at most 64GiB, not 99999999999999999GiB"),
        .init(
            lag, "{ at: 6s, stress: { node: api, cpu: 180% } }",
            "24:41: `cpu` of a `stress` step must be from 0% to 100%, not 180%; write 1.8%"),
        .init(
            "    api: { health: /health }", "    api: { health: /health, tls: { cert: stale, max: 1 } }",
            "5:42: `cert` of `tls` of the mock `api` cannot be `stale`; write valid or expired or not_yet or "
                + "wrong_host or untrusted or self_signed",
            "5:54: `max` of `tls` of the mock `api` cannot be `1`; write 1.0, 1.1, 1.2 or 1.3"),
        .init(
            lag, "{ at: 6s, link: wire, fault: { cert: expired } }",
            "24:36: `cert` needs TLS; give the mock `api` tls: {}, or the link `wire` protocol: tls"),
        .init(
            "    api: { health: /health }\n    pair: { count: 2 }",
            "    api: { health: /health, tls: {} }\n    pair: { count: 2, tls: { max: 1.4 } }",
            "6:35: `max` of `tls` of the mock `pair` cannot be `1.4`; write 1.0, 1.1, 1.2 or 1.3"),
    ]
}

struct BrokenNameTests {
    @Test(arguments: BrokenFile.names)
    func `mistakes in names are told at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test func `a step makes the name server answer for a mock's own name`() throws {
        let text = Examples.broken(
            "{ at: 6s, name: lag, link: wire, fault: { latency: 3s } }",
            "{ at: 6s, dns: { name: api, answer: pair-2 } }")
        let plan = try #require(try Plan.cells(ScenarioFile(parsing: text, path: "s.yml")).first)
        #expect(plan.topology.names.map(\.name) == ["api"])
        #expect(plan.topology.bindings.map(\.mock) == ["api", "pair-2"])
        #expect(plan.topology.bindings.allSatisfy { $0.isNamed && $0.port == 8080 })
        #expect(plan.topology.links.map { plan.topology.addressPorts(of: $0.id) } == [[8080], [], [8080]])
    }
}
