// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

// What gateways and mocks hand over is a line of JSON each, stamped with CLOCK_MONOTONIC. The journal keeps their field
// names, with `t` from the start of the load and the place (node, gateway) added.

extension JournalEvent {
    /// An event of a gateway's stream (`health`, `probe`, `attempt`, `config`).
    ///
    /// - Parameters:
    ///   - loadStart: CLOCK_MONOTONIC nanoseconds of the start of the load.
    ///   - uncertainty: how much later than the event its stamp may be; 0 for our own gateway on this host.
    /// - Returns: nil for kinds that are not for the journal.
    package init?(
        gatewayEvent value: JSONValue, gateway: String, loadStart: Int64, uncertainty: Int64 = 0
    ) throws(Problem) {
        let fields = try JournalFields(value)
        let at = Instant(try fields.time("t").clampedSubtracting(loadStart), lo: uncertainty)
        switch try fields.text("kind") {
        case "health": self = .health(try Health(fields, at: at, gateway: gateway))
        case "probe":
            let started = fields.optionalTime("started")?.clampedSubtracting(loadStart) ?? at.t
            self = .probe(try Probe(fields, at: at, started: started, gateway: gateway))
        case "attempt": self = .attempt(try Attempt(fields, at: at, gateway: gateway))
        case "config": self = .configuration(try Configuration(fields, at: at, gateway: gateway))
        default: return nil
        }
    }

    /// A mock's record of a request (`served`).
    ///
    /// - Returns: nil for other kinds of record (`ready`).
    package init?(mockRecord value: JSONValue, node: String, loadStart: Int64) throws(Problem) {
        let fields = try JournalFields(value)
        guard try fields.text("kind") == "served" else { return nil }
        self = .served(try Served(fields, at: Instant(try fields.time("t").clampedSubtracting(loadStart)), node: node))
    }
}

extension JournalEvent.Address {
    init(_ fields: JournalFields, gateway: String?) throws(Problem) {
        self.init(
            gateway: gateway ?? fields.optionalText("gateway") ?? "gateway", upstream: try fields.text("upstream"),
            target: try fields.text("target"), address: try fields.text("address"))
    }
}

extension JournalEvent.Health {
    init(_ fields: JournalFields, at instant: Instant, gateway: String? = nil) throws(Problem) {
        let counters = fields["counters"]
        self.init(
            at: instant, sequence: try fields.integer("seq"), place: try .init(fields, gateway: gateway),
            from: try fields.word("from"), to: try fields.word("to"), cause: try fields.word("cause"),
            report: try fields.optionalWord("report"), status: fields.optionalInteger("status"),
            counters: JournalEvent.Counters(
                success: counters?["success"]?.intValue ?? 0, http: counters?["http"]?.intValue ?? 0,
                tcp: counters?["tcp"]?.intValue ?? 0, timeout: counters?["timeout"]?.intValue ?? 0),
            limit: fields.optionalInteger("limit"), isRoutable: fields["routable"]?.boolValue)
    }
}

extension JournalEvent.Probe {
    init(_ fields: JournalFields, at instant: Instant, started: Int64, gateway: String? = nil) throws(Problem) {
        self.init(
            at: instant, sequence: try fields.integer("seq"), place: try .init(fields, gateway: gateway),
            started: started, result: try fields.word("result"), status: fields.optionalInteger("status"),
            detail: fields.optionalText("detail"))
    }
}

extension JournalEvent.Attempt {
    init(_ fields: JournalFields, at instant: Instant, gateway: String? = nil) throws(Problem) {
        self.init(
            at: instant, sequence: try fields.integer("seq"), place: try .init(fields, gateway: gateway),
            request: fields.optionalText("request"), chaosID: fields.optionalText("chaos"),
            result: try fields.word("result"), status: fields.optionalInteger("status"))
    }
}

extension JournalEvent.Configuration {
    init(_ fields: JournalFields, at instant: Instant, gateway: String? = nil) throws(Problem) {
        self.init(
            at: instant, sequence: try fields.integer("seq"),
            gateway: gateway ?? fields.optionalText("gateway") ?? "gateway", version: try fields.integer("version"),
            hash: fields.optionalText("hash") ?? "", source: fields.optionalText("source") ?? "")
    }
}

extension JournalEvent.Served {
    init(_ fields: JournalFields, at instant: Instant, node: String) throws(Problem) {
        self.init(
            at: instant, node: node, chaosID: fields.optionalText("id"), n: try fields.integer("n"),
            method: fields.optionalText("method") ?? "", path: fields.optionalText("path") ?? "",
            status: try fields.integer("status"), connection: fields.optionalInteger("connection"))
    }
}
