// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import Gateway
import NIOCore
import Testing
import World

/// A gateway that the runner did not start.
extension RealRunTests {
    @Test func `a gateway that runs elsewhere is driven, watched and judged, and stays`() async throws {
        try await withRealWorld { world, _ in
            // A port that is free now: the link takes it, and the gateway outside knows it.
            let port = try PortReservation().port
            let kong = """
                { _format_version: "3.0", services: [{ name: s, host: up, retries: 0, path: /, \
                routes: [{ name: r, paths: [/orders] }] }], upstreams: [{ name: up, \
                targets: [{ target: "127.0.0.1:\(port)" }], healthchecks: { active: { http_path: /health, \
                healthy: { interval: 0.2, successes: 2 }, unhealthy: { interval: 0.2 } }, \
                passive: { unhealthy: { http_failures: 2 } } } }] }
                """
            let any = SocketAddress(loopbackPort: 0)
            var settings = GatewaySettings(proxyListen: any, adminListen: any)
            settings.isDeclarative = true
            let gateway = try await Gateway.start(world: world, settings: settings, document: (kong, "kong.yml")).get()
            let text = text(
                "{ at: 1s, name: errors-on, for: 150ms, mock: api, set: { ERROR_RATE: 1 } }",
                expect: "{ id: trips, target: api, becomes: unhealthy, after: errors-on, within: 4 requests }\n"
                    + "  - { id: oracle, model: kong-health }")
            let (head, tail) = (text.firstRange(of: "  gateway:"), text.firstRange(of: "  links:"))
            let scenario =
                String(text[..<(try #require(head)).lowerBound]) + """
                      gateway:
                        url: http://127.0.0.1:\(gateway.proxyAddress.port ?? 0)
                        admin: http://localhost:\(gateway.adminAddress.port ?? 0)/
                        inline: \(kong)

                    """ + text[(try #require(tail)).lowerBound...]
            let file = try ScenarioFile(
                parsing: scenario.replacing(
                    "wire: { from: gateway, to: api }", with: "wire: { to: api, port: \(port) }"),
                path: "test.yml")
            let finished = try await run(try #require(try Plan.cells(file).first))
            #expect(finished.report.verdict.result == .pass)
            #expect(finished.report.view.notes.isEmpty)
            #expect(finished.report.view.header?.nodes.first?.role == .remote)
            let after = try await run(try #require(try Plan.cells(file).first))
            #expect(after.report.verdict.result == .pass, "it is still there")
            try await gateway.stop().get()
        }
    }
}
