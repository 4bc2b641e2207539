// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

// Faults on the frames of HTTP/2.
extension Reader {
    mutating func frameKind(_ it: FaultNode) -> Toxic? {
        switch it.name {
        case "goaway": goAway(it)
        case "rst_stream": resetStream(it)
        case "ping_flood": pingFlood(it)
        // An unknown name was reported with the keys of `fault`.
        default: nil
        }
    }

    /// `goaway`, `{ goaway: NO_ERROR }` or `{ goaway: { code: NO_ERROR, after: 100, answered: false } }`.
    private mutating func goAway(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["code", "after", "answered"], main: "code") else { return nil }
        var toxic = GoAwayToxic()
        if let node = fields["code"] {
            guard let code = errorCode(node, "`code` of `goaway`") else { return nil }
            toxic.code = code
        }
        toxic.after = fields["after"].flatMap { integer($0, "`after` of `goaway`", in: 1...1_000_000) }
        toxic.isAnswered = fields["answered"].flatMap { boolean($0, "`answered` of `goaway`") } ?? true
        return .goAway(toxic)
    }

    /// `{ rst_stream: CANCEL }` or `{ rst_stream: { code: CANCEL, at: body } }`.
    private mutating func resetStream(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["code", "at"], main: "code"),
            let node = setting(it, "code", in: fields, "INTERNAL_ERROR"),
            let code = errorCode(node, "`code` of `rst_stream`")
        else { return nil }
        guard let node = fields["at"] else { return .resetStream(ResetStreamToxic(code: code)) }
        return choice(node, "`at` of `rst_stream`").map { .resetStream(ResetStreamToxic(code: code, stage: $0)) }
    }

    /// `{ ping_flood: 1000/s }` or `{ ping_flood: { rate: 1000/s, count: 500 } }`.
    private mutating func pingFlood(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["rate", "count"], main: "rate") else { return nil }
        var toxic = PingFloodToxic()
        if let node = fields["rate"] {
            guard let rate = rate(node, "`rate` of `ping_flood`") else { return nil }
            guard rate.perSecond > 0, rate.perSecond <= PingFloodToxic.highestRate else {
                let highest = Rate(perSecond: PingFloodToxic.highestRate)
                report(
                    node.location, "`rate` of `ping_flood` must be above 0/s and at most \(highest), not \(rate)")
                return nil
            }
            toxic.rate = rate.perSecond
        }
        if let node = fields["count"] {
            let most = toxic.rate == nil ? FrameStreams.mostPings : 1_000_000_000
            guard let count = integer(node, "`count` of `ping_flood`", in: 1...most) else { return nil }
            toxic.count = count
        }
        guard toxic != PingFloodToxic() else {
            report(it.location, "`ping_flood` does not say how many", advice: "write rate: 1000/s or count: 1000")
            return nil
        }
        return .pingFlood(toxic)
    }

    private mutating func errorCode(_ node: DocumentNode, _ what: String) -> HTTP2ErrorNumber? {
        guard let text = word(node, what) else { return nil }
        if let code = HTTP2ErrorNumber(text) { return code }
        report(
            node.location, "\(what) is no error of HTTP/2: `\(text)`",
            advice: nearestKey(to: text.uppercased(), among: HTTP2ErrorNumber.names).map { "did you mean `\($0)`?" }
                ?? "write a name such as INTERNAL_ERROR, or a number")
        return nil
    }
}
