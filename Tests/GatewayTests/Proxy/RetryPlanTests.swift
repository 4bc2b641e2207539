// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import Gateway

@Suite struct RetryPlanTests {
    struct Row: CustomTestStringConvertible {
        var name: String
        var retries = 1
        var method = HTTPMethod.get
        var failure = AttemptFailure.connectRefused
        var sent = false
        var replay = true
        var reused = false
        var decision: RetryPlan.Decision
        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(name: "refused, a try is left: a TCP failure", decision: .retry(.tcpFailure)),
        Row(
            name: "refused on the last try is HTTP 502, not a TCP failure", retries: 0,
            decision: .giveUp(.httpStatus(502), status: 502)),
        Row(name: "connect timeout, a try is left", failure: .connectTimedOut, decision: .retry(.timeout)),
        Row(
            name: "connect timeout on the last try", retries: 0, failure: .connectTimedOut,
            decision: .giveUp(.timeout, status: 504)),
        Row(name: "read timeout of GET is tried again", failure: .readTimedOut, sent: true, decision: .retry(.timeout)),
        Row(
            name: "read timeout of POST is not", method: .post, failure: .readTimedOut, sent: true,
            decision: .giveUp(.timeout, status: 504)),
        Row(name: "POST that was never sent is tried again", method: .post, decision: .retry(.tcpFailure)),
        Row(
            name: "PATCH that was sent is not", method: .patch, failure: .closedBeforeResponse, sent: true,
            decision: .giveUp(.httpStatus(502), status: 502)),
        Row(
            name: "PUT is idempotent", method: .put, failure: .closedBeforeResponse, sent: true,
            decision: .retry(.tcpFailure)),
        Row(
            name: "a body that was let go cannot be sent again", method: .put, failure: .closedBeforeResponse,
            sent: true,
            replay: false, decision: .giveUp(.httpStatus(502), status: 502)),
        Row(
            name: "a bad response is never tried again", failure: .badResponse, sent: true,
            decision: .giveUp(.httpStatus(502), status: 502)),
        Row(
            name: "a stale kept-alive connection costs no try", retries: 0, failure: .closedBeforeResponse, sent: true,
            reused: true, decision: .retry(.tcpFailure)),
        Row(
            name: "but not for POST", retries: 0, method: .post, failure: .closedBeforeResponse, sent: true,
            reused: true,
            decision: .giveUp(.httpStatus(502), status: 502)),
    ]

    @Test(arguments: rows)
    func `what follows a failed try`(row: Row) {
        var plan = RetryPlan(retries: row.retries, method: row.method, isLock: false)
        plan.began()
        let decision = plan.failed(
            row.failure, hasSentRequest: row.sent, canReplay: row.replay, wasReused: row.reused)
        #expect(decision == row.decision)
    }

    @Test func `there are retries + 1 tries`() {
        var plan = RetryPlan(retries: 5, method: .get, isLock: false)
        var tries = 0
        while true {
            plan.began()
            tries += 1
            let decision = plan.failed(.connectRefused, hasSentRequest: false, canReplay: true, wasReused: false)
            if case .giveUp = decision { break }
        }
        #expect(tries == 6)
    }

    @Test func `LOCK is not idempotent here`() {
        var plan = RetryPlan(retries: 1, method: .other, isLock: true)
        let decision = plan.failed(.closedBeforeResponse, hasSentRequest: true, canReplay: true, wasReused: false)
        #expect(decision == .giveUp(.httpStatus(502), status: 502))
    }

    @Test func `an upstream's own 504 counts as a timeout`() {
        #expect(AttemptReport.last(status: 504) == .timeout)
        #expect(AttemptReport.last(status: 500) == .httpStatus(500))
    }
}
