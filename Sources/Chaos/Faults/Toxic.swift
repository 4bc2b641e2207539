// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// A fault on the wire as a scenario writes it: what it does, without saying to whom or when. Every case has a file of
/// its own with its settings and its machine.
package enum Toxic: Hashable, Sendable {
    case latency(LatencyToxic)
    case refuse

    /// The word in scenario files and reports.
    package var name: String {
        switch self {
        case .latency: "latency"
        case .refuse: "refuse"
        }
    }

    /// The machine for one direction of one connection; nil when the fault does nothing to bytes that flow.
    /// - Parameter random: the draws of this direction of this connection alone.
    package func machine(random: RandomStream) -> (any StreamToxic)? {
        switch self {
        case .latency(let latency): LatencyMachine(latency, random: random)
        case .refuse: nil
        }
    }

    /// What happens to a new connection.
    package func admission(random: inout RandomStream) -> Admission {
        switch self {
        case .latency(let latency): latency.delaysConnect ? .delay(latency.delay.draw(&random)) : .accept
        case .refuse: .refuse
        }
    }

    /// What a fault does to a connection before any byte flows.
    package enum Admission: Hashable, Sendable {
        case accept
        /// The onward connection is opened this much later.
        case delay(TimeAmount)
        /// As if nobody listened.
        case refuse
    }
}

/// The direction a fault works on, in Toxiproxy's words.
package enum ToxicStream: String, Hashable, Sendable, CaseIterable {
    /// From the client (the gateway) to the server (the mock API).
    case up
    /// From the server back to the client.
    case down
    case both
}

/// A fault as it is put on a link: on which direction, and on which share of the connections.
package struct InstalledToxic: Hashable, Sendable {
    /// Unique on its link; the step's name, so that its draws are its own.
    package var name: String
    package var toxic: Toxic
    package var stream: ToxicStream
    /// The share of connections it works on, 0...1; drawn once a connection.
    package var toxicity: Double

    package init(name: String, toxic: Toxic, stream: ToxicStream = .down, toxicity: Double = 1) {
        self.name = name
        self.toxic = toxic
        self.stream = stream
        self.toxicity = toxicity
    }

    /// What this fault does to one connection, drawn from streams of that connection alone: neither the order of
    /// connections nor other faults change it.
    ///
    /// - Parameters:
    ///   - link: the link's name.
    ///   - connection: the number of the connection on its link, from 1.
    package func decide(link: String, connection: Int, random: RandomStreams) -> ToxicDecision? {
        let stem = "link \(link) toxic \(name) connection \(connection)"
        var decisions = random.stream(stem)
        guard decisions.chance(toxicity) else { return nil }
        func machine(_ direction: ToxicStream) -> (any StreamToxic)? {
            stream == direction || stream == .both
                ? toxic.machine(random: random.stream("\(stem) \(direction.rawValue)")) : nil
        }
        return ToxicDecision(
            name: name, admission: toxic.admission(random: &decisions), up: machine(.up), down: machine(.down))
    }
}

/// What one fault does to one connection.
package struct ToxicDecision: Sendable {
    package var name: String
    package var admission: Toxic.Admission
    package var up: (any StreamToxic)?
    package var down: (any StreamToxic)?
}
