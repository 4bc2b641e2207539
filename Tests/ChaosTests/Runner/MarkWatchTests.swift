// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

struct MarkWatchTests {
    private func plan() throws -> Plan {
        let text = Examples.broken(
            "as: tripped }",
            "as: tripped }\n  - { target: api, becomes: healthy, after: tripped, within: 9s, as: back }")
        return try #require(try Examples.plans(text).first)
    }

    private func change(
        _ seconds: Double, _ to: JournalEvent.AddressState, address: String = "a"
    ) -> JournalEvent.Health {
        .init(
            at: Instant(Int64(seconds * 1e9)), sequence: 1,
            place: .init(upstream: "up", target: "api:8080", address: address), from: .healthy, to: to, cause: .passive)
    }

    @Test func `a change before the mark is not it, the first one after it is`() throws {
        var watch = MarkWatch(try plan())
        watch.observe(change(1, .unhealthy))
        watch.observe(change(2, .healthy))
        #expect(watch.found { $0.text == "errors" ? .seconds(5) : nil }.isEmpty)
        watch.observe(change(6, .mostlyHealthy))
        watch.observe(change(7, .unhealthy))
        let found = watch.found { $0.text == "errors" ? .seconds(5) : nil }
        #expect(found.map(\.mark.text) == ["tripped"])
        #expect(found.map(\.at) == [.seconds(7)])
    }

    @Test func `marks that are measured from observed ones follow at once`() throws {
        var watch = MarkWatch(try plan())
        for event in [change(7, .unhealthy), change(9, .healthy)] { watch.observe(event) }
        #expect(watch.found { _ in nil }.isEmpty, "nothing is known before the step")
        #expect(watch.found { $0.text == "errors" ? .seconds(5) : nil }.map(\.mark.text) == ["tripped", "back"])
        #expect(watch.found { $0.text == "errors" ? .seconds(5) : nil }.isEmpty, "each is told once")
    }

    @Test func `a target is out when all of its addresses are`() throws {
        var watch = MarkWatch(try plan())
        watch.observe(change(5, .healthy, address: "b"))
        watch.observe(change(6, .unhealthy))
        #expect(watch.found { $0.text == "errors" ? .seconds(5) : nil }.isEmpty)
        watch.observe(change(8, .unhealthy, address: "b"))
        #expect(watch.found { $0.text == "errors" ? .seconds(5) : nil }.map(\.at) == [.seconds(8)])
    }
}
