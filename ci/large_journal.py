#!/usr/bin/env python3
# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""Makes the journal of a run with many requests, in the form that `gatecrash run --journal` writes, has it judged and
reported, and prints what that took. `ci/large-journal` calls it.

    python3 large_journal.py GATECRASH REQUESTS FOLDER

GATECRASH: the program; REQUESTS: how many; FOLDER: keeps the journal and the reports. The run that the journal tells of
goes well, so the verdict must be a pass. Ends with 1 when it is not, and when more memory was needed than LIMIT.
"""

import json
import os
import random
import subprocess
import sys
import time

SECOND = 1_000_000_000
LASTS = 500
OUTAGES = [100, 300]
ERRORS_FOR = 4
# Memory of the judge: what a program of this size takes anyway, MB, and bytes for a request and a mock's record of it.
BASE, PER_REQUEST = 100, 200

SCENARIO = """scenario: large-journal
title: many requests; two outages, tripped by the passive check and ended by probes
vars: { rate: @RATE@/s }

topology:
  mocks: { api: { health: /health } }
  gateway:
    inline:
      _format_version: "3.0"
      services:
        - { name: orders, host: orders-up, path: /, retries: 0, routes: [{ name: r, paths: [/orders] }] }
      upstreams:
        - name: orders-up
          targets: [{ target: "api:8080", weight: 100 }]
          healthchecks:
            active:
              http_path: /health
              timeout: 1
              healthy:   { interval: 5, successes: 3 }
              unhealthy: { interval: 5, http_failures: 3, tcp_failures: 3, timeouts: 3 }
            passive:
              healthy:   { successes: 0 }
              unhealthy: { http_failures: 3, http_statuses: [429, 500, 503] }

load:
  - { id: users, to: gateway, rate: "$(rate)", for: @LASTS@s, timeout: 2s, request: { path: /orders/$(n) } }

timeline:
  - { at: 0s, checkpoint: steady }
  - { at: 100s, name: errors-1, for: 4s, mock: api, set: { ERROR_RATE: 1, ERROR_SKIP_HEALTH: true } }
  - { at: 300s, name: errors-2, for: 4s, mock: api, set: { ERROR_RATE: 1, ERROR_SKIP_HEALTH: true } }

expect:
  - { id: trips, target: api, becomes: unhealthy, after: errors-1, within: 4 requests, cause: passive, as: tripped-1 }
  - { id: returns,  target: api, becomes: healthy, after: tripped-1, within: 10s..15.3s, cause: active, as: back-1 }
  - { id: trips-2, target: api, becomes: unhealthy, after: errors-2, within: 4 requests, cause: passive, as: tripped-2 }
  - { id: dark,     window: { status: 503, origin: gateway }, count: "== 2", purity: 100%, lasts: 10s..15.3s }
  - { id: recovery, recovered: { ok: 99.9%, stable: 3s }, within: 16s, after: tripped-1 }
  - { id: before,   availability: "== 100%", during: start..errors-1 }
  - { id: sliding,  availability: ">= 0%", window: 10s }
  - { id: quick,    latency: { p50: <= 5ms, p99: <= 50ms, max: <= 1s }, only: ok }
  - { id: once,     requests: { lost: "== 0", duplicated: "== 0" } }
  - { id: all,      traffic: { to: api, share: "== 100%" }, during: start..errors-1 }
  - { id: probes,   probes: { to: api, every: 5s ± 0.3s, count: ">= 3" }, during: tripped-1..back-1 }
  - { id: order,    order: [errors-1, tripped-1, errors-1.end, back-1, errors-2, tripped-2] }
  - { id: oracle,   model: kong-health }
  - { id: tested,   sometimes: { status: 503 } }

invariants:
  - never:  { status: [502, 504] }
  - never:  { traffic: { to: api, path: /orders }, while: "health(api) == unhealthy", grace: 50ms }
  - always: { latency: <= 2s }
  - always: { process: gateway, is: running }
"""

ADDRESS = "127.0.0.1:40001"
PLACE = {"gateway": "gateway", "upstream": "orders-up", "target": "api:8080", "address": ADDRESS}


class Journal:
    """Writes lines; those of a kind of which there are few are gathered first, with their times."""

    def __init__(self, path, count):
        self.path, self.count = path, count
        self.spacing = LASTS * SECOND // count
        # How long an error takes: it has come back before the next request is sent.
        self.failing = min(200_000, self.spacing)
        self.events = []
        self.sequence = 1
        random.seed(1)
        # Nanoseconds; a million of them would look no different.
        self.latencies = [int(400_000 * random.lognormvariate(0, 0.7)) for _ in range(4093)]

    def event(self, at, kind, **fields):
        self.events.append((at, json.dumps({"kind": kind, "t": at, **fields}, separators=(",", ":"))))

    def gateway_event(self, at, kind, **fields):
        self.sequence += 1
        self.event(at, kind, seq=self.sequence, **PLACE, **fields)

    def health(self, at, before, after, cause, report, status, counters):
        success, http = counters
        self.gateway_event(
            at, "health", **{"from": before}, to=after, cause=cause, report=report, status=status,
            counters={"success": success, "http": http, "tcp": 0, "timeout": 0}, limit=3,
            routable=after in ("healthy", "mostly_healthy"))

    def header(self):
        text = SCENARIO.replace("@RATE@", str(max(1, self.count // LASTS))).replace("@LASTS@", str(LASTS))
        # The runner writes down what it gave to the gateway; it is YAML that is JSON too.
        kong = {
            "_format_version": "3.0",
            "services": [{"name": "orders", "host": "orders-up", "path": "/", "retries": 0,
                          "routes": [{"name": "r", "paths": ["/orders"]}]}],
            "upstreams": [{"name": "orders-up", "targets": [{"target": "api:8080", "weight": 100}], "healthchecks": {
                "active": {"http_path": "/health", "timeout": 1, "healthy": {"interval": 5, "successes": 3},
                           "unhealthy": {"interval": 5, "http_failures": 3, "tcp_failures": 3, "timeouts": 3}},
                "passive": {"healthy": {"successes": 0},
                            "unhealthy": {"http_failures": 3, "http_statuses": [429, 500, 503]}}}}],
        }
        return json.dumps({
            "kind": "header", "format": 1, "program": "large_journal.py", "scenario": "large-journal",
            "file": "large-journal.yml", "cell": [],
            "variables": [{"name": "rate", "value": f"{max(1, self.count // LASTS)}/s"}], "seed": "1", "repetition": 1,
            "virtual": False, "host": "none", "nodes": [
                {"id": "gateway", "role": "gateway", "names": []},
                {"id": "api", "role": "mock", "names": ["api:8080", ADDRESS]}],
            "configurations": [{"gateway": "gateway", "kong": kong}], "text": text}, separators=(",", ":"))

    def plan(self):
        """All but requests. Returns the numbers of the requests that fail and of those that the gateway refuses."""
        for node, before in [("api", 600), ("gateway", 550)]:
            self.event(-before * 1_000_000, "process", node=node, change="started", pid=before)
            self.event(-(before - 50) * 1_000_000, "process", node=node, change="ready", pid=before)
        self.event(0, "step", index=0, name="steady", phase="started", text="checkpoint", checkpoint=True)
        for quarter in range(4 * LASTS):
            for source in ["canary", "generator"]:
                self.event(quarter * SECOND // 4, "lateness", source=source, late=100_000)
        for second in range(LASTS):
            for node in ["gateway", "api"]:
                self.event(second * SECOND, "usage", node=node, rss=20_000_000, fds=70, cpu=second * SECOND // 3)
        probes = [int((4.5 + 5 * number) * SECOND) for number in range(LASTS // 5)]
        failing, refused = [], []
        for index, outage in enumerate(OUTAGES):
            start = outage * SECOND
            for at, phase in [(start, "started"), (start + ERRORS_FOR * SECOND, "ended")]:
                self.event(at, "step", index=index + 1, name=f"errors-{index + 1}", phase=phase, text="errors")
            first = start // self.spacing + 2
            for failure in range(3):
                number = first + failure
                failing.append(number)
                at = (number - 1) * self.spacing + self.failing * 3 // 4
                self.gateway_event(
                    at, "attempt", request=f"{number:032x}", chaos=f"users-{number}", result="http_status", status=500)
                before = "healthy" if failure == 0 else "mostly_healthy"
                after = "unhealthy" if failure == 2 else "mostly_healthy"
                self.health(at, before, after, "passive", "http_failure", 500, (0, failure + 1))
            last = None
            for success, probe in enumerate([probe for probe in probes if probe > start][:3]):
                last = probe + 1_000_000
                before = "unhealthy" if success == 0 else "mostly_unhealthy"
                after = "healthy" if success == 2 else "mostly_unhealthy"
                self.health(last, before, after, "active", "success", 200, (success + 1, 0))
            refused.append(range(first + 3, last // self.spacing + 2))
        for number, probe in enumerate(probes):
            at = probe + 900_000
            self.gateway_event(at, "probe", started=probe, result="success", status=200)
            self.event(
                probe + 300_000, "served", node="api", n=number, method="GET", path="/health", status=200, connection=1)
        # A change carries a later number than the probe that made it.
        self.events.sort(key=lambda event: event[0])
        return set(failing), refused

    def lines(self):
        failing, refused = self.plan()
        events = iter(self.events)
        event = next(events, None)
        for number in range(1, self.count + 1):
            planned = (number - 1) * self.spacing
            while event and event[0] <= planned:
                yield event[1]
                event = next(events, None)
            took = self.latencies[number % 4093]
            status, outcome, size = 200, "ok", 34
            if number in failing:
                status, outcome, size, took = 500, "failed", 36, self.failing
            elif any(number in numbers for numbers in refused):
                status, outcome, size = 503, "failed", 58
            if status != 503:
                yield (
                    f'{{"kind":"served","t":{planned + took // 2},"node":"api","id":"users-{number}","n":{number},'
                    f'"method":"GET","path":"/{number}","status":{status},"connection":{number % 64}}}')
            yield (
                f'{{"kind":"request","t":{planned},"load":"users","n":{number},"method":"GET",'
                f'"path":"/orders/{number}","sent":9000,"first":{took},"end":{took + 8000},"status":{status},'
                f'"outcome":"{outcome}","bytes":{size},"connection":{number % 64}}}')
        while event:
            yield event[1]
            event = next(events, None)

    def write(self):
        with open(self.path, "w", encoding="utf-8", buffering=1 << 20) as file:
            file.write(self.header() + "\n")
            for line in self.lines():
                file.write(line)
                file.write("\n")
            figures = {"count": self.count, "p50": 50_000, "p99": 200_000, "p999": 400_000, "max": 900_000}
            end = {"kind": "end", "t": LASTS * SECOND, "reason": "finished", "canary": figures, "generator": figures}
            file.write(json.dumps(end, separators=(",", ":")) + "\n")


def measure(name, command, limit):
    """Runs a command. Returns whether it ended with 0 within the memory, MB."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss / 1000
    print(
        f"{name:<10} exit code {child.returncode}, {time.monotonic() - start:.1f} s, peak memory {peak:.0f} MB"
        f" (allowed {limit:.0f})", flush=True)
    return child.returncode == 0 and peak <= limit


def main():
    program, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    journal = os.path.join(folder, "large-journal.jsonl")
    start = time.monotonic()
    Journal(journal, count).write()
    print(f"journal    {os.path.getsize(journal) / 1e6:.0f} MB, made in {time.monotonic() - start:.1f} s", flush=True)
    limit = BASE + PER_REQUEST * count / 1e6
    reports = [f"--{kind}={os.path.join(folder, 'report.' + kind)}" for kind in ["html", "json", "junit", "markdown"]]
    results = [
        measure("check", [program, "check", journal], limit),
        measure("report", [program, "report", journal, *reports], limit),
    ]
    for report in reports:
        path = report.split("=", 1)[1]
        print(f"{os.path.basename(path):<15} {os.path.getsize(path):>10} bytes")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
