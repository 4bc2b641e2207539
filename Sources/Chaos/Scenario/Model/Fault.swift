// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A fault with where on the link it acts, and on what.
package struct LinkFault: Hashable, Sendable {
    package var link: String
    package var fault: Toxic
    /// `up` = towards the mock, `down` = towards the gateway.
    package var stream: ToxicStream
    /// Share of connections or requests it acts on, drawn from the seed.
    package var toxicity: Ratio
    package var scope: InstalledToxic.Scope
    package var match: RequestMatch?
    package var nth: Int?
    package var count: Int?

    package init(
        link: String, fault: Toxic, stream: ToxicStream, toxicity: Ratio, scope: InstalledToxic.Scope = .connection,
        match: RequestMatch? = nil, nth: Int? = nil, count: Int? = nil
    ) {
        self.link = link
        self.fault = fault
        self.stream = stream
        self.toxicity = toxicity
        self.scope = scope
        self.match = match
        self.nth = nth
        self.count = count
    }

    /// `latency 3s, towards the gateway, on 10% of requests POST /orders, from the 3rd on 2 of them`.
    package var phrase: String {
        var parts = [fault.phrase]
        switch fault {
        case .refuse, .halfClose, .halfOpen, .blackhole(BlackholeToxic(stage: .connect)), .status: break
        case .cert, .handshake, .version, .goAway, .resetStream: break
        default:
            parts.append(stream == .both ? "both ways" : stream == .up ? "towards the mock" : "towards the gateway")
        }
        let units = scope == .connection ? "connections" : match?.phrase ?? "requests"
        if toxicity != Ratio(1) {
            parts.append("on \(toxicity) of \(units)")
        } else if match != nil {
            parts.append("on \(units)")
        }
        switch (nth, count) {
        case (let nth?, let count?): parts.append("\(count) from number \(nth) on")
        case (let nth?, nil): parts.append("number \(nth) alone")
        case (nil, let count?): parts.append("the first \(count)")
        case (nil, nil): break
        }
        return parts.joined(separator: ", ")
    }
}

extension InstalledToxic {
    /// A fault of a scenario, under the name of its step.
    package init(_ fault: LinkFault, name: String) {
        self.init(
            name: name, toxic: fault.fault, stream: fault.stream, toxicity: fault.toxicity.fraction,
            scope: fault.scope, match: fault.match, nth: fault.nth, count: fault.count)
    }
}
