// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension JournalEvent {
    /// It was decided whether a fault of a link hits a connection or a request.
    package struct Fault: Hashable, Sendable {
        package var at: Instant
        package var link: String
        /// The name of the step that put it there, or the one its client gave it.
        package var fault: String
        /// What it is: `latency`, `reset`.
        package var type: String
        /// The number of the connection on its link, from 1.
        package var connection: Int
        /// The number of the request among those that the fault looked at; nil when it was decided about the
        /// connection.
        package var request: Int?
        /// Method and path of the request, and its X-Chaos-Id.
        package var line: String?
        package var chaosID: String?
        package var isHit: Bool

        package init(at: Instant, _ decision: LinkDecision) {
            self.at = at
            link = decision.link
            fault = decision.toxic
            type = decision.kind
            connection = decision.connection
            request = decision.request
            line = decision.line
            chaosID = decision.chaosID
            isHit = decision.isHit
        }
    }
}

extension JournalEvent.Fault {
    init(_ fields: JournalFields, at: Instant) throws(Problem) {
        self.at = at
        link = try fields.text("link")
        fault = try fields.text("fault")
        type = try fields.text("type")
        connection = try fields.integer("connection")
        request = fields.optionalInteger("request")
        line = fields.optionalText("line")
        chaosID = fields.optionalText("id")
        isHit = fields.flag("hit")
    }

    func write(to line: inout JournalLine) {
        line.field("link", link)
        line.field("fault", fault)
        line.field("type", type)
        line.field("connection", connection)
        line.field("request", request)
        line.field("line", self.line)
        line.field("id", chaosID)
        line.field("hit", isHit)
    }
}
