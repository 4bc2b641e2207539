#!/usr/bin/env python3
# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""Sends large bodies through a gateway, each way, and compares what came with what was sent, to the byte; prints the
gateway's peak memory above what it held before. `ci/large-body` calls it.

    python3 large_body.py GATECRASH MIB KIB

GATECRASH: the program; MIB: the size of each body; KIB: how much the peak may grow. Ends with 1 when it grew more or
when a body was not what had been sent.
"""

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

READ = 256 << 10
# A length that no buffer size divides: bytes that are lost, doubled or swapped are seen.
PATTERN = random.Random(1).randbytes(1048573)
PIECES = memoryview(PATTERN * 2)


class Difference(Exception):
    pass


class Sender:
    """The body, piece by piece, by its length or in chunks."""

    @staticmethod
    def send(connection, size, chunked):
        at = 0
        while at < size:
            count = min(READ, size - at)
            piece = PIECES[at % len(PATTERN):][:count]
            if chunked:
                connection.sendall(b"%x\r\n" % count)
            connection.sendall(piece)
            if chunked:
                connection.sendall(b"\r\n")
            at += count
        if chunked:
            connection.sendall(b"0\r\n\r\n")


class Reader:
    """Messages out of a connection; bodies are compared and dropped."""

    def __init__(self, connection):
        self.connection = connection
        self.memory = bytearray(READ)
        self.rest = memoryview(b"")
        self.seen = 0

    def fill(self):
        count = self.connection.recv_into(self.memory)
        if count == 0:
            raise Difference(f"the connection ended after {self.seen} bytes of the body")
        self.rest = memoryview(self.memory)[:count]

    def line(self):
        line = bytearray()
        while not line.endswith(b"\n"):
            if not self.rest:
                self.fill()
            end = bytes(self.rest).find(b"\n") + 1 or len(self.rest)
            line += self.rest[:end]
            self.rest = self.rest[end:]
        return bytes(line).rstrip(b"\r\n").decode("latin-1")

    def head(self):
        start = self.line()
        fields = {}
        while line := self.line():
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return start, fields

    def compare(self, count):
        while count:
            if not self.rest:
                self.fill()
            part = self.rest[:count]
            at = self.seen % len(PATTERN)
            if part != PIECES[at:at + len(part)]:
                raise Difference(f"wrong bytes within {len(part)} after {self.seen}")
            self.seen += len(part)
            count -= len(part)
            self.rest = self.rest[len(part):]

    def body(self, fields):
        self.seen = 0
        if "content-length" in fields:
            self.compare(int(fields["content-length"]))
            return self.seen
        if fields.get("transfer-encoding") != "chunked":
            raise Difference(f"a body without framing: {fields}")
        while size := int(self.line(), 16):
            self.compare(size)
            if self.line():
                raise Difference("a chunk is longer than it said")
        if self.line():
            raise Difference("trailers that nobody sent")
        return self.seen


class Upstream(threading.Thread):
    """Answers one connection after the other; what it is sent it compares."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        reader = Reader(connection)
        try:
            while True:
                start, fields = reader.head()
                method, target, _ = start.split(" ")
                if method == "GET":
                    _, framing, size = target.rsplit("/", 2)
                    framing_field = (
                        "Transfer-Encoding: chunked" if framing == "chunked" else f"Content-Length: {size}")
                    connection.sendall(f"HTTP/1.1 200 OK\r\n{framing_field}\r\n\r\n".encode())
                    Sender.send(connection, int(size), framing == "chunked")
                else:
                    text = str(reader.body(fields)).encode()
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))
        except (Difference, OSError):
            connection.close()


def kong(port):
    return f"""_format_version: "3.0"
services:
- name: peer
  url: http://127.0.0.1:{port}
  routes:
  - {{name: streamed, paths: [/streamed], strip_path: false, request_buffering: false}}
  - {{name: buffered, paths: [/buffered], strip_path: false}}
"""


class Gateway:
    def __init__(self, program, config):
        self.process = subprocess.Popen(
            [program, "gateway", "--config", config, "--proxy-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
             "--set", "nginx_http_client_max_body_size=0", "--supervised"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(json.loads(self.process.stdout.readline())["proxy"].rsplit(":", 1)[1])

    def memory(self, name):
        """kB of /proc/PID/status."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def transfer(gateway, direction, route, framing, size):
    """One body over a connection of its own. Returns its seconds."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.settimeout(60)
        reader = Reader(connection)
        if direction == "down":
            connection.sendall(f"GET /{route}/{framing}/{size} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            status, fields = reader.head()
            came = reader.body(fields) if " 200 " in status else status
        else:
            length = "Transfer-Encoding: chunked" if framing == "chunked" else f"Content-Length: {size}"
            connection.sendall(f"PUT /{route} HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n".encode())
            Sender.send(connection, size, framing == "chunked")
            status, fields = reader.head()
            count = int(fields.get("content-length", "0"))
            text = b""
            while len(text) < count:
                if not reader.rest:
                    reader.fill()
                text += bytes(reader.rest)
                reader.rest = memoryview(b"")
            came = int(text) if " 200 " in status else status
        if came != size:
            raise Difference(f"{size} bytes were sent, what came is {came}")
    return time.monotonic() - start


def main():
    program, mebibytes, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    upstream = Upstream()
    upstream.start()
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "kong.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(kong(upstream.port))
        gateway = Gateway(program, config)
        try:
            print(f"{'body':<34} {'MiB/s':>7} {'held before, kB':>16} {'peak above it, kB':>18}")
            for direction, route, framing in [
                ("down", "streamed", "length"), ("down", "streamed", "chunked"), ("up", "streamed", "length"),
                ("up", "streamed", "chunked"), ("up", "buffered", "length"), ("up", "buffered", "chunked"),
            ]:
                # The first bytes of a kind make buffers and pools, which are kept.
                transfer(gateway, direction, route, framing, 64 << 20)
                gateway.forget_peak()
                before = gateway.memory("VmRSS")
                seconds = transfer(gateway, direction, route, framing, mebibytes << 20)
                grown = gateway.memory("VmHWM") - before
                name = f"{mebibytes} MiB {direction}, {route}, {framing}"
                print(f"{name:<34} {mebibytes / seconds:>7.0f} {before:>16} {grown:>18}", flush=True)
                if grown > limit:
                    print(f"error: {name}: the gateway's memory grew by {grown} kB, more than {limit}", file=sys.stderr)
                    status = 1
        except (Difference, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            status = 1
        finally:
            gateway.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
