# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""The rows of the table: each measures one thing, alternating between those it compares, and says how it stands to
its target. A row returns a list of verdicts."""

import json
import os
import resource
import socket
import threading
import time
import urllib.request

from load import finish_open, loaded, median, open_load, spread, warm, wrk, wrk_command
from peers import kong_configuration, start_gatecrash
from processes import LOAD_CORE, Command, Process, Trouble, free_port, run


class Verdict:
    """One line of the table. `value` is to be at most (or at least) `target`."""

    def __init__(self, row, what, value, target, at_least=False, note=""):
        self.row, self.what, self.value, self.target, self.at_least, self.note = (
            row, what, value, target, at_least, note)

    @property
    def is_met(self):
        return self.value >= self.target if self.at_least else self.value <= self.target

    def json(self):
        return {"row": self.row, "what": self.what, "value": round(self.value, 4), "target": self.target,
                "bound": "at least" if self.at_least else "at most", "met": self.is_met, "note": self.note}


def rounds(bench, names, options, measure):
    """What each of `names` came to in every round: all of them in each round, one after the other."""
    results = {name: [] for name in names}
    for number in range(options.rounds):
        for name in names:
            results[name].append(measure(name))
        options.progress(f"round {number + 1} of {options.rounds}")
    return results


def summary(results):
    """The medians over the rounds, with the spread of the CPU time."""
    return {
        name: {key: median([one[key] for one in all if key in one]) for key in all[0]}
        | {"spread": spread([one.get("cpu", 0) for one in all])} for name, all in results.items()}


# CPU and rate

def cpu(bench, options, report):
    names = bench.peers()
    for name in names:
        warm(bench.start(name))
    results = rounds(bench, names, options, lambda name: loaded(bench.start(name), seconds=options.seconds))
    sums = report["cpu"] = summary(results)
    # Within one round, so that what disturbs the machine disturbs both.
    best_cpu = [min(n["cpu"], h["cpu"]) for n, h in zip(results["nginx"], results["haproxy"])]
    best_rps = [max(n["rps"], h["rps"]) for n, h in zip(results["nginx"], results["haproxy"])]
    own = results["gatecrash"]
    return [
        Verdict("cpu", "CPU of the better of nginx and HAProxy",
                median([a["cpu"] / b for a, b in zip(own, best_cpu)]), 1.0,
                note=f"{sums['gatecrash']['cpu']:.2f} µs a request, nginx {sums['nginx']['cpu']:.2f}, "
                f"HAProxy {sums['haproxy']['cpu']:.2f}"),
        Verdict("cpu", "CPU of the floor",
                median([a["cpu"] / b["cpu"] for a, b in zip(own, results["floor"])]), 1.25,
                note=f"floor {sums['floor']['cpu']:.2f} µs"),
        Verdict("cpu", "requests/s of the better of nginx and HAProxy",
                median([a["rps"] / b for a, b in zip(own, best_rps)]), 1.0, at_least=True,
                note=f"{sums['gatecrash']['rps']:.0f}, nginx {sums['nginx']['rps']:.0f}, "
                f"HAProxy {sums['haproxy']['rps']:.0f}"),
        Verdict("cpu", "failed requests", sum(one["errors"] for one in own), 0),
    ]


def latency(bench, options, report):
    """p99 at half of nginx's highest rate, open loop."""
    names = ["gatecrash", "nginx", "haproxy"]
    for name in names:
        warm(bench.start(name))
    rate = median([wrk(bench.start("nginx").port, seconds=2)["rps"] for _ in range(3)]) / 2
    tool = bench.tool("openload")

    def measure(name):
        return finish_open(open_load(tool, bench.start(name).port, rate, options.seconds, warm_up=0.5))

    results = rounds(bench, names, options, measure)
    sums = report["latency"] = {"rate": rate} | {
        name: {key: median([one[key] for one in all]) for key in ("p50", "p90", "p99", "p999", "max", "late_p99")}
        for name, all in results.items()}
    ratio = median([a["p99"] / max(1, b["p99"]) for a, b in zip(results["gatecrash"], results["nginx"])])
    return [
        Verdict("latency", "p99 of nginx at half of its rate, open loop", ratio, 1.1,
                note=f"{sums['gatecrash']['p99']:.0f} µs, nginx {sums['nginx']['p99']:.0f} µs at {rate:.0f}/s"),
        Verdict("latency", "failed requests", sum(one["not_ok"] + one["broken"] for one in results["gatecrash"]), 0)]


def large(bench, options, report):
    """CPU per byte of large bodies."""
    script = bench.write("upload.lua", 'wrk.method = "POST"\nwrk.body = string.rep("x", 1048576)\n')
    kinds = [("16 KiB response", "/files/16k", 16 * 1024, None), ("1 MiB response", "/files/1m", 1 << 20, None),
             ("1 MiB upload", "/upload", 1 << 20, script)]
    names = ["gatecrash", "nginx", "haproxy"]
    verdicts = []
    for what, path, size, lua in kinds:
        for name in names:
            warm(bench.start(name), path, 16, lua)
        options.progress(what)
        results = rounds(bench, names, options, lambda name: loaded(
            bench.start(name), path=path, connections=16, seconds=options.seconds, script=lua))
        sums = report.setdefault("large", {})[what] = summary(results)
        ratio = median([a["cpu"] / b["cpu"] for a, b in zip(results["gatecrash"], results["nginx"])])
        verdicts.append(Verdict(
            "large", f"CPU per byte of nginx, {what}", ratio, 1.0,
            note=f"{sums['gatecrash']['cpu'] / size * 1000:.2f} ns a byte, nginx "
            f"{sums['nginx']['cpu'] / size * 1000:.2f}, HAProxy {sums['haproxy']['cpu'] / size * 1000:.2f}"))
        verdicts.append(Verdict("large", f"failed requests, {what}", sum(r["errors"] for r in results["gatecrash"]), 0))
    return verdicts


# Connections

def idle(bench, options, report):
    """What 10,000 connections that have been served once and wait hold in memory; then CPU at 1,000 active ones."""
    count = 10_000
    raise_limit(2 * count)
    names = ["gatecrash", "nginx", "haproxy"]
    sums = report["idle"] = {}
    for name in names:
        bench.stop(name)
        process = bench.start(name)
        warm(process)
        before = process.resident()
        connections = [keep_open(process.port) for _ in range(count)]
        time.sleep(1)
        sums[name] = {"kib": (process.resident() - before) / count}
        for connection in connections:
            connection.close()
        options.progress(f"{name}: {sums[name]['kib']:.2f} KiB a connection")
        bench.stop(name)
    verdicts = [Verdict(
        "idle", "KiB resident an idle connection, of 10,000", sums["gatecrash"]["kib"], 8.0,
        note=f"nginx {sums['nginx']['kib']:.2f}, HAProxy {sums['haproxy']['kib']:.2f}")]
    # As many connections to the upstream as clients: a pool that is too small opens and closes them all the time.
    process = start_gatecrash(bench, "active", more=["--set", "upstream_keepalive_pool_size=2048"]).await_ready()
    warm(process, connections=1000)
    few, many = [], []
    for _ in range(options.rounds):
        few.append(loaded(process, seconds=options.seconds))
        many.append(loaded(process, connections=1000, seconds=options.seconds))
    sums["active"] = {"64": median([r["cpu"] for r in few]), "1000": median([r["cpu"] for r in many])}
    verdicts.append(Verdict(
        "idle", "CPU at 1,000 active connections of that at 64",
        median([a["cpu"] / b["cpu"] for a, b in zip(many, few)]), 1.1,
        note=f"{sums['active']['1000']:.2f} µs and {sums['active']['64']:.2f} µs a request"))
    verdicts.append(Verdict("idle", "failed requests", sum(r["errors"] for r in [*few, *many]), 0))
    process.stop()
    return verdicts


def keep_open(port):
    """A connection that has been served once and stays."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = connection.recv(4096)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Trouble(f"port {port} answers {answer[:40]!r}")
    return connection


def raise_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        top = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))


# Routes and reloads

def routes(bench, options, report):
    """What many routes cost a request."""
    gateways = {}
    for count in (1, 1_000, 10_000):
        gateways[count] = start_gatecrash(bench, f"routes-{count}", routes=count).await_ready(seconds=30)
        warm(gateways[count])
    results = rounds(bench, list(gateways), options, lambda n: loaded(gateways[n], seconds=options.seconds))
    sums = report["routes"] = {str(n): s for n, s in summary(results).items()}
    for process in gateways.values():
        process.stop()
    return [
        Verdict("routes", f"CPU with {count:,} routes of that with one",
                median([a["cpu"] / b["cpu"] for a, b in zip(results[count], results[1])]), target,
                note=f"{sums[str(count)]['cpu']:.2f} µs, one {sums['1']['cpu']:.2f} µs a request")
        for count, target in ((1_000, 1.05), (10_000, 1.15))]


def reload(bench, options, report):
    """A configuration of 1,000 routes ten times a second, under load: nothing fails, p99 stays."""
    process = start_gatecrash(bench, "reload", routes=1000).await_ready(seconds=30)
    warm(process)
    rate = wrk(process.port, seconds=2)["rps"] / 2
    tool = bench.tool("openload")
    bodies = [kong_configuration([bench.backend.port], 1000 + n) for n in range(2)]
    results = {"quiet": [], "reloading": []}
    posted = []
    for _ in range(options.rounds):
        results["quiet"].append(finish_open(open_load(tool, process.port, rate, options.seconds, warm_up=0.5)))
        load = open_load(tool, process.port, rate, options.seconds, warm_up=0.5)
        posted.append(post_until_done(load, process.admin, bodies))
        results["reloading"].append(finish_open(load))
    process.stop()
    sums = report["reload"] = {"rate": rate, "reloads_per_second": median(posted)} | {
        name: {key: median([one[key] for one in all]) for key in ("p50", "p99", "p999", "max")}
        for name, all in results.items()}
    failed = sum(one["not_ok"] + one["broken"] for one in results["reloading"])
    # A load that did not get through its warm-up has measured nothing.
    reloading = sums["reloading"]["p99"] or 10_000_000
    return [
        Verdict("reload", "failed requests while reloading", failed, 0,
                note=f"{median(posted):.1f} reloads of 1,000 routes a second"),
        Verdict("reload", "p99 of the undisturbed", reloading / max(1, sums["quiet"]["p99"]), 2.0,
                note=f"{reloading:.0f} µs, undisturbed {sums['quiet']['p99']:.0f} µs at {rate:.0f}/s")]


def post_until_done(load, admin, bodies):
    """Posts configurations ten times a second while a load runs; returns how many a second there were."""
    rates = []
    # A thread of its own, which makes way for the load and the backend on their core: it is not what is measured.
    poster = threading.Thread(target=lambda: rates.append(post_configurations(load, admin, bodies)))
    poster.start()
    poster.join()
    return rates[0]


def post_configurations(load, admin, bodies):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    start, count = time.monotonic(), 0
    while load.child.poll() is None:
        due = start + count / 10
        time.sleep(max(0, due - time.monotonic()))
        request = urllib.request.Request(
            f"http://127.0.0.1:{admin}/config", bodies[count % 2].encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
        count += 1
    return count / (time.monotonic() - start)


# The other programs

def mock(bench, options, report):
    """The mock API beside nginx answering from `return 200`."""
    port = free_port()
    own = Process("mock", [bench.gatecrash, "mock", "--port", port], port, log=bench.log("mock")).await_ready()
    plain = bench.nginx_backend("nginx-return", 0)
    servers = {"mock": own, "nginx": plain}
    for server in servers.values():
        warm(server)
    results = rounds(bench, list(servers), options, lambda n: loaded(servers[n], seconds=options.seconds))
    sums = report["mock"] = summary(results)
    for server in servers.values():
        server.stop()
    return [Verdict("mock", "CPU of nginx 'return 200', mock API",
                    median([a["cpu"] / b["cpu"] for a, b in zip(results["mock"], results["nginx"])]), 1.2,
                    note=f"{sums['mock']['cpu']:.2f} µs, nginx {sums['nginx']['cpu']:.2f} µs a request")]


def generator(bench, options, report):
    """The load generator beside wrk: CPU time of its own a request, with every latency recorded."""
    target = bench.backend.port
    results = {"gatecrash": [], "wrk": []}
    file = bench.path("generator.json")
    for _ in range(options.rounds):
        text, seconds = run(wrk_command(target, "/hello", 64, options.seconds))
        requests = int(text.split(" requests in")[0].split()[-1])
        results["wrk"].append({"cpu": seconds * 1e6 / requests})
        _, seconds = run([bench.gatecrash, "bench", f"http://127.0.0.1:{target}/hello", "--connections", 64,
                          "--duration", f"{int(options.seconds)}s", "--json", file])
        with open(file) as result:
            requests = find_number(json.load(result), "requests")
        results["gatecrash"].append({"cpu": seconds * 1e6 / max(1, requests)})
    sums = report["generator"] = summary(results)
    return [Verdict("generator", "CPU of wrk, load generator",
                    median([a["cpu"] / b["cpu"] for a, b in zip(results["gatecrash"], results["wrk"])]), 1.2,
                    note=f"{sums['gatecrash']['cpu']:.2f} µs, wrk {sums['wrk']['cpu']:.2f} µs a request")]


def find_number(value, key):
    """The first number under a key, however deep it lies; 0 when there is none."""
    if isinstance(value, dict):
        if isinstance(value.get(key), (int, float)):
            return value[key]
        value = list(value.values())
    if isinstance(value, list):
        return next((found for one in value if (found := find_number(one, key))), 0)
    return 0


def start(bench, options, report):
    """From the start of the process to the first request that was proxied."""
    times = []
    for number in range(max(5, 2 * options.rounds)):
        began = time.monotonic()
        process = start_gatecrash(bench, "start")
        while not first_answer(process.port):
            if time.monotonic() - began > 10:
                raise Trouble("the gateway does not answer within 10 s of its start")
        times.append((time.monotonic() - began) * 1000)
        process.stop()
    report["start"] = {"milliseconds": times}
    return [Verdict("start", "ms from start to the first proxied request", median(times), 60.0,
                    note=f"{min(times):.0f} to {max(times):.0f} ms over {len(times)} starts")]


def first_answer(port):
    try:
        keep_open(port).close()
        return True
    except (OSError, Trouble):
        time.sleep(0.001)
        return False


# Endurance

def soak(bench, options, report):
    """Full rate for minutes while a target goes and comes every 2 s: memory flat, no descriptor lost, no wrong
    answer."""
    flapping = free_port()
    process = start_gatecrash(bench, "soak", ports=[bench.backend.port, flapping]).await_ready()
    descriptors = process.descriptors()
    load = Command(wrk_command(process.port, "/hello", 64, options.soak))
    began, samples, target = time.monotonic(), [], None
    while load.child.poll() is None:
        if target:
            target.stop()
            target = None
        else:
            target = bench.nginx_backend("flapping", LOAD_CORE, flapping)
        time.sleep(2)
        samples.append((time.monotonic() - began, process.resident()))
    if target:
        target.stop()
    from load import parse_wrk
    result = parse_wrk(load.finish())
    time.sleep(3)
    settled = [kib for moment, kib in samples if moment > min(60, options.soak / 3)]
    growth = (max(settled) - min(settled)) / 1024
    lost = process.descriptors() - descriptors
    report["soak"] = {"seconds": options.soak, "requests": result["requests"], "errors": result["errors"],
                      "resident_kib": samples, "descriptors": lost}
    process.stop()
    return [
        Verdict("soak", "wrong answers or broken connections", result["errors"], 0,
                note=f"{result['requests']:,} requests in {options.soak} s"),
        Verdict("soak", "MiB between least and most resident memory", growth, 4.0, note="± 2 MB after a minute"),
        # What the pool keeps open towards the one target that is there at the end is no leak.
        Verdict("soak", "descriptors more than at the start", lost, 64 + 8)]


ROWS = {"cpu": cpu, "latency": latency, "large": large, "idle": idle, "routes": routes, "reload": reload,
        "mock": mock, "generator": generator, "start": start, "soak": soak}
