# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""What ci/toxics-clients asks of Toxiproxy's clients. Arguments: host and port of the API, a folder to write in."""
import json
import socket
import subprocess
import sys
import threading
import time

from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

HOST, PORT, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def check(condition, what):
    if not condition:
        sys.exit(f"error: {what}")


class Echo(threading.Thread):
    """An upstream that says back what it hears."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection):
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass
        connection.close()


def connect(listen):
    host, port = listen.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=10)
    return connection


def exchange(connection, text=b"ping"):
    start = time.monotonic()
    connection.sendall(text)
    answer = connection.recv(65536)
    return answer, time.monotonic() - start


def python_client(echo):
    server = Toxiproxy()
    server.update_api_consumer(HOST, PORT)
    check(server.running(), "the server does not run")
    check(json.loads(server.version())["version"].startswith("2."), "the version")
    proxy = server.create(upstream=echo.address, name="echo")
    check(proxy.enabled and proxy.name == "echo", "the proxy that was made")
    check(list(server.proxies()) == ["echo"], "the list of proxies")
    try:
        server.create(upstream=echo.address, name="echo")
        check(False, "the same name twice is taken")
    except ProxyExists:
        pass
    connection = connect(proxy.listen)
    check(exchange(connection)[0] == b"ping", "bytes do not pass")

    proxy.add_toxic(type="latency", attributes={"latency": 300, "jitter": 0})
    answer, seconds = exchange(connection)
    check(answer == b"ping" and 0.3 <= seconds < 2, f"latency of 300 ms took {seconds} s")
    toxic = proxy.get_toxic("latency_downstream")
    check(toxic.attributes == {"latency": 300, "jitter": 0} and toxic.toxicity == 1, "the toxic as it is shown")
    check(proxy.destroy_toxic("latency_downstream") and proxy.toxics() == {}, "the toxic is still there")
    check(exchange(connection)[1] < 0.25, "latency that is gone still works")

    proxy.add_toxic(name="limit", type="limit_data", attributes={"bytes": 2})
    limited = connect(proxy.listen)
    check(exchange(limited)[0] == b"pi" and limited.recv(1) == b"", "limit_data of 2 bytes")
    proxy.destroy_toxic("limit")

    proxy.add_toxic(type="reset_peer", stream="upstream", attributes={"timeout": 0})
    try:
        exchange(connection)
        check(False, "reset_peer does not reset a connection that was open")
    except ConnectionResetError:
        pass
    for wrong, kind in [({"type": "nope"}, InvalidToxic), ({"type": "reset_peer", "stream": "upstream"}, ProxyExists)]:
        try:
            proxy.add_toxic(**wrong)
            check(False, f"{wrong} is taken")
        except kind:
            pass
    try:
        proxy.destroy_toxic("nobody")
        check(False, "a toxic that is not there can be destroyed")
    except NotFound:
        pass

    with proxy.down():
        try:
            connect(proxy.listen)
            check(False, "a proxy that is down takes connections")
        except ConnectionRefusedError:
            pass
    check(server.reset() and proxy.toxics() == {}, "reset leaves toxics")
    check(exchange(connect(proxy.listen))[0] == b"ping", "a proxy that was reset does not pass bytes")
    more = [{"name": "one", "upstream": echo.address, "listen": "127.0.0.1:0"}]
    check([p.name for p in server.populate(more)] == ["one"], "populate")
    server.destroy_all()
    check(server.proxies() == {}, "proxies are left")


def chaos_toolkit(echo):
    def action(module, function, **arguments):
        return {"type": "python", "module": module, "func": function, "arguments": arguments}

    def step(name, provider, kind="action", **more):
        return {"type": kind, "name": name, "provider": provider, **more}

    exists = step(
        "the proxy is there", action("chaostoxi.proxy.probes", "proxy_exist", proxy_name="api"), "probe",
        tolerance=True)
    host, port = echo.address.split(":")
    experiment = {
        "version": "1.0.0", "title": "toxics", "description": "Every action of the driver.",
        "configuration": {"toxiproxy_host": HOST, "toxiproxy_port": str(PORT)},
        "method": [
            step("make", action("chaostoxi.proxy.actions", "create_proxy", proxy_name="api", upstream_host=host,
                                upstream_port=int(port), listen_host="127.0.0.1")),
            exists,
            *[
                step(function, action("chaostoxi.toxic.actions", function, for_proxy="api", toxic_name=function,
                                      **given))
                for function, given in [
                    ("create_latency_toxic", {"latency": 5, "jitter": 1}),
                    ("create_bandwith_degradation_toxic", {"rate": 100}),
                    ("create_slow_connection_close_toxic", {"delay": 10}),
                    ("create_slicer_toxic", {"average_size": 10, "size_variation": 2, "delay": 1}),
                    ("create_limiter_toxic", {"bytes_limit": 1000}),
                    ("create_timeout_toxic", {"timeout": 1000}),
                ]
            ],
            step("delete", action("chaostoxi.toxic.actions", "delete_toxic", for_proxy="api",
                                  toxic_name="create_timeout_toxic")),
            step("off", action("chaostoxi.proxy.actions", "disable_proxy", proxy_name="api")),
            step("is off", action("chaostoxi.proxy.probes", "get_proxy_attribute", proxy_name="api",
                                  attribute="enabled"), "probe"),
            step("on", action("chaostoxi.proxy.actions", "enable_proxy", proxy_name="api")),
            step("reset", action("chaostoxi.proxy.actions", "reset")),
        ],
        "rollbacks": [step("unmake", action("chaostoxi.proxy.actions", "delete_proxy", proxy_name="api"))],
    }
    with open(f"{FOLDER}/experiment.json", "w", encoding="utf-8") as file:
        json.dump(experiment, file)
    run = subprocess.run(
        ["chaos", "--no-version-check", "--no-log-file", "run", "--rollback-strategy=always",
         "--journal-path", f"{FOLDER}/journal.json", f"{FOLDER}/experiment.json"],
        capture_output=True, text=True, check=False)
    check(run.returncode == 0, f"chaos run ended with {run.returncode}\n{run.stdout}{run.stderr}")
    with open(f"{FOLDER}/journal.json", encoding="utf-8") as file:
        journal = json.load(file)
    check(journal["status"] == "completed", f"the experiment is {journal['status']}")
    for activity in journal["run"] + journal["rollbacks"]:
        name = activity["activity"]["name"]
        check(activity["status"] == "succeeded", f"{name}: {activity.get('exception')}")
        # Actions of the driver say True, or nothing.
        check(activity.get("output") in (True, None) or name == "is off", f"{name} gave {activity.get('output')}")
    outputs = {a["activity"]["name"]: a.get("output") for a in journal["run"]}
    check(outputs["is off"] is False, "a proxy that was disabled is shown as enabled")
    server = Toxiproxy()
    server.update_api_consumer(HOST, PORT)
    check(server.proxies() == {}, "the rollback left the proxy")


upstream = Echo()
python_client(upstream)
print("the Python client works")
chaos_toolkit(upstream)
print("the driver of the Chaos Toolkit works")
