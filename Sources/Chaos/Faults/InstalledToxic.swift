// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
package import World

/// A fault as it is put on a link: in which direction, and on which connections or requests.
package struct InstalledToxic: Hashable, Sendable {
    /// About what it is decided whether the fault hits.
    package enum Scope: String, Hashable, Sendable, CaseIterable { case connection, request }

    /// Unique on its link; the step's name, so that its draws are its own.
    package var name: String
    package var toxic: Toxic
    package var stream: ToxicStream
    /// The share of connections or requests it works on, 0...1; drawn once for each.
    package var toxicity: Double
    package var scope: Scope
    /// Only requests like this; nil: all.
    package var match: RequestMatch?
    /// The first one it may hit (from 1), counted among those that match since the fault is there; nil: the first.
    package var nth: Int?
    /// How many from `nth` on it may hit; nil: one when `nth` is given, else all.
    package var count: Int?

    package init(
        name: String, toxic: Toxic, stream: ToxicStream = .down, toxicity: Double = 1, scope: Scope? = nil,
        match: RequestMatch? = nil, nth: Int? = nil, count: Int? = nil
    ) {
        self.name = name
        self.toxic = toxic
        self.stream = stream
        self.toxicity = toxicity
        self.scope = scope ?? (toxic.isAboutRequests || match != nil ? .request : .connection)
        self.match = match
        self.nth = nth
        self.count = count
    }

    /// Whether it hits the `place`-th connection or request since it is there, whose draw has the number `draw`. Drawn
    /// from a stream of that number alone: neither order nor other faults change it.
    ///
    /// - Parameter draw: of a connection its number on the link, so that it is hit or spared whatever comes and goes;
    ///   of a request `place`.
    package func hits(place: Int, draw: Int, link: String, random: RandomStreams) -> Bool {
        let first = nth ?? 1
        let most = count ?? (nth == nil ? .max : 1)
        guard place >= first, place - first < most else { return false }
        var decisions = random.stream(stem(link, draw))
        guard decisions.chance(toxicity) else { return false }
        if case .status(let status) = toxic { return decisions.chance(status.rate) }
        return true
    }

    private func stem(_ link: String, _ draw: Int) -> String { "link \(link) toxic \(name) \(scope.rawValue) \(draw)" }

    /// What this fault does to a connection that it hits.
    package func decision(link: String, connection: Int, random: RandomStreams) -> ToxicDecision {
        let stem = stem(link, connection)
        var admissions = random.stream("\(stem) admission")
        func machine(_ direction: ToxicStream) -> (any StreamToxic)? {
            guard works(on: direction) else { return nil }
            return toxic.machine(direction, random: random.stream("\(stem) \(direction.rawValue)"))
        }
        return ToxicDecision(
            name: name, admission: toxic.admission(random: &admissions), up: machine(.up), down: machine(.down))
    }

    /// The stage for the messages of one direction of a connection; nil where the fault does nothing.
    func messageStage(_ direction: ToxicStream, link: String, random: RandomStreams) -> MessageStage? {
        guard scope == .request, works(on: direction) else { return nil }
        return MessageStage(name: name, rank: toxic.messageRank) { draw in
            toxic.messageMachine(direction, random: random.stream("\(stem(link, draw)) \(direction.rawValue)"))
        }
    }

    /// Where the settings of the fault name a side, they say the direction.
    private func works(on direction: ToxicStream) -> Bool {
        switch toxic {
        case .halfClose, .halfOpen: true
        default: stream == direction || stream == .both
        }
    }
}

/// What one fault does to one connection.
package struct ToxicDecision: Sendable {
    package var name: String
    package var admission: Toxic.Admission
    package var up: (any StreamToxic)?
    package var down: (any StreamToxic)?
}

/// Whether a fault hit a connection or a request, as the journal keeps it.
package struct LinkDecision: Hashable, Sendable {
    package var link: String
    /// The fault's name on the link, and what it is.
    package var toxic: String
    package var kind: String
    package var connection: Int
    /// The number of the request among those the fault looked at; nil when it was decided about the connection.
    package var request: Int?
    /// `POST /orders`, and its X-Chaos-Id.
    package var line: String?
    package var chaosID: String?
    package var isHit: Bool
}
