// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A host name that the scenario's own name server answers for, instead of a fixed override in the gateway.
package struct NamedHost: Hashable, Sendable {
    /// In lower case.
    package var name: String
    package var answer: HostAnswer
    /// How long an answer may be kept.
    package var ttl: Nanoseconds
    package var location: SourceLocation

    package init(name: String, answer: HostAnswer, ttl: Nanoseconds, location: SourceLocation) {
        self.name = name
        self.answer = answer
        self.ttl = ttl
        self.location = location
    }

    /// Short, so that a change is seen soon; real zones have minutes.
    package static let defaultTTL = Nanoseconds.seconds(1)
}

/// Where something is: behind the link to a mock, or at an address.
package enum HostPlace: Hashable, Sendable, CustomStringConvertible {
    case mock(String)
    /// A literal IPv4 or IPv6 address.
    case address(String)

    package var description: String {
        switch self {
        case .mock(let name): name
        case .address(let text): text
        }
    }
}

/// What a name is answered with.
package enum HostAnswer: Hashable, Sendable {
    package struct Service: Hashable, Sendable {
        package var place: HostPlace
        /// Nil = that of the link.
        package var port: Int?
        package var weight: Int
        package var priority: Int

        package init(place: HostPlace, port: Int? = nil, weight: Int = 1, priority: Int = 1) {
            self.place = place
            self.port = port
            self.weight = weight
            self.priority = priority
        }
    }

    /// A and AAAA records; the port is what the Kong document says.
    case addresses([HostPlace])
    /// SRV records, which carry ports and weights.
    case services([Service])
    /// A CNAME record.
    case alias(String)

    package var places: [HostPlace] {
        switch self {
        case .addresses(let places): places
        case .services(let services): services.map(\.place)
        case .alias: []
        }
    }

    /// The mocks it names, each once, in order.
    package var mocks: [String] {
        var names: [String] = []
        for place in places { if case .mock(let name) = place, !names.contains(name) { names.append(name) } }
        return names
    }

    package var phrase: String {
        switch self {
        case .addresses(let places): places.isEmpty ? "no record" : places.map(\.description).joined(separator: ", ")
        case .services(let services): "SRV " + services.map(\.place.description).joined(separator: ", ")
        case .alias(let name): "CNAME \(name)"
        }
    }
}

/// A fault of the name server with one name.
package struct NameFault: Hashable, Sendable {
    package enum Failure: String, Hashable, Sendable, CaseIterable {
        /// There is no such name.
        case nxdomain
        case servfail
        /// No answer at all.
        case timeout
        /// The server refuses to answer (RCODE 5).
        case refuse
    }

    package var name: String
    /// Nil: it answers as before, or with `answer`.
    package var failure: Failure?
    package var answer: HostAnswer?
    package var ttl: Nanoseconds?
    /// The answer comes this much later.
    package var delay: Nanoseconds
    /// The answer goes out so many times; nil: once.
    package var copies: Int?
    /// The answer waits until the next one has gone, at most so long; nil: it does not wait.
    package var hold: Nanoseconds?

    /// How many copies there may be.
    package static let copies = 2...100

    package init(
        name: String, failure: Failure? = nil, answer: HostAnswer? = nil, ttl: Nanoseconds? = nil,
        delay: Nanoseconds = .zero
    ) {
        self.name = name
        self.failure = failure
        self.answer = answer
        self.ttl = ttl
        self.delay = delay
    }

    /// `nxdomain`, or `answered with api-2`, and `300ms late`.
    package var phrase: String {
        var parts: [String] = []
        if let failure { parts.append(failure.rawValue) }
        if let answer { parts.append("answered with \(answer.phrase)") }
        if let ttl { parts.append("for \(ttl)") }
        if delay > .zero { parts.append("\(delay) late") }
        if let copies { parts.append("every answer \(copies) times") }
        if let hold { parts.append("answers in another order, up to \(hold) late") }
        return parts.joined(separator: ", ")
    }
}
