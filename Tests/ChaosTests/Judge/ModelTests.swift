// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct ModelTests {
    private func judge(checks: JSONValue = TestPlan.healthChecks(), tell: (inout Story) -> Void) -> Verdict {
        var story = Story()
        tell(&story)
        story.end(s(40))
        return RunJudge.judge(TestPlan.plan([.model(.kongHealth)], checks: checks, timer: .zero), story.view).verdicts[
            0]
    }

    /// Reports with limits 2 for everything, and the state and counters that Kong's rules make of them.
    @Test(arguments: [
        ("h", "mostly_healthy", 0, 1, 0, 0), ("hh", "unhealthy", 0, 2, 0, 0), ("hs", "mostly_healthy", 1, 0, 0, 0),
        ("hss", "healthy", 2, 0, 0, 0), ("htxh", "unhealthy", 0, 2, 1, 1), ("htx", "mostly_healthy", 0, 1, 1, 1),
        ("hhh", "unhealthy", 0, 2, 0, 0), ("hhs", "mostly_unhealthy", 1, 0, 0, 0),
        ("hhsh", "mostly_unhealthy", 0, 1, 0, 0),
        ("hhshh", "unhealthy", 0, 2, 0, 0), ("hhss", "healthy", 2, 0, 0, 0), ("s", "healthy", 0, 0, 0, 0),
        ("hhssh", "mostly_healthy", 0, 1, 0, 0),
    ])
    func `the reference follows Kong's rules`(
        word: String, state: String, success: Int, http: Int, tcp: Int, timeout: Int
    ) {
        var machine = ReferenceHealth()
        let reports: [Character: JournalEvent.Report] = [
            "s": .success, "h": .httpFailure, "t": .tcpFailure, "x": .timeout,
        ]
        for letter in word { _ = reports[letter].flatMap { machine.take($0, limit: 2) } }
        #expect(machine.state.rawValue == state)
        #expect(machine.counters == .init(success: success, http: http, tcp: tcp, timeout: timeout))
    }

    @Test func `a limit of 0 counts nothing`() {
        var machine = ReferenceHealth()
        #expect(machine.take(.httpFailure, limit: 0) == nil)
        #expect(machine == ReferenceHealth())
    }

    @Test func `a report whose change the gateway never announced`() {
        let verdict = judge { story in
            let id = story.answer(s(1), 500)
            story.attempt(s(1.002), 500, id: id)
        }
        #expect(verdict.result == .fail)
        #expect(
            verdict.sentence
                == "The gateway did not count the passive HTTP failure of api at 1s (status 500 of users-1), "
                + "which makes it mostly_healthy")
    }

    @Test func `a change that no report explains`() {
        let verdict = judge { story in
            story.answer(s(1), 200)
            story.health(s(2), .healthy, .unhealthy, .passive, .httpFailure, counters: .init(http: 3), limit: 3)
        }
        #expect(verdict.result == .fail)
        #expect(verdict.sentence.hasSuffix("but no such answer or probe was observed"))
    }

    @Test func `counters that differ are a difference though the state is right`() {
        let verdict = judge { story in
            let id = story.answer(s(1), 500)
            story.attempt(s(1.002), 500, id: id)
            story.health(s(1.002), .healthy, .mostlyHealthy, .passive, .httpFailure, counters: .init(http: 1), limit: 3)
            story.probe(s(5), 200, .success)
            story.health(
                s(5), .mostlyHealthy, .mostlyHealthy, .active, .success, counters: .init(success: 1, http: 1), limit: 3)
        }
        #expect(verdict.result == .fail)
        #expect(
            verdict.sentence
                == "After the active success at 5s (status 200) api must be mostly_healthy with success 1, "
                + "HTTP 0, TCP 0, timeout 0, the gateway has mostly_healthy with success 1, HTTP 1, TCP 0, timeout 0")
    }

    @Test func `a change that comes too long after its report`() {
        let verdict = judge { story in
            let id = story.answer(s(1), 500)
            story.attempt(s(1.002), 500, id: id)
            story.health(s(1.2), .healthy, .mostlyHealthy, .passive, .httpFailure, counters: .init(http: 1), limit: 3)
        }
        #expect(verdict.result == .fail)
        #expect(verdict.sentence == "api became mostly_healthy 198ms after the HTTP failure that caused it")
    }

    @Test func `the change may be written before the report that made it`() {
        let verdict = judge { story in
            let id = story.answer(s(1), 500)
            story.health(s(1.002), .healthy, .mostlyHealthy, .passive, .httpFailure, counters: .init(http: 1), limit: 3)
            story.attempt(s(1.002), 500, id: id)
        }
        #expect(verdict.result == .pass)
    }

    @Test func `an answer that had to be counted and was not`() {
        let verdict = judge { story in
            story.answer(s(1), 500)
            story.probe(s(5), 200, .success)
        }
        #expect(verdict.result == .fail)
        #expect(
            verdict.sentence == "The gateway did not count the answer 500 of api to users-1 at 1s as an HTTP failure "
                + "(passive.unhealthy.http_failures = 3)")
    }

    @Test func `an answer to a target that is out already is rightly ignored`() {
        let verdict = judge { story in
            for n in 0..<3 {
                let at = s(1) + ms(20) * Int64(n)
                let id = story.answer(at, 500)
                story.attempt(at + ms(2), 500, id: id)
                story.health(
                    at + ms(2), n == 0 ? .healthy : .mostlyHealthy, n == 2 ? .unhealthy : .mostlyHealthy, .passive,
                    .httpFailure, status: 500, counters: .init(http: n + 1), limit: 3)
            }
            story.answer(s(1.05), 500)  // was under way when the target went out
        }
        #expect(verdict.result == .pass)
    }

    @Test func `a counted answer that the mock did not give`() {
        let verdict = judge { story in
            let id = story.answer(s(1), 200)
            story.attempt(s(1.002), 500, id: id)
            story.health(
                s(1.002), .healthy, .mostlyHealthy, .passive, .httpFailure, counters: .init(http: 1), limit: 3)
        }
        #expect(verdict.result == .fail)
        #expect(verdict.sentence == "The gateway counted status 500 for users-1, api answered 200")
    }

    @Test func `a probe of which the mock knows nothing`() {
        let verdict = judge { story in
            story.probe(s(1), 200, .success)
            story.append(
                .probe(
                    .init(
                        at: Instant(s(6)), sequence: 99, place: Story.place, started: s(5.9), result: .success,
                        status: 200)))
        }
        #expect(verdict.result == .fail)
        #expect(verdict.sentence == "The gateway says its probe at 6s got 200, api saw no probe then")
    }

    @Test func `a probe that the gateway reads against its lists`() {
        let verdict = judge { $0.probe(s(1), 404, .ignored) }
        #expect(verdict.result == .fail)
        #expect(
            verdict.reasons.contains {
                $0 == "The gateway took the status 404 of the probe at 1s for ignored, by the lists of active it is "
                    + "http_failure"
            })
    }

    @Test func `a state set by hand starts the counters over`() {
        let verdict = judge { story in
            let id = story.answer(s(1), 500)
            story.attempt(s(1.002), 500, id: id)
            story.health(s(1.002), .healthy, .mostlyHealthy, .passive, .httpFailure, counters: .init(http: 1), limit: 3)
            story.health(s(2), .mostlyHealthy, .unhealthy, .manual)
            story.probe(s(5), 200, .success)
            story.health(s(5), .unhealthy, .mostlyUnhealthy, .active, .success, counters: .init(success: 1), limit: 3)
        }
        #expect(verdict.result == .pass)
    }

    @Test func `a gateway that starts anew starts its counters over`() {
        let verdict = judge { story in
            for second in [1.0, 3] {
                if second == 3 { story.process(s(2), "gateway", .started) }
                let id = story.answer(s(second), 500)
                story.attempt(s(second) + ms(2), 500, id: id)
                story.health(
                    s(second) + ms(2), .healthy, .mostlyHealthy, .passive, .httpFailure, counters: .init(http: 1),
                    limit: 3)
            }
        }
        #expect(verdict.result == .pass)
    }

    @Test func `without any event there is nothing to agree on`() {
        #expect(judge { $0.answer(s(1), 200) }.result == .fail)
    }
}
