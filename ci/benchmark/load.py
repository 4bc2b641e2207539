# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""The load: wrk for as fast as it goes (closed loop), openload for a given rate (open loop)."""

import json
import re
import statistics

from processes import Command, Trouble, run

UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}


def wrk_command(port, path, connections, seconds, script=None):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    if script:
        command += ["-s", script]
    return [*command, f"http://127.0.0.1:{port}{path}"]


def parse_wrk(text):
    """requests, rps, p50 and p99 in microseconds, errors."""
    requests = re.search(r"(\d+) requests in", text)
    if not requests:
        raise Trouble(f"wrk said nothing that can be understood: {text[:200]!r}")
    result = {"requests": int(requests[1]), "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])}
    for share, amount, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s|m)\b", text):
        result[f"p{share}"] = float(amount) * UNITS[unit]
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    result["errors"] = sum(map(int, errors.groups())) if errors else 0
    result["errors"] += int(other[1]) if other else 0
    return result


def wrk(port, path="/hello", connections=64, seconds=3, script=None):
    output, _ = run(wrk_command(port, path, connections, seconds, script))
    return parse_wrk(output)


def loaded(process, port=None, **load):
    """Loads a server and says what a request took of its CPU time, in microseconds."""
    before = process.cpu()
    result = wrk(port or process.port, **load)
    result["cpu"] = (process.cpu() - before) * 1e6 / max(1, result["requests"])
    result["rss"] = process.resident()
    return result


def warm(process, path="/hello", connections=64, script=None):
    wrk(process.port, path=path, connections=connections, seconds=1, script=script)


def open_load(tool, port, rate, seconds, connections=64, path="/hello", warm_up=0):
    return Command([tool, port, connections, int(rate), seconds, path, warm_up])


def finish_open(command):
    return json.loads(command.finish())


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the distance between the quartiles, as a share of the median: how far rounds differ."""
    if len(values) < 3 or not median(values):
        return 0.0
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2 / median(values)
