// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    private static let faultNames = [
        "latency", "refuse", "bandwidth", "loss", "slicer", "timeout", "blackhole", "reset", "half_close", "half_open",
        "limit_data", "stall", "slow_close", "corrupt", "duplicate", "reorder", "status", "truncate", "wrong_length",
        "bad_chunk", "garbage", "slow_headers", "slow_body", "header_flood", "drop_header", "set_header", "early_close",
        "goaway", "rst_stream", "ping_flood", "cert", "handshake", "version",
    ]

    mutating func fault(_ fields: Fields, _ node: DocumentNode, _ topology: Topology) -> LinkFault? {
        let isBroken = node.scalar.map { scope.brokenLinks.contains($0) } ?? false
        let link = isBroken ? nil : name(node, kind: "link", among: topology.links.map(\.id))
        var stream = LinkFault.Stream.both
        if let node = fields["stream"] { stream = choice(node, "`stream`") ?? stream }
        var toxicity = Ratio(1)
        if let node = fields["toxicity"] { toxicity = ratio(node, "`toxicity`") ?? toxicity }
        for key in ["decide", "match", "nth", "count"] where fields[key] != nil {
            use(.faultMatch, at: fields.keyLocation(key))
        }
        guard let faultNode = required("fault", in: fields, "a step on a link", advice: "write fault: { latency: 3s }"),
            let fault = fault(faultNode)
        else { return nil }
        return link.map { LinkFault(link: $0, fault: fault, stream: stream, toxicity: toxicity) }
    }

    /// `refuse`, `{ refuse: {} }`, `{ latency: 3s }` or `{ latency: { latency: 3s, jitter: 100ms } }`.
    private mutating func fault(_ node: DocumentNode) -> Fault? {
        if let text = node.scalar, !node.isNull {
            guard text == "refuse" else {
                if Self.faultNames.contains(text), text != "latency" {
                    use(.faultKind, at: node.location)
                    return .refuse
                }
                report(node.location, "`fault` cannot be `\(text)`", advice: "write { latency: 3s } or refuse")
                return nil
            }
            return .refuse
        }
        guard let fields = fields(node, "`fault`", keys: Self.faultNames) else { return nil }
        guard let members = node.members, members.count == 1, let member = members.first else {
            report(node.location, "`fault` must name one fault", advice: "write a step for each")
            return nil
        }
        switch member.key {
        case "latency": return latency(member.value)
        case "refuse":
            if !member.value.isNull, member.value.members?.isEmpty != true {
                report(member.value.location, "`refuse` has no settings", advice: "write fault: refuse")
            }
            return .refuse
        default:
            if Self.faultNames.contains(member.key) { use(.faultKind, at: fields.keyLocation(member.key)) }
            return Self.faultNames.contains(member.key) ? .refuse : nil
        }
    }

    private mutating func latency(_ node: DocumentNode) -> Fault? {
        if node.scalar != nil { return duration(node, "`latency`").map { .latency(latency: $0, jitter: .zero) } }
        let keys = ["latency", "jitter", "distribution", "connect"]
        guard let fields = fields(node, "the fault `latency`", keys: keys) else { return nil }
        for key in ["distribution", "connect"] where fields[key] != nil {
            use(.latencyDistribution, at: fields.keyLocation(key))
        }
        let jitter = fields["jitter"].flatMap { duration($0, "`jitter`") } ?? .zero
        guard let node = required("latency", in: fields, "the fault `latency`", advice: "write latency: 3s"),
            let latency = duration(node, "`latency`")
        else { return nil }
        return .latency(latency: latency, jitter: jitter)
    }
}
