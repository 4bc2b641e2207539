// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chaos

/// The base scenario with one piece replaced, and everything a person then reads.
struct BrokenFile: Sendable, CustomTestStringConvertible {
    var old: String
    var new: String
    var messages: [String]

    /// - Parameter messages: without the name of the file.
    init(_ old: String, _ new: String, _ messages: String...) {
        self.old = old
        self.new = new
        self.messages = messages.map { "s.yml:\($0)" }
    }

    init(_ old: String, _ new: String, _ messages: [String]) {
        self.old = old
        self.new = new
        self.messages = messages.map { "s.yml:\($0)" }
    }

    var text: String { Examples.broken(old, new) }
    var testDescription: String { new.isEmpty ? "without \(old)" : new }
}

struct BrokenFileTests {
    @Test func `the base is good`() { #expect(Examples.messages(Examples.base) == []) }

    @Test(arguments: BrokenFile.head)
    func `mistakes in the head, variables and the matrix are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.topology)
    func `mistakes in the topology are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.loads)
    func `mistakes in loads are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.timeline)
    func `mistakes in the time line are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.faults)
    func `mistakes in faults are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.tcpFaults)
    func `what only HTTP links know is named on a TCP link`(fault: String, messages: [String]) {
        let text = Examples.broken("{ from: gateway, to: api }", "{ from: gateway, to: api, protocol: tcp }")
            .replacingOccurrences(of: "fault: { latency: 3s }", with: fault)
        #expect(Examples.messages(text).map { String($0.dropFirst("s.yml:".count)) } == messages)
    }

    @Test(arguments: BrokenFile.goodFaults)
    func `faults are taken as the reference shows them`(fault: String) {
        #expect(Examples.messages(Examples.broken("fault: { latency: 3s }", fault)) == [])
    }

    @Test(arguments: BrokenFile.goodFrameFaults)
    func `faults on HTTP/2 are taken for a mock that speaks it`(fault: String) {
        let text = Examples.broken("{ health: /health }", "{ health: /health, http2: true }")
            .replacingOccurrences(of: "fault: { latency: 3s }", with: fault)
        #expect(Examples.messages(text) == [])
    }

    @Test(arguments: BrokenFile.steps)
    func `mistakes in steps are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.nodes)
    func `mistakes in mocks and processes are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.targets)
    func `mistakes in targets and marks of expectations are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.bounds)
    func `mistakes in bounds and expressions are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }

    @Test(arguments: BrokenFile.filters)
    func `mistakes in windows, filters and invariants are named at their place`(file: BrokenFile) {
        #expect(Examples.messages(file.text) == file.messages)
    }
}
