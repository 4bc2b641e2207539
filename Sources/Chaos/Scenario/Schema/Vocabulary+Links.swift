// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import MockAPI

extension Vocabulary {
    static let link = KeyTable(
        "A link from a gateway to a mock.",
        [
            .init("from", .text, "A gateway; the first when it is not given."),
            .init("to", .text, "A mock.", required: true),
            .init("protocol", .words(LinkSpec.Transport.allCases.map(\.rawValue)), "How bytes are understood."),
            .init("port", .whole(1...65_535), "A fixed port on loopback."),
        ])

    static let load = KeyTable(
        "A generator of requests.",
        [
            .init("id", identifier, "Its name; requests carry X-Chaos-Id: <id>-<n>."),
            .init("to", .text, "A gateway, or a process in front of it."),
            .init("request", .object(request), "What is sent."),
            .init("mix", .list(.object(weighted)), "Requests to draw from, by weight."),
            .init("replay", .any, "An access log to send again."),
            .init("timeout", .duration, "No answer after this is a failure; 10s."),
            .init("connections", .object(loadConnections), "How many, and whether they are used again."),
            .init("rate", .rateRange, "An open loop: 50/s, or 10/s..200/s for a straight line."),
            .init("for", .duration, "How long."),
            .init("stages", .list(.object(stage)), "An open loop of several pieces."),
            .init("arrivals", .words(["even", "poisson"]), "How arrivals are spread; even."),
            .init("clients", .whole(1...100_000), "A closed loop of so many clients."),
            .init("think", .duration, "A client's pause between answer and request."),
            .init("requests", .whole(1...1_000_000_000), "A closed loop ends after so many."),
            .init("warmup", .duration, "Left out of statistics, not of invariants."),
        ],
        rules: [
            .anyOf(["rate", "stages", "clients", "replay"]), .needs("rate", ["for"]), .needs("think", ["clients"]),
        ])

    static let weighted = KeyTable(
        "A request of a mix.",
        [
            .init("weight", .number, "How often, relative to the others; 1."),
            .init("request", .object(request), "The request.", required: true),
        ])

    static let stage = KeyTable(
        "A piece of an open loop.",
        [
            .init("rate", .rateRange, "50/s, or 10/s..200/s."),
            .init("for", .duration, "How long."),
            .init("burst", .whole(1...1_000_000), "So many at once, again after every `every`."),
            .init("every", .duration, "The period of a burst."),
        ], rules: [.anyOf(["rate", "burst"]), .needs("burst", ["every"])])

    static let loadConnections = KeyTable(
        "Connections of a load.",
        [
            .init("max", .whole(1...1_000_000), "How many at once."),
            .init("reuse", .boolean, "Whether they are used again."),
        ])

    /// The switches of a mock.
    static var switches: [(name: String, shape: SchemaShape, about: String)] {
        MockSettingKey.allCases.map { key in
            switch key {
            case .errorRate: (key.rawValue, .any, "Probability of an error: 0.9 or 90%.")
            case .errorStatus: (key.rawValue, .whole(400...599), "What such an error answers; 500.")
            case .errorNext: (key.rawValue, .any, "\"3 of 10\": the first 3 of the next 10 requests fail.")
            case .errorSkipHealth: (key.rawValue, .boolean, "Whether errors spare the health answer; true.")
            case .latency: (key.rawValue, .any, "How long answers are held back: 20ms, or a distribution.")
            case .latencySkipHealth: (key.rawValue, .boolean, "Whether the delay spares the health answer.")
            case .health: (key.rawValue, .words(["healthy", "unhealthy", "hang"]), "What the health answer says.")
            case .hang: (key.rawValue, .boolean, "Requests are read and never answered.")
            case .close: (key.rawValue, .text, "Closes instead of answering: none, before head, mid body.")
            case .bodyBytes: (key.rawValue, .any, "Pads bodies to this size.")
            case .catchAll: (key.rawValue, .boolean, "Every other path answers as /hello.")
            case .healthPath: (key.rawValue, path, "The path of the health answer.")
            case .routes: (key.rawValue, .any, "Paths with answers of their own.")
            }
        }
    }
}
