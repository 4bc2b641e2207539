// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Commented scenario files to begin with. Each is valid and passes as it is.
package enum StarterFile: String, CaseIterable, Sendable {
    /// A mock fails: the passive check takes it out, probes bring it back.
    case errors
    /// One of three targets is killed; retries hide it.
    case crash
    /// A link becomes slow: 504, then 503, then well again.
    case slow
    /// A new configuration is loaded under load.
    case reload

    /// One line about it, for a list.
    package var summary: String {
        switch self {
        case .errors: "a mock answers errors; the passive check takes it out, probes bring it back"
        case .crash: "one of three targets is killed; retries hide it, and it comes back"
        case .slow: "a link becomes slow; read timeouts take the target out, probes bring it back"
        case .reload: "another configuration is loaded under load, and no request notices"
        }
    }

    /// Whether a scenario may be called so.
    package static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    /// The file's text.
    ///
    /// - Parameters:
    ///   - name: the scenario's id; `isName` says which are possible.
    ///   - schema: the path or address of the JSON Schema, for editors.
    package func text(name: String, schema: String = "./scenario.schema.json") -> String {
        """
        # yaml-language-server: $schema=\(schema)
        # Check it:    gatecrash validate \(name).yml
        # Its numbers: gatecrash explain \(name).yml
        # Run it:      gatecrash run \(name).yml

        scenario: \(name)
        title: \(summary)
        # seed: 42                      # fixes every draw; without it one is drawn and printed

        """ + body
    }

    private var body: String {
        switch self {
        case .errors: Self.errorsBody
        case .crash: Self.crashBody
        case .slow: Self.slowBody
        case .reload: Self.reloadBody
        }
    }
}

// MARK: Bodies

extension StarterFile {
    private static let errorsBody = """
        vars: { rate: 50/s }             # $(rate) below; replace it with --var rate=100/s

        topology:
          mocks:
            api: { health: /health }     # a mock API; `count: 3` makes api-1, api-2, api-3
          gateway:
            inline:                      # a Kong declarative document; or kong: ./kong.yml
              _format_version: "3.0"
              services:
                - { name: orders, host: orders-up, retries: 0, routes: [{ name: orders, paths: [/orders] }] }
              upstreams:
                - name: orders-up
                  targets: [{ target: "api:8080" }]       # a host that is called like a mock is that mock
                  healthchecks:
                    active:
                      http_path: /health
                      timeout: 0.5
                      healthy: { interval: 1, successes: 3 }
                      unhealthy: { interval: 1, http_failures: 2, tcp_failures: 2, timeouts: 2 }
                    passive:
                      unhealthy: { http_failures: 3, http_statuses: [500, 503] }

        load:
          - { id: users, rate: "$(rate)", for: 12s, request: { path: /orders/1 } }

        timeline:
          - { at: 0s, checkpoint: steady }                # every target healthy before anything breaks
          - { at: 3s, name: errors, for: 1s, mock: api, set: { ERROR_RATE: 100% } }

        expect:
          # The third 500 takes the target out. `as` names the moment, so that later bounds can be measured from it.
          - { id: leaves, target: api, becomes: unhealthy, after: errors, within: 5 requests, cause: passive, as: out }
          # Three good probes in a row, one a second, bring it back. The bound is computed from the configuration.
          - id: returns
            target: api
            becomes: healthy
            after: out
            within: "0s..$(hc.active.unhealthy.interval * hc.active.healthy.successes + 0.5s)"
            cause: active
            as: back
          # In between the gateway answers by itself, at once.
          - id: dark
            window: { status: 503, origin: gateway }
            starts: 0ms..100ms after out
            ends: -50ms..150ms after back
            count: 1
          - { id: fast, latency: { p99: <= 100ms }, only: { status: 503 } }
          - { id: well-again, availability: "== 100%", during: back + 200ms..end }
          # An independent model of Kong's health checks predicts every change.
          - { id: oracle, model: kong-health }

        invariants:
          - never: { status: [502, 504] }
          - never: { traffic: { to: api }, while: "health(api) == unhealthy", grace: 50ms }

        """

    private static let crashBody = """
        vars: { rate: 60/s }

        topology:
          mocks:
            api: { count: 3, health: /health }            # api-1, api-2, api-3
          gateway:
            inline:
              _format_version: "3.0"
              services:
                - { name: items, host: items-up, retries: 5, routes: [{ name: items, paths: [/items] }] }
              upstreams:
                - name: items-up
                  targets: [{ target: "api-1:8080" }, { target: "api-2:8080" }, { target: "api-3:8080" }]
                  healthchecks:
                    active:
                      http_path: /health
                      timeout: 0.5
                      healthy: { interval: 1, successes: 1 }
                      unhealthy: { interval: 1, tcp_failures: 2, timeouts: 2 }
                    passive:
                      unhealthy: { tcp_failures: 2 }

        load:
          - { id: reads, rate: "$(rate)", arrivals: poisson, for: 12s, request: { path: /items/$(n) } }

        timeline:
          - { at: 0s, checkpoint: steady }
          - { at: 3s, name: crash, kill: api-2, restart: after 3s }      # marks crash and crash.end

        expect:
          - { id: leaves, target: api-2, becomes: unhealthy, after: crash, within: 30 requests, as: out }
          - { id: returns, target: api-2, becomes: healthy, after: crash.end, within: 1.5s, as: back }
          # Retries hide the crash: only what was in flight at that moment may fail.
          - { id: masked, count: { outcome: failed }, is: "<= $(inflight(api-2, crash))" }
          - { id: isolated, traffic: { to: api-2, count: 0 }, during: out + 50ms..crash.end }
          - { id: evenly, traffic: { to: api-2, share: 33% ± 12% }, during: back + 500ms..end }
          - { id: ended, exit: { of: api-2, signal: KILL } }
          - { id: oracle, model: kong-health }

        invariants:
          - never: { status: 503 }
          - always: { process: gateway, is: running }

        """

    private static let slowBody = """
        vars: { rate: 20/s, interval: 1s, successes: 2 }

        topology:
          mocks: { api: { health: /health } }
          gateway:
            inline:
              _format_version: "3.0"
              services:                                    # read_timeout is in milliseconds, as Kong wants it
                - { name: s, host: up, retries: 0, read_timeout: 500, routes: [{ name: r, paths: [/] }] }
              upstreams:
                - name: up
                  targets: [{ target: "api:8080" }]
                  healthchecks:
                    active:
                      http_path: /health
                      timeout: 0.5
                      healthy: { interval: "$(interval)", successes: "$(successes)" }
                      unhealthy: { interval: "$(interval)", tcp_failures: 2, timeouts: 3 }
                    passive:
                      unhealthy: { timeouts: 3 }
          links:
            wire: { to: api }                              # the link from the gateway to the mock gets a name

        load:
          - { id: users, rate: "$(rate)", for: 14s, timeout: 3s }

        timeline:
          - { at: 0s, checkpoint: steady }
          - { at: 3s, name: slow, for: 3s, link: wire, stream: down, fault: { latency: 2s } }

        expect:
          - { id: leaves, target: api, becomes: unhealthy, after: slow, within: 300ms..1s, as: out }
          - { id: timeouts, sometimes: { status: 504, origin: gateway } }
          - { id: as-slow-as, latency: { max: <= 700ms }, only: { status: 504 } }
          # A window is the time in which users who *arrived* got such an answer.
          - { id: dark, window: { status: 503, origin: gateway }, starts: 0ms..150ms after out, count: 1, as: dark }
          - id: returns
            target: api
            becomes: healthy
            after: slow.end
            within: "0s..$(interval * successes + 0.5s)"
            as: back
          - { id: order, order: [slow, out, slow.end, back] }
          - { id: well-again, availability: "== 100%", during: back + 300ms..end }
          - { id: oracle, model: kong-health }

        """

    private static let reloadBody = """
        topology:
          mocks:
            api: { count: 2, health: /health }
          gateway:
            inline:
              _format_version: "3.0"
              services:
                - { name: s, host: up, routes: [{ name: r, paths: [/] }] }
              upstreams:
                - { name: up, targets: [{ target: "api-1:8080" }] }

        load:
          - { id: users, rate: 100/s, for: 9s }

        timeline:
          - { at: 0s, checkpoint: steady }
          # Parts of the document are laid over the one in force; `config: ./kong-2.yml` loads a whole one.
          - { at: 3s, name: added, patch: { upstreams: { up: { targets: { "api-2:8080": { weight: 100 } } } } } }
          - { at: 6s, name: moved, patch: { upstreams: { up: { targets: { "api-1:8080": null } } } } }

        expect:
          - { id: nothing-lost, availability: "== 100%" }
          - { id: exactly-once, requests: { lost: 0, duplicated: 0 } }
          - { id: not-yet, traffic: { to: api-2, count: 0 }, during: start..added - 50ms }
          - { id: shared, traffic: { to: api-2, share: 50% ± 10% }, during: added + 200ms..moved - 50ms }
          - { id: gone, traffic: { to: api-1, count: 0 }, during: moved + 200ms..end }

        invariants:
          - never: { status: 5xx }

        """
}
