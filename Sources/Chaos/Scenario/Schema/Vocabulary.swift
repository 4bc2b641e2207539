// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Every key of the scenario language.
enum Vocabulary {
    static let identifier = SchemaShape.pattern(
        "^[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*$", hint: "letters, digits, _, inner -")
    static let path = SchemaShape.pattern("^(/\\S*|.*\\$\\(.*)$", hint: "begins with /")
    static let loads = SchemaShape.either([.text, .list(.text)])

    // MARK: The head

    static let scenario = KeyTable(
        "A scenario: what is started, what load is sent, what breaks and when, and what must be seen.",
        [
            .init(
                "scenario", .pattern("^[a-z0-9-]+$", hint: "a-z, 0-9 and -"), "Its id.", required: true),
            .init("title", .text, "What it shows, in one line."),
            .init("description", .text, "More about it."),
            .init("tags", .list(.text), "Words to choose it by: gatecrash run --tag."),
            .init(
                "seed", .either([.natural, .pattern("^([0-9]{1,20}|.*\\$\\(.*)$", hint: "a whole number of 64 bits")]),
                "Decides every draw; drawn when it is not given."),
            .init(
                "mode", .words(["any", "real", "virtual"]),
                "What the file is good for: real processes, virtual time, or any of them."),
            .init("timeout", .duration, "The watch-dog, longer than the load; the load + 30s."),
            .init(
                "vars", .map(.text),
                "Variables: $(name) stands for the value. --var and GATECRASH_VAR_NAME replace them."),
            .init("matrix", .named("matrix"), "Lists of values; every combination is a run of its own."),
            .init("repeat", .whole(1...100_000), "How often it is run."),
            .init("tolerance", .object(tolerance), "What the host's own slowness excuses, in real time."),
            .init("topology", .object(topology), "Gateways, mock APIs, the links between them.", required: true),
            .init("load", .list(.object(load)), "Generators of requests, each independent.", required: true),
            .init("timeline", .list(.object(step)), "What happens when."),
            .init("expect", .list(.object(expectation)), "What must have been observed."),
            .init("invariants", .list(.object(invariant)), "What must hold at every event."),
        ], rules: [.anyOf(["expect", "invariants"])])

    static let tolerance = KeyTable(
        "What the host's own slowness excuses.",
        [
            .init(
                "timer", .either([.words(["auto"]), .duration]),
                "Widens upper bounds; auto = as late as a canary timer was (p99.9)."),
            .init("max_lateness", .duration, "A generator later than this makes the verdict inconclusive; 50ms."),
        ])

    // MARK: Topology

    static let topology = KeyTable(
        "What is started.",
        [
            .init(
                "gateway", .named("gateways"), "One gateway (its name is gateway), or a map of names to gateways.",
                required: true),
            .init("mocks", .map(.either([.nothing, .object(mock)])), "Mock APIs by name.", required: true),
            .init(
                "links", .map(.object(link)),
                "Names and settings for links; every gateway has one to every mock, gateway->api."),
            .init(
                "bind", .map(.text),
                "Host names of the Kong document that are no mocks: \"orders.internal:8080\": api-1."),
            .init("dns", .any, "Names that the scenario's own name server answers, with their addresses."),
            .init("processes", .map(.object(program)), "Programs in front of the gateways, such as a load balancer."),
        ])

    static let gateway = KeyTable(
        "A gateway.",
        [
            .init("kong", .text, "The path of a Kong declarative file, relative to the scenario."),
            .init("inline", .named("kong"), "A Kong declarative document; $(…) is filled in."),
            .init("url", .text, "The proxy of a gateway that runs elsewhere."),
            .init("admin", .text, "Its Admin API."),
            .init("env", .map(.text), "KONG_… settings."),
            .init(
                "process", .words(["spawn", "in-process"]), "Its own process (default), or in the runner's."),
        ], rules: [.anyOf(["kong", "inline", "url"]), .needs("url", ["admin"]), .needs("admin", ["url"])])

    static let mock = KeyTable(
        "A mock API.",
        [
            .init(
                "count", .whole(1...1_000),
                "So many of them: api-1, api-2, …; one without a number when it is not given."),
            .init("env", .named("switches"), "Switches at the start."),
            .init("health", path, "The path of its health answer; /health."),
            .init("tls", .any, "TLS towards the gateway, with its certificate and versions."),
            .init("http2", .boolean, "Takes HTTP/2 beside HTTP/1.1, as a service of protocol grpc wants."),
            .init("routes", .list(.object(route)), "Paths with answers of their own; the first that fits answers."),
        ])

    static let route = KeyTable(
        "A path with an answer of its own.",
        [
            .init(
                "path", path, "As sent, without the query; one that ends in * fits all that begin so.", required: true),
            .init("method", .pattern("^([A-Z]+|.*\\$\\(.*)$", hint: "capitals"), "Every method when it is not given."),
            .init("status", .whole(200...599), "200 when it is not given."),
            .init("body", .any, "Text as it is, everything else as JSON."),
            .init("headers", .map(.text), "Fields of the answer."),
            .init(
                "latency", .any,
                "How long the answer is held back: 20ms, or a distribution; LATENCY when it is not given."),
        ])

    static let program = KeyTable(
        "A program in front of the gateways.",
        [
            .init(
                "command", .list(.text),
                "The program and its arguments; $(port), $(port(node)), $(file(name)) and $(folder) are filled in.",
                required: true),
            .init("requires", .either([.text, .list(.text)]), "Programs without which the scenario is skipped."),
            .init("env", .map(.text), "Its environment."),
            .init("files", .map(.text), "Files that are written for it."),
        ])

    // MARK: Load

    static let request = KeyTable(
        "A request; $(n) in its texts is its number within the load.",
        [
            .init("method", .pattern("^([A-Z]+|.*\\$\\(.*)$", hint: "capitals"), "GET when it is not given."),
            .init("path", path, "/ when it is not given."),
            .init("headers", .map(.text), "Fields of the request."),
            .init("body", .text, "The body."),
            .init(
                "websocket", .boolean,
                "Each client of a closed loop opens a WebSocket on the path and sends the body as messages."),
        ])

    // MARK: Time line

    static let step = KeyTable(
        "A step of the time line.",
        [
            .init("name", identifier, "The mark that it makes; <name>.end when it is undone."),
            .init("for", .durationRange, "Undone so much later; a range is drawn from."),
            .init("at", .duration, "From the start of the load."),
            .init("after", .mark, "Measured from a mark: crash + 2s, tripped."),
            .init("when", .condition, "As soon as this holds: health(api) == unhealthy."),
            .init("every", .duration, "Again and again, times: so often."),
            .init("times", .whole(1...1_000), "How often."),
            .init("between", .listOf(.mark, count: 2), "Once between two times, drawn from the seed."),
            .init("random", .boolean, "false spreads evenly instead of drawing."),
            .init(
                "checkpoint", identifier, "Every invariant must hold now; the first one is a precondition."),
            .init("mock", .named("mock choice"), "Changes switches of a mock."),
            .init("set", .named("switches"), "The switches of a mock."),
            .init("link", .text, "Puts a fault on a link."),
            .init("fault", .named("fault"), "The fault."),
            .init("stream", .words(["up", "down", "both"]), "up = towards the mock, down = towards the gateway."),
            .init("toxicity", .ratio, "The share of connections that it acts on."),
            .init(
                "decide", .words(["connection", "request"]),
                "Whether the share is drawn once a connection or once a request."),
            .init("match", .any, "Which requests: { method, path, header }."),
            .init("nth", .whole(1...1_000_000_000), "Only every so many: 10 = each tenth."),
            .init("count", .whole(1...1_000_000_000), "Only so many."),
            .init("kill", .named("node choice"), "SIGKILL."),
            .init("crash_loop", .object(crashLoop), "Killed and started again and again."),
            .init("pause", .named("node choice"), "SIGSTOP."),
            .init("resume", .named("node choice"), "SIGCONT."),
            .init("signal", .object(signal), "Any signal."),
            .init("stop", .named("node choice"), "SIGTERM, after `drain` SIGKILL."),
            .init("start", .named("node choice"), "Starts a killed or stopped node again."),
            .init(
                "restart", .either([.pattern("^after .*", hint: "after 10s, beside kill"), .named("node choice")]),
                "Stops and starts a node; beside `kill`: after how long."),
            .init("drain", .duration, "How long a node may take to end in order; 5s."),
            .init(
                "config", .either([.text, .object(configuration)]),
                "Loads another Kong document into a gateway under load."),
            .init("patch", .named("kong"), "Lays parts over the gateway's Kong document and loads the result."),
            .init("to", .text, "The gateway of a config or patch; the first when it is not given."),
            .init("by", .words(["admin", "signal"]), "POST /config, or a new file and SIGHUP."),
            .init("health", .object(health), "Sets the health of a target by hand."),
            .init("dns", .object(nameFault), "Resolver faults."),
            .init("stress", .any, "Uses up CPU, memory or descriptors."),
            .init("exec", .list(.text), "Runs a program of the scenario's folder."),
            .init("undo", .list(.text), "What undoes it."),
            .init("timeout", .duration, "How long it may take; 10s."),
        ],
        rules: [
            .anyOf(["at", "after", "when", "every", "between"]), .anyOf(actions), .needs("mock", ["set"]),
            .needs("link", ["fault"]), .needs("every", ["times"]), .belongs(["set"], to: ["mock"]),
            .belongs(["crash_loop"], to: ["kill"]), .belongs(["undo"], to: ["exec"]),
        ])

    static let actions = [
        "checkpoint", "mock", "link", "kill", "pause", "resume", "start", "restart", "signal", "stop", "config",
        "patch", "health", "dns", "stress", "exec",
    ]
    static let times = ["at", "after", "when", "every", "times", "between", "random"]

    static let nameFault = KeyTable(
        "A fault of the scenario's name server with one name.",
        [
            .init("name", .text, "A name that it answers for.", required: true),
            .init("fail", .words(NameFault.Failure.allCases.map(\.rawValue)), "It fails in this way."),
            .init("answer", .any, "Other mocks, or addresses on loopback; one or a list."),
            .init("ttl", .duration, "How long an answer may be kept."),
            .init("delay", .duration, "Answers come this much later."),
            .init("duplicate", .whole(NameFault.copies), "Every answer goes out so many times."),
            .init("reorder", .duration, "An answer waits until the next has gone, at most so long."),
        ])

    static let crashLoop = KeyTable(
        "Crashes one after the other.",
        [
            .init("times", .whole(1...1_000), "How many.", required: true),
            .init("up", .duration, "How long it is up in between.", required: true),
            .init("down", .durationRange, "How long it is down; a range is drawn from.", required: true),
        ])

    static let signal = KeyTable(
        "A signal.",
        [
            .init("to", .named("node choice"), "The node.", required: true),
            .init(
                "name", .either([.pattern("^(SIG|sig)?[A-Za-z0-9]+$", hint: "TERM, SIGTERM or 15"), .whole(1...64)]),
                "TERM, HUP, STOP, …", required: true),
        ])

    static let health = KeyTable(
        "Health set by hand.",
        [
            .init("target", .text, "A mock, or upstream/host:port.", required: true),
            .init("set", .words(["healthy", "unhealthy"]), "What it is set to.", required: true),
        ])

    static let configuration = KeyTable(
        "A Kong document.",
        [
            .init("kong", .text, "The path of a declarative file, relative to the scenario."),
            .init("inline", .named("kong"), "The document itself."),
        ], rules: [.oneOf(["kong", "inline"])])

    static let choice = KeyTable(
        "A choice among nodes; a group stands for its mocks.",
        [
            .init("one-of", .either([.text, .list(.text)]), "One of them, drawn from the seed."),
            .init("all-of", .either([.text, .list(.text)]), "All of them."),
            .init("some-of", .either([.text, .list(.text)]), "`count` of them, drawn from the seed."),
            .init("count", .whole(1...1_000), "How many of some-of."),
        ],
        rules: [
            .oneOf(["one-of", "all-of", "some-of"]), .needs("some-of", ["count"]), .belongs(["count"], to: ["some-of"]),
        ])
}
