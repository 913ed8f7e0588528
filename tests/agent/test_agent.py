#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The program against a small xenstore that speaks the wire format on a socket."""

import os
import pathlib
import queue
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

AGENT = os.path.join(os.environ.get("XENMEM_BUILD", "."), "agent", "xenmem-agent")
HANG_S = 20  # nothing takes that long unless it hangs
XS_WRITE, XS_ERROR = 11, 16
HELD = "sys/devices/system/xen_memory/xen_memory0/info/current_kb"


class Store:
    """Takes connections; each write goes into self.writes as (path, value)."""

    def __init__(self, path):
        self.path = path
        self.writes = queue.Queue()
        self.refusal = None  # what every write is answered with, such as "EACCES"
        self.silent = False  # takes requests and never answers
        self.open()

    def open(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.peers = []
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """As if xenstored had died."""
        os.unlink(self.path)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.peers:
            peer.shutdown(socket.SHUT_RDWR)

    def accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            self.peers.append(peer)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        stream = peer.makefile("rwb")
        try:
            while len(header := stream.read(16)) == 16:
                self.answer(stream, *struct.unpack("<IIII", header))
        except OSError:
            pass  # the agent is gone

    def answer(self, stream, kind, request, transaction, length):
        path, _, value = stream.read(length).partition(b"\0")
        if kind == XS_WRITE:
            self.writes.put((path.decode(), value.decode()))
        if self.silent:
            return
        answer = b"OK\0"
        if self.refusal:
            kind, answer = XS_ERROR, self.refusal.encode() + b"\0"
        stream.write(struct.pack("<IIII", kind, request, transaction, len(answer)) + answer)
        stream.flush()


class World:
    """A folder with a kernel's files, a store, and the agent when it is started."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.store = Store(str(self.folder / "store"))
        self.agent = None
        self.log = ""  # what was read of it so far
        self.put(HELD, "1048576\n")
        self.memory(available=600000)

    def put(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(text)
        new.rename(file)  # never seen half written

    def memory(self, available):
        self.put("proc/meminfo", f"MemTotal: 1000000 kB\nMemAvailable: {available} kB\n")

    def start(self, *arguments, user=None):
        environment = {**os.environ, "XENSTORED_PATH": self.store.path}
        environment.pop("JOURNAL_STREAM", None)
        self.agent = subprocess.Popen(
            [AGENT, "--root", str(self.folder), *arguments],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            user=user)
        self.log = ""

    def report(self):
        """The next report, as a dictionary of its numbers."""
        path, value = self.store.writes.get(timeout=HANG_S)
        assert path == "data/xenmem", path
        assert value.startswith("xenmem1 "), value
        return {name: int(number) for name, number in re.findall(r" (\w+)=(\d+)", value)}

    def wait_for_log(self, what):
        while what not in self.log:
            ready, _, _ = select.select([self.agent.stderr], [], [], HANG_S)
            more = os.read(self.agent.stderr.fileno(), 4096) if ready else b""
            assert more, f"no '{what}' in: {self.log}"
            self.log += more.decode()

    def stop(self, how=signal.SIGTERM):
        """Ends the agent; (exit code, what it logged)."""
        self.agent.send_signal(how)
        _, rest = self.agent.communicate(timeout=HANG_S)
        return self.agent.returncode, self.log + rest

    def end(self):
        if self.agent and self.agent.poll() is None:
            self.agent.kill()
            self.agent.communicate()


def it_reports_when_it_starts(world):
    world.start()
    report = world.report()
    assert report["need"] == 1048576 - 600000, report
    assert report["balloon"] == 1, report
    assert world.stop()[0] == 0


def it_reports_what_changed_and_nothing_else(world):
    world.start("--interval", "100ms")
    first = world.report()
    time.sleep(1)
    assert world.store.writes.empty(), "said again without need"
    world.memory(available=300000)
    second = world.report()
    assert second["need"] == 1048576 - 300000, second
    assert second["seq"] > first["seq"], (first, second)


def numbers_grow_over_a_restart_of_the_agent(world):
    world.start()
    first = world.report()
    world.stop()
    world.start()
    assert world.report()["seq"] > first["seq"]


def it_finds_a_store_that_was_away(world):
    world.start("--interval", "100ms")
    world.report()
    world.store.close()
    world.memory(available=300000)
    world.wait_for_log("report-failed")
    world.store.open()
    assert world.report()["need"] == 1048576 - 300000
    world.wait_for_log("report-works-again")
    code, log = world.stop()
    assert code == 0, code
    assert log.count("report-failed") == 1, log
    assert log.count("report-works-again") == 1, log


def a_store_that_refuses_is_named_once_and_tried_again(world):
    world.store.refusal = "EACCES"
    world.start("--interval", "100ms")
    for _ in range(3):
        world.report()
    world.store.refusal = None
    world.wait_for_log("report-works-again")
    _, log = world.stop()
    assert log.count("report-failed") == 1, log
    assert "Permission denied" in log, log


def it_ends_while_the_store_does_not_answer(world):
    world.store.silent = True
    world.start()
    world.report()
    assert world.stop()[0] == 0


def without_the_kernels_signal_of_pressure_the_clock_will_do(world):
    world.start("--interval", "100ms")
    world.report()
    world.wait_for_log("no-pressure-signal")
    world.memory(available=300000)
    assert world.report()["need"] == 1048576 - 300000


def anybody_who_may_reach_the_store_may_run_it(world):
    global AGENT  # pylint: disable=global-statement
    if os.getuid() != 0:
        world.start()  # this is one
        world.report()
        return
    theirs, ours = world.folder / "agent", AGENT
    shutil.copy(ours, theirs)
    world.folder.chmod(0o755)
    os.chmod(world.store.path, 0o666)
    AGENT = str(theirs)
    try:
        world.start(user="nobody")
        assert world.report()["need"] == 1048576 - 600000
    finally:
        AGENT = ours


def it_ends_on_interrupt(world):
    world.start()
    world.report()
    assert world.stop(signal.SIGINT)[0] == 0


def figures_that_cannot_be_read_are_named_once(world):
    world.start("--interval", "100ms")
    world.report()
    world.put("proc/meminfo", "nothing\n")
    world.wait_for_log("look-failed")
    world.memory(available=100000)
    assert world.report()["need"] == 1048576 - 100000
    _, log = world.stop()
    assert log.count("look-failed") == 1, log


def run(world, *arguments, **environment):
    return subprocess.run([AGENT, *arguments], env={**os.environ, **environment}, text=True,
                          capture_output=True, timeout=HANG_S, check=False)


def print_shows_the_report_without_a_store(world):
    done = run(world, "--print", "--root", str(world.folder), XENSTORED_PATH="/nowhere")
    assert done.returncode == 0, done
    assert f" need={1048576 - 600000} " in done.stdout, done.stdout
    assert world.store.writes.empty()


def without_a_store_it_says_what_to_do(world):
    done = run(world, "--root", str(world.folder), XENSTORED_PATH="/nowhere")
    assert done.returncode == 5, done
    assert done.stderr.count("\n") == 1 and "Xen guest" in done.stderr, done.stderr


def wrong_options_are_refused(world):
    for arguments in (["--interval", "0"], ["--interval", "99ms"], ["--interval", "11s"],
                      ["--interval", "-1s"], ["--interval"], ["--nonsense"], ["more"]):
        done = run(world, *arguments)
        assert done.returncode == 2, (arguments, done)
        assert done.stderr.count("\n") == 1, (arguments, done.stderr)


def it_says_what_it_is(world):
    assert run(world, "--version").stdout.startswith("xenmem-agent ")
    assert "--interval" in run(world, "--help").stdout


def what_could_not_be_written_is_a_failure(world):
    for arguments in (["--print", "--root", str(world.folder)], ["--version"], ["--help"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([AGENT, *arguments], stdout=full, timeout=HANG_S, check=False)
        assert done.returncode == 1, (arguments, done)


STORIES = [
    it_reports_when_it_starts,
    it_reports_what_changed_and_nothing_else,
    numbers_grow_over_a_restart_of_the_agent,
    it_finds_a_store_that_was_away,
    a_store_that_refuses_is_named_once_and_tried_again,
    it_ends_while_the_store_does_not_answer,
    without_the_kernels_signal_of_pressure_the_clock_will_do,
    anybody_who_may_reach_the_store_may_run_it,
    it_ends_on_interrupt,
    figures_that_cannot_be_read_are_named_once,
    print_shows_the_report_without_a_store,
    without_a_store_it_says_what_to_do,
    wrong_options_are_refused,
    it_says_what_it_is,
    what_could_not_be_written_is_a_failure,
]


def main():
    failed = 0
    for story in STORIES:
        with tempfile.TemporaryDirectory(prefix="xenmem-agent-") as folder:
            world = World(folder)
            try:
                story(world)
            except Exception as problem:  # pylint: disable=broad-except
                failed += 1
                print(f"FAILED: {story.__name__}: {problem!r}")
            finally:
                world.end()
    print(f"{len(STORIES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
