// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// What stands between the upstream's last byte and the client's: what was read ahead of a slow client, and failures
/// that the health monitor has not confirmed.
extension ProxyConnection {
    func report(_ report: AttemptReport) {
        guard let target = peer?.target else { return }
        let current = requestNumber
        let isUnconfirmed = worker.report(report, target, requestID: requestID, head: head) {
            // Made for a failure only: an ordinary request allocates nothing here.
            { [weak self] in
                guard let self, requestNumber == current, unconfirmedReports > 0 else { return }
                unconfirmedReports -= 1
                if unconfirmedReports == 0 { confirmed() }
            }
        }
        if isUnconfirmed { unconfirmedReports += 1 }
    }

    /// Every worker knows of the failures: the client may.
    private func confirmed() {
        guard let answer = heldAnswer, let connection else { return finishResponse() }
        heldAnswer = nil
        connection.respond(answer.head, body: answer.body)
    }

    /// Sends what was read ahead, as far as the client takes it.
    func sendAhead(on connection: ServerConnection) {
        while connection.isWritable, let piece = ahead.take() {
            connection.send(body: piece)
            connection.flush()
        }
    }

    /// Ends the response when nothing stands before its end any more.
    func finishResponse() {
        guard case .finishing = state, unconfirmedReports == 0, let connection else { return }
        // All of it may have come with one read: then what is before it has not been flushed either.
        if !ahead.isEmpty { connection.flush() }
        sendAhead(on: connection)
        guard case .finishing(let trailers) = state, ahead.isEmpty else { return }
        state = .answered
        connection.sendEnd(trailers: trailers)
    }

    func endExchange() {
        if !ahead.isEmpty { ahead.removeAll() }
        unconfirmedReports = 0
        heldAnswer = nil
        endBody()
    }
}
