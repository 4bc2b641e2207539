// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension Vocabulary {
    // MARK: Which answers

    static let filter = KeyTable(
        "Which answers: every part that is there must match.",
        [
            .init("status", .either([.named("status"), .list(.named("status"))]), "503, 5xx, 500..504 or a list."),
            .init("origin", .words(["gateway", "upstream"]), "Who made the answer."),
            .init(
                "outcome", .words(["ok", "failed", "unknown"]),
                "ok = below 400 in time, failed = a worse one or none, unknown = nobody can know."),
            .init("of", loads, "Loads."),
            .init("method", .text, "The method."),
            .init("path", path, "A prefix of the path."),
        ])

    static let outcome = SchemaShape.either([.words(["ok", "failed", "unknown"]), .object(filter)])

    static let traffic = KeyTable(
        "Requests at a mock.",
        [
            .init("to", .text, "A mock, or a group for all of its mocks.", required: true),
            .init("path", path, "A prefix of the path."),
            .init("method", .text, "The method."),
            .init("count", .bound, "How many."),
            .init("share", .bound, "Of the requests that reached any mock."),
            .init("nodes", .bound, "How many mocks of the group got any of them: == 1."),
            .init("moved", .bound, "How many paths that the mock served in `since` were served by another: == 0."),
            .init("since", .during, "With moved: when it is looked at which mock serves a path."),
        ])

    // MARK: Expectations

    private static let target = KeyTable.Key("target", .text, "A mock, upstream/host:port, or gateway/mock.")
    private static let during = KeyTable.Key(
        "during", .during, "From one mark to another, a..b, or a step or window with an end; the whole run.")
    private static let of = KeyTable.Key("of", loads, "Loads; all of them.")

    static let expectation = KeyTable(
        "Something that must have been observed.",
        [
            .init("id", identifier, "Its name in reports."),
            .init("why", .text, "Why it matters, for whoever reads the report."),
            .init("severity", .words(["must", "should"]), "should does not fail the run."),
            .init("weight", .number, "What it counts for in a score; 1."),
            target,
            .init(
                "becomes", .words(["healthy", "unhealthy"]), "The first such change after a mark lies in the bound."),
            .init("within", .bound, "A time, or a number of requests: 300ms, 12 requests."),
            .init("after", .mark, "The mark that it is measured from."),
            .init("cause", .words(["passive", "active", "manual"]), "What must have changed it."),
            .init("as", identifier, "Names the moment: later bounds can be measured from it."),
            .init(
                "stays", .words(["healthy", "unhealthy", "running", "paused", "dead"]),
                "It is in no other state: health of a target, state of a process."),
            .init("from", .mark, "The start, for stays."),
            .init("until", .mark, "The end, for stays."),
            .init("flaps", .bound, "How many departures are allowed."),
            .init(
                "window", .either([.duration, .words(["ok", "failed", "unknown"]), .object(filter)]),
                "The runs of matching answers keep the bounds; with availability: the length of a sliding window."),
            .init("starts", .relativeBound, "0ms..100ms after tripped"),
            .init("ends", .relativeBound, "0ms..150ms after recovered"),
            .init("lasts", .bound, "How long."),
            .init(
                "count", .either([.bound, .object(filter)]),
                "Of a window: how many runs. Of its own: which answers are counted."),
            .init("purity", .ratio, "The least share of matching answers in a run."),
            .init("gap", .duration, "Matching answers further apart are two runs."),
            .init(
                "clock", .words(["arrival", "completion"]),
                "By planned start (the default), or by the end of the answer."),
            during, of,
            .init("recovered", .object(recovered), "The first instant from which the share of good answers holds."),
            .init("availability", .bound, "The share of answers below 400."),
            .init("budget", .bound, "Bad answers allowed, as a number."),
            .init("latency", .either([.bound, .map(.bound)]), "min, mean, max, p50, p99, p99.9, …"),
            .init("corrected", .boolean, "From the planned start (true), or from the sending."),
            .init("only", outcome, "Which answers."),
            .init("requests", .object(requestBounds), "The clients' journal joined with the mocks'."),
            .init("traffic", .object(traffic), "So many requests reached the mock."),
            .init("probes", .object(probes), "Health probes that the mock saw."),
            .init("is", .bound, "How many, for count."),
            .init("order", .list(.mark), "The marks are in this order."),
            .init("process", .text, "A node."),
            .init("exit", .object(exit), "How a node ended."),
            .init("rss", .bound, "Resident memory of a process: <= 200MiB."),
            .init("fds", .bound, "Open descriptors of a process."),
            .init("log", .object(log), "Lines of a node's log."),
            .init("metric", .object(metric), "A series of a node's metrics."),
            .init("at", .mark, "The moment of a metric; the end of the run."),
            .init("model", .words(["kong-health"]), "An independent model predicts every health change."),
            .init("sometimes", outcome, "It happened at least once, else the test tested nothing."),
            .init("baseline", .text, "No regression against a journal, or what --json wrote."),
        ] + BaselineBounds.Figure.allCases.map { KeyTable.Key($0.rawValue, .bound, "Against the baseline: <= +10%.") },
        rules: [
            .anyOf(ExpectationShape.allCases.map(\.rawValue)), .needs("becomes", ["target", "within", "after"]),
            .needs("recovered", ["within", "after"]), .needs("from", ["stays"]), .needs("until", ["stays"]),
            .needs("flaps", ["stays"]), .needs("lasts", ["window"]), .needs("starts", ["window"]),
            .needs("ends", ["window"]),
            .needs("purity", ["window"]), .needs("cause", ["becomes"]), .needs("budget", ["availability"]),
            .needs("corrected", ["latency"]), .needs("is", ["count"]), .needs("rate", ["baseline"]),
            .belongs(["within", "after"], to: ["becomes", "recovered"]),
            .belongs(["as"], to: ["becomes", "recovered", "window"]),
            .needsAny("target", ["becomes", "stays"]), .needsAny("process", ["stays", "rss", "fds"]),
        ])

    static let recovered = KeyTable(
        "When answers are well again.",
        [
            .init("ok", .ratio, "The share of good answers.", required: true),
            .init("stable", .duration, "For so long.", required: true),
        ])

    static let requestBounds = KeyTable(
        "The clients' journal joined with the mocks'.",
        [
            .init("lost", .bound, "Answered well to the client, seen by no mock."),
            .init("duplicated", .bound, "Served more than once."),
            .init("unknown", .bound, "Of unknown outcome."),
        ], rules: [.anyOf(["lost", "duplicated", "unknown"])])

    static let probes = KeyTable(
        "Health probes.",
        [
            .init("to", .text, "A mock.", required: true),
            .init("every", .bound, "The distance of neighbours: 5s ± 0.3s."),
            .init("count", .bound, "How many."),
        ], rules: [.anyOf(["every", "count"])])

    static let exit = KeyTable(
        "How a node ended.",
        [
            .init("of", .text, "The node.", required: true),
            .init("signal", .either([.text, .whole(1...64)]), "KILL, TERM, …"),
            .init("code", .whole(0...255), "The exit code."),
        ], rules: [.oneOf(["signal", "code"])])

    static let log = KeyTable(
        "Lines of a log.",
        [
            .init("of", .text, "The node.", required: true),
            .init("match", .text, "/regular expression/, /…/i, or a part of the line.", required: true),
            .init("count", .bound, "How many; at least one."),
        ])

    static let metric = KeyTable(
        "A series of metrics.",
        [
            .init("of", .text, "A gateway, a mock, or links.", required: true),
            .init(
                "name", .pattern("^[A-Za-z_:][A-Za-z0-9_:]*(\\{.*\\})?$", hint: "name{label=\"value\"}"),
                "All series that have these labels, summed.", required: true),
            .init("is", .bound, "Its value.", required: true),
        ])

    // MARK: Invariants

    static let invariant = KeyTable(
        "Something that must hold at every event.",
        [
            .init("id", identifier, "Its name in reports."),
            .init("why", .text, "Why it matters."),
            .init("never", .object(never), "This never happens."),
            .init("always", .object(always), "This always holds."),
            during,
        ], rules: [.oneOf(["never", "always"])])

    static let never = KeyTable(
        "Answers, requests at mocks or connections that never come.",
        filter.keys + [
            .init("target", .text, "A target."),
            .init("becomes", .words(["healthy", "unhealthy"]), "It never gets to this state."),
            .init("log", .object(neverLog), "No such line is logged."),
            .init("probes", .object(connections), "No probe reaches the mock."),
            .init("traffic", .object(neverTraffic), "No such request reaches a mock."),
            .init("connections", .object(connections), "No such connection is opened."),
            .init("while", .condition, "While this holds."),
            .init("grace", .duration, "Once it held for so long."),
            .init("except", .words(["probes"]), "Connections of probes aside."),
        ],
        rules: [
            .anyOf(filter.names + ["traffic", "connections", "probes", "log", "becomes"]),
            .belongs(["while", "grace"], to: ["traffic", "connections", "probes"]),
            .needs("except", ["connections"]),
        ])

    static let neverTraffic = KeyTable(
        "Requests at a mock.", traffic.keys.filter { ["to", "path", "method"].contains($0.name) })

    static let connections = KeyTable("Connections.", [.init("to", .text, "A mock, or a group.", required: true)])

    static let neverLog = KeyTable("Lines of a log.", log.keys.filter { ["of", "match"].contains($0.name) })

    static let always = KeyTable(
        "What always holds.",
        [
            .init("latency", .bound, "Of every matching answer."),
            .init("only", outcome, "Which answers."),
            of,
            .init("process", .text, "A node."),
            .init("is", .words(["running", "paused", "dead"]), "Its state."),
            .init("rss", .bound, "Its resident memory."),
            .init("fds", .bound, "Its open descriptors."),
            .init("target", .text, "A target."),
            .init("stays", .words(["healthy", "unhealthy"]), "It is in this state."),
            .init("metric", .object(metric), "Every sample of a series."),
            .init("availability", .bound, "The share of answers below 400, in every window."),
            .init("window", .duration, "The length of the window."),
        ],
        rules: [
            .anyOf(["latency", "process", "target", "metric", "availability"]),
            .needsAny("process", ["is", "rss", "fds"]), .needs("target", ["stays"]), .needs("availability", ["window"]),
        ])

    static let bounds = KeyTable(
        "A bound without operators.",
        [
            .init("at_least", .any, "The least."),
            .init("at_most", .any, "The most."),
        ], rules: [.anyOf(["at_least", "at_most"])])
}
