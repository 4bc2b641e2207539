// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

struct ExplainTests {
    @Test func `the plan of the small scenario`() throws {
        let text = explain(try Examples.plans(Examples.base)[0])
        #expect(text == Self.small)
    }

    private static let small = """
        small
        seed drawn at the start, load of 20s, watch-dog 50s

        Variables
          rate 50/s, slow 3s

        Topology
          gateway  gateway with the Kong document of the scenario
          api      mock, health on /health
          pair-1   mock, health on /health
          pair-2   mock, health on /health
          wire     http link to api for api:8080

        Health of up (api:8080)
          leaves   after 3 HTTP failures (429, 500, 503) of requests
                   good answers do not clear failures (passive successes are 0)
          returns  after 3 good probes in a row of /
                   that is 2s..3s after it is good again
          probes   every 2s while healthy, 1s while not, timeout 1s

        Load
          users    50/s for 20s, even arrivals: GET /, timeout 10s

        Time line
                 0s  start      the load starts
                 0s  steady     checkpoint: every invariant holds
                 5s  errors     api: ERROR_RATE 0.9
          5s..5.24s  tripped    observed by trips
          5s..5.34s  dark.start observed by dark
                 6s  lag        wire: latency 3s, both ways
                10s  errors.end api: as before
                20s  end        the load ends
                  ?  dark.end   observed by dark

        Expected
          trips     api becomes unhealthy at most 12 requests after errors; this is `tripped`
          dark      a window of 503 starts at most 100ms after tripped; these are `dark.start` and `dark.end`
          after-all at least 99% good answers of users from errors.end to end

        At every moment
          never-1  never 502

        Warnings
          !        upstream 'up': probes do not notice a target that refuses connections
                   (active.unhealthy.tcp_failures, timeouts = 0); set healthchecks.active.unhealthy.tcp_failures and
                   timeouts
          !        upstream 'up': a dead target is used for ever: with retries = 0 a refused connection counts as
                   status 502, which passive checks do not list, and probes have no tcp_failures; set one of them
          !        upstream 'up': the timeout of a probe (1s) is not shorter than the interval (1s), so a slow target
                   is probed less often; set a shorter active.timeout

        """

    /// A piece of the base's health checks, what it is replaced with, and what only then is warned of.
    @Test(
        arguments: [
            ("unhealthy: { interval: 1 } }", "unhealthy: {} }", "nothing brings it back"),
            ("{ interval: 2, successes: 3 }", "{ interval: 2 }", "add up for ever"),
            ("active: {", "active: { timeout: 0.5,", nil),
            ("active: {", "threshold: 100\n            active: {", "a threshold of 100 %"),
            ("{ http_failures: 3 }", "{ http_failures: 255 }", "refuses a limit of 255"),
            (
                "{ target: \"api:8080\" }", "{ target: \"api:8080\" }, { target: \"localhost:80\" }",
                "localhost:80 goes to no mock"
            ),
            (
                "id: dark, window",
                "target: api, becomes: healthy, after: errors, within: 30s, as: back }\n  - { id: dark, window",
                "`back` of `becomes-2` may come as late as 35s, after the end of the load (20s); make the load longer"
            ),
        ] as [(String, String, String?)])
    func `warnings name what is seldom meant`(old: String, new: String, part: String?) throws {
        let before = configurationWarnings(try Examples.plans(Examples.base)[0])
        let after = configurationWarnings(try Examples.plans(Examples.broken(old, new))[0])
        let added = after.filter { !before.contains($0) }
        if let part {
            #expect(added.contains { $0.contains(part) }, "\(added)")
        } else {
            #expect(added == [])
            #expect(after.count < before.count)
        }
    }

    @Test func `a dead target that nothing notices is warned of`() throws {
        let before = configurationWarnings(try Examples.plans(Examples.base)[0])
        #expect(before.contains { $0.contains("a dead target is used for ever") })
        let listed = Examples.broken("{ http_failures: 3 }", "{ http_failures: 3, http_statuses: [502] }")
        let after = configurationWarnings(try Examples.plans(listed)[0])
        #expect(!after.contains { $0.contains("a dead target is used for ever") })
    }

    @Test(arguments: [
        Examples.walkThrough, Examples.killTheOnlyTarget, Examples.shortSlowUpstream, Examples.crashOneOfThree,
        Examples.slowUpstream,
    ])
    func `every line of a plan fits the page`(path: String) throws {
        for plan in try Examples.plans(file: path) {
            let text = explain(plan)
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= Page.width && $0.last != " " })
            for expectation in plan.expectations { #expect(text.contains("  \(expectation.id) ")) }
        }
    }
}
