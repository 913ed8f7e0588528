# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated host, a daemon on it, and a command line: what every end-to-end test starts from.

A test is a function named test_...; run() calls them all and prints the closing line. Nothing here
waits for a fixed time: until() waits for something to become true, and says what it saw last if
it does not within a generous limit.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.environ.get("XENMEM_BUILD", ".")
XENMEMD = os.path.join(BUILD, "daemon", "xenmemd")
XENMEMCTL = os.path.join(BUILD, "cli", "xenmemctl")
XENMEM_SIM = os.path.join(BUILD, "sim", "xenmem-sim")
LIMIT_S = 90  # for anything to become true; a machine that is busy needs some of it

MIB = 1024
GIB = 1024 * 1024

# All memory is with two VMs, which can spare most of it.
FULL = """
[host]
size = 6g
dom0 = 1g

[vm one]
memory = 2g
maxmem = 4g
demand = 600m

[vm two]
memory = 2560m
maxmem = 4g
demand = 600m
"""

MANAGED = "[vm *]\nmode = dynamic\nminimum = 512m\n"


def until(what, look, limit=LIMIT_S):
    """Calls look until it returns something true; returns that. A failure names what was seen last."""
    end = time.monotonic() + limit
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"after {limit} s still not: {what} (last seen: {seen!r})")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Host:
    """A folder of its own, a scenario in it, and the processes that belong to it."""

    def __init__(self, scenario, config="", action="balance"):
        self.folder = tempfile.mkdtemp(prefix="xenmem-e2e-")
        self.scenario = self.write("host.scenario", scenario)
        self.config = self.write("xenmemd.conf", f"[host]\naction = {action}\n{config}")
        self.socket = os.path.join(self.folder, "xenmemd.sock")
        self.database = os.path.join(self.folder, "xenmem.db")
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=self.folder, TMPDIR=self.folder)
        self.daemon = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self.end_sim()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    # --- processes

    def daemon_command(self, *more):
        return [XENMEMD, "-c", self.config, "--backend", "sim:" + self.scenario, "--socket", self.socket,
                "--database", self.database, *more]

    def start(self):
        with open(self.path("log"), "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(self.daemon_command(), env=self.environment, stderr=log)
        until("the daemon answers", self.answers)

    def answers(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.daemon.returncode}: {self.log()}")
        return self.ctl("host").returncode == 0

    def stop(self, number=signal.SIGTERM):
        """Ends the daemon; returns its exit status."""
        if not self.daemon:
            return None
        daemon, self.daemon = self.daemon, None
        if daemon.poll() is None:
            daemon.send_signal(number)
        return daemon.wait(LIMIT_S)

    def kill(self):
        return self.stop(signal.SIGKILL)

    def end_sim(self):
        self.sim("stop")

    # --- users

    def run(self, *command, text_in=None):
        return subprocess.run(command, env=self.environment, input=text_in, capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)

    def sim(self, command, *arguments):
        return self.run(XENMEM_SIM, command, self.scenario, *arguments)

    def xl(self, *arguments):
        return self.sim("xl", *arguments)

    def ctl(self, *arguments):
        return self.run(XENMEMCTL, "--socket", self.socket, *arguments)

    def do(self, *arguments):
        """xenmemctl, which must succeed; returns what it printed."""
        done = self.ctl(*arguments)
        assert done.returncode == 0, f"xenmemctl {' '.join(arguments)}: {done.returncode}: {done.stderr}"
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.do("--format", "json", *arguments))

    def vm(self, name):
        return self.json("show", name)

    def vms(self):
        return {vm["name"]: vm for vm in self.json("list")}

    def events(self, kind=None, vm=None):
        return [event for event in self.json("events")
                if kind in (None, event["event"]) and vm in (None, event["vm"])]

    def actions(self):
        return self.events("action")

    def settle(self):
        until("the host is settled", lambda: self.json("host")["settled"])

    def rpc(self, line, replies=1):
        """Sends raw bytes; returns the lines that came back after the hello."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(LIMIT_S)
            peer.connect(self.socket)
            stream = peer.makefile("rb")
            stream.readline()
            peer.sendall(line)
            return [stream.readline() for _ in range(replies)]


def run(tests):
    """Runs every test_... of a module's globals(), or those named on the command line."""
    names = sys.argv[1:] or [name for name in tests if name.startswith("test_")]
    passed = failed = 0
    for name in names:
        began = time.monotonic()
        try:
            tests[name]()
            passed += 1
            print(f"ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # whatever it was, the others still run
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
