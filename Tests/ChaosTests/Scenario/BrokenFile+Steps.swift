// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension BrokenFile {
    /// Mistakes in what steps do and when.
    static let steps: [BrokenFile] = [
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, signal: { to: api, name: TREM }",
            "23:63: there is no signal `TREM`; did you mean `TERM`?"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, signal: { to: api, name: CHLD }",
            "23:29: this step cannot be undone; remove `for`"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, signal: { name: TERM }",
            "23:46: `signal` needs `to`; write to: <node>"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, signal: { to: api, nam: TERM }",
            "23:46: `signal` needs `name`; write name: TERM",
            "23:57: unknown key `nam` in `signal`; did you mean `name`?"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, signal: api",
            "23:46: `signal` must be a mapping, not text; known keys: to, name"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "every: 5s, name: errors, for: 5s, pause: api",
            "23:5: a step with `every` needs `times`; write times: 3"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, times: 3, name: errors, for: 5s, pause: api",
            "23:15: `times` needs `every`; write every: 5s, times: 3"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "every: 0s, times: 3, name: errors, for: 5s, pause: api",
            "23:14: `every` of a step must be more than 0s, not 0s"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "every: 5s, times: 0, name: errors, for: 5s, pause: api",
            "23:25: `times` of a step must be 1..1000, not 0"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "every: 12s, times: 2, name: errors, for: 1s, pause: api",
            "23:5: the step at 24s comes after the end of the load (20s)"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "when: health(api) == unhealthy, every: 5s, name: errors, for: 5s, pause: api",
            "23:39: `every` does not go with `when`; write a step for each time"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "between: 10s, name: errors, for: 5s, pause: api",
            "23:16: `between` must be a list of two times; write between: [10s, 40s]"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "between: [10s, 5s], name: errors, for: 5s, pause: api",
            "23:16: `between` ends before it starts; put the earlier time first"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "between: [start, lag], name: errors, for: 5s, pause: api",
            "23:24: both ends of `between` must be measured from one mark; write [start, start + "
                + "30s]"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "between: [1s, 5s], random: yes, name: errors, for: 5s, pause: api",
            "23:34: `random` must be true or false, not `yes`; write true"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, random: true, name: errors, for: 5s, pause: api",
            "23:15: `random` belongs to `between`; write between: [10s, 40s]"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: { one-off: pair }",
            "23:44: the choice of a node has no list; write { one-of: <mocks> }, { all-of: "
                + "<mocks> } or { some-of: <mocks>, count: 2 }",
            "23:46: unknown key `one-off` in the choice of a node; did you mean `one-of`?"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: { one-of: pear }",
            "23:54: there is no node `pear`; there are `gateway`, `api`, `pair-1`, `pair-2`"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: { one-of: pair, all-of: pair }",
            "23:44: a node is chosen in one way only; write { one-of: <mocks> }, { all-of: "
                + "<mocks> } or { some-of: <mocks>, count: 2 }"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: { some-of: pair }",
            "23:44: `some-of` needs `count`; write count: 2"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: { some-of: pair, count: 3 }",
            "23:68: there are 2 to choose from, not 3"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: { one-of: pair, count: 1 }",
            "23:60: `count` belongs to `some-of`; remove it"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: { one-of: [] }",
            "23:54: there is nothing to choose from; name mocks"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, kill: api, crash_loop: { times: 3, up: 1s }",
            "23:52: `crash_loop` needs `down`; write down: 500ms..4s"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, kill: api, crash_loop: { times: 3, up: 1, down: 1s }",
            "23:68: `up` of `crash_loop` must be a duration, not a number (`1`); write 1s or 1ms"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, kill: api, crash_loop: { times: 3, up: 1s, down: 4s..1s }",
            "23:78: `down` of `crash_loop` allows nothing: 4s is more than 1s; put the smaller "
                + "first"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, kill: api, restart: after 1s, crash_loop: { times: 3, up: 1s, down: 1s }",
            "23:40: `restart` does not go with `crash_loop`; remove it"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, pause: api, crash_loop: { times: 3, up: 1s, down: 1s }",
            "23:41: `crash_loop` does not belong to `pause`; it belongs to `kill`"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, stop: api, drain: 5",
            "23:56: `drain` must be a duration, not a number (`5`); write 5s or 5ms"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, kill: api, drain: 5s",
            "23:49: `drain` does not belong to `kill`; it belongs to `stop` and `restart`"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s..2s, pause: api",
            "23:34: `for` of a step allows nothing: 5s is more than 2s; put the smaller first"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, health: { target: pair-1, set: unhealthy }",
            "23:56: the mock `pair-1` is no target of an upstream; add it to the Kong document's "
                + "upstream"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, health: { target: api, set: ill }",
            "23:66: `set` of `health` cannot be `ill`; write healthy or unhealthy"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, health: { target: api }",
            "23:46: `health` needs `set`; write set: unhealthy"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, config: { kng: ./k.yml }",
            "23:46: `config` has no configuration; write `kong: ./kong.yml` or `inline:`",
            "23:48: unknown key `kng` in `config`; did you mean `kong`?"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, config: { inline: { _format_version: \"3.0\" } }, by: post",
            "23:90: `by` of a new configuration cannot be `post`; write admin or signal"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, patch: ./k.yml",
            "23:45: `patch` must be a part of a Kong document, not text; write patch: { "
                + "upstreams: { orders-up: { healthchecks: … } } }"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, patch: { upstreams: { upp: {} } }",
            "23:45: there is no upstream `upp` to patch; did you mean `up`?"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, exec: ./fault",
            "23:29: `exec` needs `undo` to be undone; write undo: [./my-fault, off]",
            "23:44: `exec` must be a list: a program and its arguments; write exec: [./my-fault, on]"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, exec: [/bin/true], undo: [../off]",
            "23:45: `/bin/true` is not in the scenario's folder; put the program beside the scenario",
            "23:64: `../off` is not in the scenario's folder; put the program beside the scenario"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, pause: api, undo: [./x]",
            "23:50: `undo` does not belong to `pause`; it belongs to `exec`"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, pause: api, to: gateway",
            "23:50: `to` does not belong to `pause`; it belongs to `config` and `patch`"),
        .init(
            "at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 }",
            "at: 5s, name: errors, for: 5s, pause: api, timeout: 5s",
            "23:50: `timeout` does not belong to `pause`; it belongs to `exec`"),
    ]

    /// Mistakes in mocks and processes.
    static let nodes: [BrokenFile] = [
        .init(
            "api: { health: /health }",
            "api: { health: healthz }",
            "5:20: `health` of the mock `api` must start with / and have no blanks, not `healthz`"),
        .init(
            "api: { health: /health }",
            "api: { routes: [{ pth: /x }] }",
            "5:21: ROUTES: unknown key pth of a route; did you mean path?"),
        .init(
            "api: { health: /health }",
            "api: { routes: [{ path: x }] }",
            "5:21: ROUTES: a route needs a path that begins with /; write [{\"path\": \"/orders\", "
                + "\"status\": 200, \"body\": {}}]"),
        .init(
            "api: { health: /health }",
            "api: { routes: [{ path: /x, status: 99 }] }",
            "5:21: ROUTES: 99 is no status of route /x; give one from 200 to 599"),
        .init(
            "api: { health: /health }",
            "api: { routes: [{ path: /x, headers: { Date: x } }] }",
            "5:21: ROUTES: the header Date of route /x is the mock's own; leave it out"),
        .init(
            "api: { health: /health }",
            "api: { routes: /x }",
            "5:20: `routes` must be a list, not text; start each item with `- `"),
        .init(
            "api: { health: /health }",
            "api: { env: { HEALTH_PATH: x } }",
            "5:19: HEALTH_PATH: \"x\" is no path; write one such as /healthz"),
        .init(
            "  links:",
            "  processes: { lb: { comand: [haproxy] } }\n  links:",
            "17:20: the process `lb` needs `command`; write command: [haproxy, -f, "
                + "$(file(haproxy.cfg))]",
            "17:22: unknown key `comand` in the process `lb`; did you mean `command`?"),
        .init(
            "  links:",
            "  processes: { lb: { command: haproxy } }\n  links:",
            "17:31: `command` of the process `lb` must be a list: a program and its arguments; "
                + "write command: [haproxy, -f, $(file(haproxy.cfg))]"),
        .init(
            "  links:",
            "  processes: { lb: { command: [haproxi, $(port)] } }\n  links:",
            "17:32: `haproxi` is no proxy that a scenario may start by its name; there are "
                + "haproxy, nginx, envoy, traefik, caddy, varnishd, squid, apache2, httpd, "
                + "toxiproxy-server; put another one beside the scenario: ./haproxi"),
        .init(
            "  links:",
            "  processes: { lb: { command: [haproxy] } }\n  links:",
            "17:31: the process `lb` is not told where to listen; use $(port) in its command or "
                + "in one of its files"),
        .init(
            "  links:",
            "  processes: { lb: { command: [haproxy, $(port), $(port(gate))] } }\n  links:",
            "17:52: there is no node `gate`; there are `gateway`, `api`, `pair-1`, `pair-2`, `lb`"),
        .init(
            "  links:",
            "  processes: { lb: { command: [haproxy, $(prot)] } }\n  links:",
            "17:43: `$(prot)` is nothing that a process can be told; there are $(port), "
                + "$(port(<node>)), $(admin(<gateway>)), $(file(<name>)), $(folder) and variables"),
        .init(
            "  links:",
            "  processes: { lb: { command: [haproxy, $(port), $(file(a.cfg))] } }\n  links:",
            "17:52: there is no file `a.cfg`; the file has none"),
        .init(
            "  links:",
            "  processes: { lb: { command: [/bin/sh, $(port)] } }\n  links:",
            "17:32: `/bin/sh` is not in the scenario's folder; put the program beside the "
                + "scenario"),
        .init(
            "gateway:\n    inline:",
            "gateway:\n    url: http://127.0.0.1:80\n    inline:",
            "8:5: a gateway with `url` needs `admin`; write its Admin API"),
    ]
}
