// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension BrokenFile {
    /// Mistakes in the head, variables and the matrix.
    static let head: [BrokenFile] = [
        .init(
            "scenario: small", "scenari: small",
            "1:1: unknown key `scenari` in the scenario; did you mean `scenario`?",
            "1:1: the scenario needs `scenario`; start with `scenario: <id>`"),
        .init(
            "scenario: small", "scenario: Small One",
            "1:11: `scenario` cannot be `Small One`; use a-z, 0-9 and -: small-one"),
        .init(
            "scenario: small", "scenario: small\nsede: 4",
            "2:1: unknown key `sede` in the scenario; did you mean `seed`?"),
        .init(
            "scenario: small", "scenario: small\nseed: 4.5",
            "2:7: `seed` must be a whole number from 0 to 2^64 - 1, not `4.5`"),
        .init(
            "scenario: small", "scenario: small\nmode: virtal",
            "2:7: `mode` cannot be `virtal`; did you mean `virtual`?"),
        .init(
            "scenario: small", "scenario: small\nmode: virtual",
            "2:1: not supported yet: `mode: virtual`; the file runs in real time without it"),
        .init(
            "scenario: small", "scenario: small\ntimeout: 10s",
            "2:10: `timeout` (10s) is not longer than the load (20s)"),
        .init(
            "scenario: small", "scenario: small\ntimeout: 120",
            "2:10: `timeout` must be a duration, not a number (`120`); write 120s or 120ms"),
        .init(
            "scenario: small", "scenario: small\nrepeat: 0",
            "2:9: `repeat` must be 1..100000, not 0"),
        .init(
            "scenario: small", "scenario: small\ntolerance: { timers: 5ms }",
            "2:14: unknown key `timers` in `tolerance`; did you mean `timer`?"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", "vars: { rate: 50/s, s: 3s }",
            "2:21: `s` cannot name a variable: it has a meaning of its own; rename it"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", "vars: { rate: 50, slow: 3s }",
            "20:37: `rate` of the load `users` must be a rate, not a number (`50`); write 50/s"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", "vars: { rate: [50/s], slow: 3s }",
            "2:15: the variable `rate` must be one value, not a list"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", #"vars: { slow: 3s, rate: "$(slow * 2)" }"#,
            "20:37: `rate` of the load `users` must be a rate, not a duration (`6s`); write 50/s"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", "vars: { rate: 50/s }\nmatrix: { rate: [50/s] }",
            "2:9: `rate` is a variable and an axis of the matrix; keep one"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", "vars: { rate: 50/s }\nmatrix: { a: 1 }",
            "3:14: the axis `a` must be a list of values; write [a, b]"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", "vars: { rate: 50/s }\nmatrix: { a: [1, 2], exclude: [{ a: 3 }] }",
            "3:37: `a` is never 3; it is 1 or 2"),
        .init(
            "vars: { rate: 50/s, slow: 3s }", "vars: { rate: 50/s }\nmatrix: { a: [1], exclude: [{ a: 1 }] }",
            "3:9: `exclude` leaves no cell of the matrix; remove one of its items"),
    ]

    /// Mistakes in the topology.
    static let topology: [BrokenFile] = [
        .init(
            #"target: "api:8080""#, #"target: "ap:8080""#,
            #"8:5: no host of the Kong document is a mock; rename the mock, or write bind: { "ap:8080": api }"#),
        .init(
            "{ health: /health }", "{ healt: /health }",
            "5:12: unknown key `healt` in the mock `api`; did you mean `health`?"),
        .init(
            "{ health: /health }", "{ env: { ERROR_RAT: 0.5 } }",
            "5:19: unknown setting ERROR_RAT; did you mean ERROR_RATE?"),
        .init(
            "{ health: /health }", "{ env: { ERROR_RATE: lots } }",
            #"5:19: ERROR_RATE: "lots" is not a number; give a probability such as 0.1 or 10%"#),
        .init(
            "{ count: 2 }", "{ count: two }",
            "6:20: `two` is neither a variable nor a mark; variables stand in `vars:` and `matrix:`"),
        .init(
            "{ count: 2 }", "{ count: 0 }",
            "6:20: `count` of the mock `pair` must be 1..1000, not 0"),
        .init(
            "    pair:", "    pair one:",
            "6:5: `pair one` cannot name a node; use letters, digits, _ and -; `bind:` maps host names"),
        .init(
            "    inline:", "    kong: ./none.yml\n    inline:",
            "9:5: the gateway has more than one configuration; keep one of kong, inline"),
        .init(
            "    inline:", "    inlin:",
            "8:5: unknown key `inlin` in the gateway; did you mean `inline`?",
            "8:5: the gateway has no configuration; write `kong: ./kong.yml` or `inline:`"),
        .init(
            "{ from: gateway, to: api }", "{ from: gateway, to: apii }",
            "18:32: there is no mock `apii`; did you mean `api`?"),
        .init(
            "{ from: gateway, to: api }", "{ from: gateway, to: api, protocol: udp }",
            "18:47: `protocol` of the link `wire` cannot be `udp`; write tcp or http or tls"),
        .init(
            "{ from: gateway, to: api }", "{ from: gateway, to: api, port: 99999 }",
            "18:43: `port` of the link `wire` must be 1..65535, not 99999"),
        .init(
            "links:", "bind: { \"orders:80\": api }\n  links:",
            "17:11: there is no host in the Kong document `orders:80`; there is `api:8080`"),
    ]

    /// Mistakes in loads.
    static let loads: [BrokenFile] = [
        .init(
            "rate: \"$(rate)\", for: 20s", "replay: ../access.log",
            "20:39: `replay` must name a file in the scenario's folder, not `../access.log`; copy the log there"),
        .init(
            "rate: \"$(rate)\", for: 20s", "replay: /etc/passwd",
            "20:39: `replay` must name a file in the scenario's folder, not `/etc/passwd`; copy the log there"),
        .init(
            "rate: \"$(rate)\", for: 20s", "replay: no-such.log",
            "20:39: no-such.log: cannot be read; there is no such file"),
        .init(
            "rate: \"$(rate)\", for: 20s", "replay: no-such.log, for: 20s",
            "20:39: no-such.log: cannot be read; there is no such file",
            "20:52: `for` beside `replay`: the log says what is sent, and when; remove it"),
        .init(
            "rate: \"$(rate)\", for: 20s", "replay: { file: no-such.log, speed: fast }",
            "20:47: no-such.log: cannot be read; there is no such file",
            "20:67: `speed` cannot be `fast`; write one such as 2x, from 0.001x to 1000x"),
        .init(
            #"rate: "$(rate)""#, "rate: 50",
            "20:37: `rate` of the load `users` must be a rate, not a number (`50`); write 50/s"),
        .init(
            #"rate: "$(rate)""#, #"rate: "$(rat)""#,
            "20:40: `rat` is neither a variable nor a mark; did you mean `rate`?"),
        .init(
            #"rate: "$(rate)""#, "clients: 4, rate: 5/s",
            "20:43: `rate` belongs to an open loop; remove it, or `clients`"),
        .init(
            ", for: 20s", "",
            "20:5: the load `users` needs `for`; write for: 45s"),
        .init(
            ", for: 20s", ", for: 20",
            "20:53: `for` of the load `users` must be a duration, not a number (`20`); write 20s or 20ms"),
        .init(
            "for: 20s", "for: 20s, arrivals: random",
            "20:68: `arrivals` of the load `users` cannot be `random`; write even or poisson"),
        .init(
            "to: gateway, rate", "to: gatway, rate",
            "20:22: there is no gateway `gatway`; did you mean `gateway`?"),
        .init(
            "for: 20s", "for: 20s, request: { path: x }",
            "20:75: `path` must start with /, not `x`; write /x"),
        .init(
            "for: 20s", "for: 20s, request: { methd: GET }",
            "20:69: unknown key `methd` in `request` of the load `users`; did you mean `method`?"),
    ]

    /// Mistakes in the time line.
    static let timeline: [BrokenFile] = [
        .init(
            "at: 5s", "at: 5",
            "23:11: `at` of a step must be a duration, not a number (`5`); write 5s or 5ms"),
        .init(
            "at: 5s", "at: 5sec",
            "23:11: `5sec` has no unit known here; units are ns, us, ms, s, m, h (5s, 250ms, 1m30s), % and /s"),
        .init(
            "at: 5s", "at: 5 s",
            "23:13: `s` is not expected here; a unit has no blank before it: 5s"),
        .init(
            "at: 5s", "att: 5s",
            "23:5: a step needs a time; write at: 10s or after: <mark>",
            "23:7: unknown key `att` in a step; did you mean `at`?"),
        .init(
            "at: 5s, name", "name",
            "23:5: a step needs a time; write at: 10s or after: <mark>"),
        .init(
            "at: 5s", "at: 25s",
            "23:5: the step at 25s comes after the end of the load (20s)"),
        .init(
            "at: 5s", "at: 5s, when: health(api) == unhealthy",
            "23:15: a step has more than one time; keep one of at, when"),
        .init(
            "at: 5s, name", "when: health(api) == ill, name",
            "23:13: a target is never `ill`; write healthy or unhealthy"),
        .init(
            "at: 5s", "after: recovered",
            "23:14: `recovered` is neither a variable nor a mark; marks are made by `name:` of a step and "
                + "`as:` of an expectation"),
        .init(
            "at: 5s", "after: dark",
            "23:14: `dark` is an interval, not an instant; write `dark.start` or `dark.end`"),
        .init(
            "at: 5s", "after: tripped",
            "23:5: marks wait for each other: errors -> tripped -> errors; measure one of them from a step"),
        .init(
            "mock: api, set", "mock: pair, set",
            "23:44: `pair` is a group of 2 mocks; name one: pair-1, pair-2"),
        .init(
            "mock: api, set", "mock: apl, set",
            "23:44: there is no mock `apl`; did you mean `api`?"),
        .init(
            "mock: api, set: { ERROR_RATE: 0.9 }", "mock: api",
            "23:5: a step on a mock needs `set`; write set: { ERROR_RATE: 0.9 }"),
        .init(
            "mock: api, set: { ERROR_RATE: 0.9 }", "mock: api, set: { ERROR_RATE: 0.9 }, kill: api",
            "23:75: a step does mock and kill at once; write a step for each"),
        .init(
            "mock: api, set: { ERROR_RATE: 0.9 }", "kill: api-1",
            "23:44: there is no node `api-1`; did you mean `pair-1`?"),
        .init(
            "mock: api, set: { ERROR_RATE: 0.9 }", "kill: api, restart: after 10s",
            "23:49: `restart: after …` and `for:` mean the same; keep one"),
        .init(
            "mock: api, set: { ERROR_RATE: 0.9 }", "resume: api",
            "23:29: this step cannot be undone; remove `for`"),
        .init(
            "mock: api, set: { ERROR_RATE: 0.9 }", "config: ./kong-2.yml",
            "23:46: kong-2.yml: cannot be read; there is no such file"),
        .init(
            "link: wire, fault", "link: wir, fault",
            "24:32: there is no link `wir`; did you mean `wire`?"),
        .init(
            "{ latency: 3s }", "{ latency: 3 }",
            "24:56: `latency` must be a duration, not a number (`3`); write 3s or 3ms"),
        .init(
            "{ latency: 3s }", "{ latncy: 3s }",
            "24:47: unknown key `latncy` in `fault`; did you mean `latency`?"),
        .init(
            "{ latency: 3s }", "{ goaway: { after: 0 } }",
            "24:47: `goaway` works on HTTP/2, and the mock `api` speaks HTTP/1.1 alone; "
                + "give the mock `api` http2: true",
            "24:64: `after` of `goaway` must be 1..1000000, not 0"),
        .init(
            "{ latency: 3s }", "{ latency: 3s }, stream: sideways",
            "24:70: `stream` cannot be `sideways`; write up or down or both"),
        .init(
            "{ latency: 3s }", "{ latency: 3s }, toxicity: 50",
            "24:72: `toxicity` must be from 0% to 100%, not 5000%; write 50%"),
        .init(
            "name: lag", "name: errors",
            "24:21: there are two marks `errors`; rename one: line 23 makes it too"),
        .init(
            "name: lag", "name: end",
            "24:21: there are two marks `end`; rename one: every run has it"),
    ]
}
