// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import DNS
import NIOCore
import Testing

/// What the scenario's name server says, and what its faults make of that.
@Suite struct NameZoneTests {
    private let x = DomainName("x.test")!

    private func address(_ last: UInt8, ttl: UInt32 = 1) -> DNSRecord { DNSRecord(x, ttl: ttl, .a([127, 0, 0, last])) }

    private var zone: NameZone {
        var zone = NameZone()
        zone.set(.init([address(2), address(3)]), for: x)
        zone.set(.init([DNSRecord(DomainName("alias.test")!, ttl: 9, .cname(x))]), for: DomainName("alias.test")!)
        return zone
    }

    private func ask(_ zone: NameZone, _ name: String = "X.test", _ type: RecordType = .a) -> NameZone.Outcome {
        zone.answer(DNSMessage(id: 7, asking: DNSQuestion(DomainName(name)!, type)))
    }

    @Test func `records are given as asked for`() {
        let outcome = ask(zone)
        #expect(outcome.reply?.answers == [address(2), address(3)] && outcome.reply?.id == 7)
        #expect(outcome.answer == "127.0.0.2, 127.0.0.3" && outcome.delay == .zero && outcome.faults.isEmpty)
        #expect(ask(zone, "x.test", .srv).reply?.code == .noError)
        #expect(ask(zone, "x.test", .srv).answer == "no record")
        #expect(ask(zone, "y.test").reply?.code == .nameError)
        #expect(ask(zone, "alias.test").answer == "x.test, 127.0.0.2, 127.0.0.3")
    }

    /// A fault, and what a question gets then.
    @Test(arguments: [
        (NameZone.Fault.code(.nameError), "name error"), (.code(.serverFailure), "server failure"),
        (.code(.refused), "refused"), (.silence, "no answer"),
        (.entry(.init([])), "no record"),
        (.entry(.init([DNSRecord(DomainName("x.test")!, ttl: 1, .a([127, 0, 0, 9]))])), "127.0.0.9"),
    ])
    func `a fault changes its name alone, and goes without a trace`(fault: NameZone.Fault, answer: String) {
        var zone = zone
        zone.set(.init([]), for: DomainName("y.test")!)
        zone.install(fault, on: x, id: "step")
        #expect(ask(zone).answer == answer && ask(zone).faults == ["step"])
        #expect((ask(zone).reply == nil) == (fault == .silence))
        #expect(ask(zone, "y.test").faults.isEmpty)
        zone.remove("step")
        #expect(ask(zone).answer == "127.0.0.2, 127.0.0.3")
    }

    @Test func `answers are doubled and held, those of aliases too`() {
        var zone = zone
        zone.install(.copies(3), on: x, id: "a")
        zone.install(.hold(.milliseconds(50)), on: x, id: "b")
        #expect(ask(zone, "alias.test").treatment == DatagramTreatment(copies: 3, hold: .milliseconds(50)))
        #expect(ask(zone).faults == ["a", "b"] && ask(zone).answer == "127.0.0.2, 127.0.0.3")
        zone.remove("a")
        #expect(ask(zone).treatment == DatagramTreatment(hold: .milliseconds(50)))
    }

    @Test func `the last fault counts, delays add up, times are replaced`() {
        var zone = zone
        zone.install(.code(.nameError), on: x, id: "a")
        zone.install(.delay(.milliseconds(5)), on: x, id: "b")
        zone.install(.entry(.init([address(4)])), on: x, id: "c")
        zone.install(.delay(.milliseconds(7)), on: x, id: "c")
        zone.install(.lifetime(77), on: x, id: "d")
        let outcome = ask(zone, "alias.test")
        #expect(outcome.delay == .milliseconds(12) && outcome.faults == ["a", "b", "c", "d"])
        #expect(outcome.reply?.answers.last == address(4, ttl: 77))
    }

    @Test func `what is no question is answered with an error, an answer never`() {
        var odd = DNSMessage(id: 1)
        #expect(zone.answer(odd).reply?.code == .formatError)
        odd.opcode = 5
        #expect(zone.answer(odd).reply?.code == .notImplemented)
        odd.isResponse = true
        #expect(zone.answer(odd).reply == nil)
    }

    @Test func `a circle of aliases is answered and ends`() {
        var zone = NameZone()
        zone.set(.init([DNSRecord(x, ttl: 1, .cname(x))]), for: x)
        #expect(ask(zone).reply?.answers.count == 16)
    }
}

/// The order in which answers leave.
@Suite struct DatagramOrderTests {
    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }
    private let held = DatagramTreatment(hold: .milliseconds(50))

    @Test func `without a fault each leaves at once, once`() {
        var order = DatagramOrder<Int>()
        #expect(order.push(1, DatagramTreatment(), at: at(0)) == [1])
        #expect(order.nextDeadline == nil)
    }

    @Test func `copies leave together`() {
        var order = DatagramOrder<Int>()
        #expect(order.push(1, DatagramTreatment(copies: 3), at: at(0)) == [1, 1, 1])
    }

    @Test func `one that is held leaves behind the next, whoever that is for`() {
        var order = DatagramOrder<Int>()
        #expect(order.push(1, held, at: at(0)) == [])
        #expect(order.push(2, DatagramTreatment(copies: 2), at: at(20)) == [2, 2, 1])
        #expect(order.nextDeadline == nil)
        #expect(order.push(3, held, at: at(30)) == [])
        #expect(order.push(4, held, at: at(31)) == [4, 3])
    }

    @Test func `one that nothing follows leaves when its time is up`() {
        var order = DatagramOrder<Int>()
        #expect(order.push(1, DatagramTreatment(copies: 2, hold: .milliseconds(50)), at: at(10)) == [])
        #expect(order.nextDeadline == at(60))
        #expect(order.advance(to: at(59)) == [])
        #expect(order.advance(to: at(60)) == [1, 1])
        #expect(order.nextDeadline == nil)
    }
}
