// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import Chaos

extension Examples {
    /// A small good scenario; a broken one is this with one piece of text replaced.
    static let base = """
        scenario: small
        vars: { rate: 50/s, slow: 3s }
        topology:
          mocks:
            api: { health: /health }
            pair: { count: 2 }
          gateway:
            inline:
              _format_version: "3.0"
              services: [{ name: s, host: up, retries: 0 }]
              upstreams:
                - name: up
                  targets: [{ target: "api:8080" }]
                  healthchecks:
                    active: { healthy: { interval: 2, successes: 3 }, unhealthy: { interval: 1 } }
                    passive: { unhealthy: { http_failures: 3 } }
          links:
            wire: { from: gateway, to: api }
        load:
          - { id: users, to: gateway, rate: "$(rate)", for: 20s }
        timeline:
          - { at: 0s, checkpoint: steady }
          - { at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 } }
          - { at: 6s, name: lag, link: wire, fault: { latency: 3s } }
        expect:
          - { id: trips, target: api, becomes: unhealthy, after: errors, within: 12 requests, as: tripped }
          - { id: dark, window: { status: 503 }, starts: 0ms..100ms after tripped, as: dark }
          - { id: after-all, availability: ">= 99%", during: errors.end..end, of: users }
        invariants:
          - never: { status: 502 }

        """

    /// The base with one piece of text replaced; the piece must be there once.
    static func broken(_ old: String, _ new: String) -> String {
        let parts = base.components(separatedBy: old)
        precondition(parts.count == 2, "\(old) is \(parts.count - 1) times in the base")
        return parts.joined(separator: new)
    }
}
