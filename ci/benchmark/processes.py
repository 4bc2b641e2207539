# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""Processes under measurement: started on one core, watched through /proc, stopped by their id whatever happens."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time

PROXY_CORE, LOAD_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")
STARTED = []


class Trouble(Exception):
    """Something a person can mend: one line."""


def free_port():
    """A port that nobody listens on now. All that are handed out differ."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in free_port.given:
            free_port.given.add(port)
            return port


free_port.given = set()


class Process:
    """A process that was started here, pinned to a core."""

    def __init__(self, name, command, port=None, core=PROXY_CORE, environment=None, log=None):
        self.name, self.port, self.log = name, port, log
        output = open(log, "wb") if log else subprocess.DEVNULL
        self.child = subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, command)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, **(environment or {})}, start_new_session=True)
        self.pid = self.child.pid
        STARTED.append(self)

    def await_ready(self, path="/hello", seconds=10):
        """Waits until the process answers `path` with 200."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.child.poll() is not None:
                raise Trouble(f"{self.name} ended at its start with {self.child.returncode}; see {self.log}")
            if answers(self.port, path):
                return self
            time.sleep(0.02)
        raise Trouble(f"{self.name} does not answer {path} on port {self.port} after {seconds} s; see {self.log}")

    def family(self):
        """The process and its children, which some servers leave the work to."""
        try:
            children = open(f"/proc/{self.pid}/task/{self.pid}/children").read().split()
        except OSError:
            children = []
        return [self.pid, *map(int, children)]

    def cpu(self):
        """User and system time so far, in seconds."""
        total = 0
        for pid in self.family():
            try:
                fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def resident(self):
        """Resident memory, in KiB."""
        total = 0
        for pid in self.family():
            try:
                lines = open(f"/proc/{pid}/status").read().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        return total

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.family())

    def stop(self, seconds=3):
        """Ends the process and its children: asks first, then does not."""
        if self in STARTED:
            STARTED.remove(self)
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 2)):
            if self.child.poll() is not None:
                break
            family = self.family() if number == signal.SIGKILL else [self.pid]
            for pid in reversed(family):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                pass


def stop_all():
    for process in reversed(STARTED[:]):
        process.stop(seconds=1)


def stop_when_interrupted():
    """Leaves nothing behind: not at the end, not after Ctrl-C, not after SIGTERM."""
    atexit.register(stop_all)

    def interrupted(number, _):
        stop_all()
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)


def answers(port, path):
    """Whether a GET is answered with 200 within a second."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def run(command, core=LOAD_CORE, seconds=120):
    """Runs a command to its end on a core and returns what it printed and the CPU seconds it took."""
    started = os.times()
    try:
        process = Command(command, core)
        output = process.finish(seconds)
    except FileNotFoundError as error:
        raise Trouble(f"{command[0]} is not there: {error}") from None
    ended = os.times()
    return output, (ended.children_user - started.children_user) + (ended.children_system - started.children_system)


class Command:
    """A command with an end, running beside something else."""

    def __init__(self, command, core=LOAD_CORE):
        self.command = list(map(str, command))
        self.child = subprocess.Popen(
            ["taskset", "-c", str(core), *self.command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.pid = self.child.pid
        STARTED.append(self)

    def finish(self, seconds=120):
        try:
            output, errors = self.child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Trouble(f"{self.command[0]} did not end within {seconds} s") from None
        STARTED.remove(self)
        if self.child.returncode:
            lines = (errors or output).strip().splitlines() or [""]
            raise Trouble(f"{' '.join(self.command)} failed ({self.child.returncode}): {lines[-1]}")
        return output

    def stop(self, seconds=1):
        if self in STARTED:
            STARTED.remove(self)
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
