// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A fault on a link. Names and meanings are Toxiproxy's where it has one.
package enum Fault: Hashable, Sendable {
    /// Data is held back by `latency` ± `jitter` (uniform); removing it releases held bytes at once.
    case latency(latency: Nanoseconds, jitter: Nanoseconds)
    /// New connections are refused (the listener is closed), open ones are reset.
    case refuse

    /// The key in the file.
    package var name: String {
        switch self {
        case .latency: "latency"
        case .refuse: "refuse"
        }
    }
}

/// A fault with where on the link it acts.
package struct LinkFault: Hashable, Sendable {
    /// `up` = towards the mock, `down` = towards the gateway.
    package enum Stream: String, Hashable, Sendable, CaseIterable { case up, down, both }
    package var link: String
    package var fault: Fault
    package var stream: Stream
    /// Share of connections it acts on, drawn from the seed.
    package var toxicity: Ratio

    package init(link: String, fault: Fault, stream: Stream, toxicity: Ratio) {
        self.link = link
        self.fault = fault
        self.stream = stream
        self.toxicity = toxicity
    }
}
