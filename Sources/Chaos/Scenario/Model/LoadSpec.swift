// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// One independent generator of requests.
package struct LoadSpec: Hashable, Sendable {
    package enum Arrivals: String, Hashable, Sendable, CaseIterable { case even, poisson }

    /// A piece of an open loop.
    package enum Stage: Hashable, Sendable {
        /// The rate moves from `from` to `to` in a straight line; a constant rate has both equal.
        case rate(from: Rate, to: Rate, length: Nanoseconds)
        /// `size` requests at once, again after every `period`, for `length` (the first at its start).
        case burst(size: Int, period: Nanoseconds, length: Nanoseconds)

        package var length: Nanoseconds {
            switch self {
            case .rate(_, _, let length), .burst(_, _, let length): length
            }
        }
    }

    package enum Shape: Hashable, Sendable {
        /// Requests start at planned times whatever the answers do. Never empty.
        case open(stages: [Stage], arrivals: Arrivals)
        /// `clients` each send, wait for the answer, think, and send again, until `requests` were sent or `length` is
        /// over; at least one of the two is set.
        case closed(clients: Int, think: Nanoseconds, requests: Int?, length: Nanoseconds?)
        /// The requests of a log at their own times, so many times faster. The load's only request says what they have
        /// besides: headers.
        case replay(AccessLog, speed: Double)
    }

    /// A request and how often it is drawn, relative to the others of the mix.
    package struct WeightedRequest: Hashable, Sendable {
        package var weight: Double
        package var request: RequestTemplate

        package init(weight: Double, request: RequestTemplate) {
            self.weight = weight
            self.request = request
        }
    }

    package var id: String
    /// Id of the gateway.
    package var to: String
    package var shape: Shape
    /// Never empty; one entry for a plain `request:`.
    package var mix: [WeightedRequest]
    /// A request without an answer after this long is failed.
    package var timeout: Nanoseconds
    /// Most connections at once; nil = as many as it takes.
    package var maximumConnections: Int?
    package var reusesConnections: Bool
    /// Requests planned before this are left out of statistics, not of invariants.
    package var warmup: Nanoseconds
    package var location: SourceLocation

    package init(
        id: String, to: String, shape: Shape, mix: [WeightedRequest], timeout: Nanoseconds, maximumConnections: Int?,
        reusesConnections: Bool, warmup: Nanoseconds, location: SourceLocation
    ) {
        self.id = id
        self.to = to
        self.shape = shape
        self.mix = mix
        self.timeout = timeout
        self.maximumConnections = maximumConnections
        self.reusesConnections = reusesConnections
        self.warmup = warmup
        self.location = location
    }

    /// Its clients have a session each and send messages; the mix has one entry then.
    package var isWebSocket: Bool { mix.first?.request.isWebSocket ?? false }

    /// The id of a load that gives none, by its place in the list.
    package static func defaultID(_ index: Int) -> String { index == 0 ? "load" : "load-\(index + 1)" }

    /// How long it runs; nil when it ends after a number of requests.
    package var length: Nanoseconds? {
        switch shape {
        case .open(let stages, _): stages.reduce(.zero) { $0 + $1.length }
        case .closed(_, _, _, let length): length
        case .replay(let log, let speed): log.length(speed: speed)
        }
    }
}

/// What is sent; texts may hold `$(n)`, the number of the request within its load, from 1.
package struct RequestTemplate: Hashable, Sendable {
    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: TextTemplate

        package init(name: String, value: TextTemplate) {
            self.name = name
            self.value = value
        }
    }
    package var method: String
    package var path: TextTemplate
    package var headers: [Header]
    package var body: TextTemplate?
    /// A message of a WebSocket session on the path; the body is its text.
    package var isWebSocket = false

    package init(method: String, path: TextTemplate, headers: [Header], body: TextTemplate?) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }
}

/// Text with places to be filled in for every request.
package struct TextTemplate: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case text(String)
        /// An expression over `n`, the number of the request.
        case expression(Expression)
    }
    package var parts: [Part]

    package init(_ parts: [Part]) { self.parts = parts }
    package init(_ text: String) { parts = [.text(text)] }

    /// The text when nothing is left to fill in: the same for every request.
    package var constant: String? {
        parts.reduce("") { text, part in if case .text(let more) = part { text.map { $0 + more } } else { nil } }
    }
}
