# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is killed (SIGKILL) at random instants while reservations, starts, deaths and changes of need go on.

After each restart no reservation is lost or doubled, promise 1 holds, and the database is intact; the same while what the
daemon asks of the hypervisor fails now and then. XENMEM_KILLS says how often (20; `make check-kills` 1000), XENMEM_SEED from
which seed; both are printed.
"""

import json
import os
import random
import socket
import sqlite3
import threading
import time

from host import Host, run, until

KILLS = int(os.environ.get("XENMEM_KILLS", "20"))
SEED = int(os.environ.get("XENMEM_SEED", str(int(time.time()))))

HOST = """
[host]
size = 10g
dom0 = 1g
""" + "".join(f"""
[vm base{i}]
memory = 1g
maxmem = 3g
demand = 600m
""" for i in range(4))

MANAGED = "[vm *]\nmode = dynamic\nminimum = 512m\n"
MIB = 1024


class Gone(Exception):
    """The daemon does not answer any more: it was killed."""


class Client:
    """One connection, which asks one thing at a time."""

    def __init__(self, path):
        self.peer = socket.socket(socket.AF_UNIX)
        self.peer.settimeout(90)
        try:
            self.peer.connect(path)
            self.stream = self.peer.makefile("rb")
            self.stream.readline()
        except OSError as error:
            raise Gone from error

    def call(self, method, **params):
        """The result, or None where it was refused."""
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            self.peer.sendall(line.encode() + b"\n")
            answer = self.stream.readline()
        except OSError as error:
            raise Gone from error
        if not answer.endswith(b"\n"):
            raise Gone
        return json.loads(answer).get("result")


class Story:
    """What was acknowledged, and so must be there after the daemon comes back."""

    def __init__(self, host, dice, faulty):
        self.host, self.dice = host, dice
        self.faulty = faulty  # operations of the hypervisor fail now and then
        self.count = 0
        self.granted = {}  # name -> (id, size in KiB)
        self.unsure = set()  # names of what was on its way when the daemon died
        self.running = set()

    # --- what goes on

    def reserve(self, client):
        self.count += 1
        name, size = f"new{self.count}", self.dice.randrange(64, 512, 2)
        self.unsure.add(name)
        answer = client.call("reservation.create", size=f"{size}m", **{"for": name})
        self.unsure.discard(name)
        if answer:
            self.granted[name] = (answer["id"], size * MIB)

    def release(self, client):
        if not self.granted:
            return
        name = self.dice.choice(sorted(self.granted))
        number, _ = self.granted.pop(name)
        self.unsure.add(name)
        client.call("reservation.release", id=number)
        self.unsure.discard(name)

    def begin(self, _):
        if not self.granted:
            return
        name = self.dice.choice(sorted(self.granted))
        _, size = self.granted.pop(name)
        self.unsure.add(name)
        self.running.add(name)
        memory = f"{size // MIB - 16}m"
        done = self.host.xl("create", name, f"memory={memory}", f"maxmem={memory}", "demand=40m")
        assert done.returncode == 0, f"what was granted was not there for {name}: {done.stderr}"

    def die(self, _):
        if self.running:
            name = self.dice.choice(sorted(self.running))
            self.running.discard(name)
            self.unsure.add(name)  # unless it was seen to run, it died half-built: its reservation is back
            self.host.xl("destroy", name)

    def need(self, _):
        self.host.xl("demand", f"base{self.dice.randrange(4)}", f"{self.dice.randrange(400, 1100)}m")

    def fail(self, _):
        """One operation, at one of its next calls, for a while, and perhaps half-done."""
        done = self.host.xl("fault", self.dice.choice(["read", "set-target", "set-cap", "adopt-target"]),
                            f"after={self.dice.randrange(8)}", f"times={self.dice.randrange(1, 4)}",
                            "how=" + self.dice.choice(["nothing", "half", "done"]))
        assert done.returncode == 0, done.stderr

    def go_on(self):
        """Until the daemon is gone."""
        deeds = [self.reserve, self.reserve, self.release, self.begin, self.die, self.need]
        deeds += [self.fail, self.fail] if self.faulty else []
        try:
            client = Client(self.host.socket)
            while True:
                self.dice.choice(deeds)(client)
        except Gone:
            pass

    # --- what must hold

    def check(self):
        seen = self.host.json("reservations")
        ids = [r["id"] for r in seen]
        assert len(ids) == len(set(ids)), seen
        explicit = [r for r in seen if not r["implicit"]]
        by_name = {r["name"]: r for r in explicit}
        assert len(by_name) == len(explicit), f"doubled: {seen}"
        for name, (number, size) in self.granted.items():
            assert name in by_name, f"{name} is lost: {seen}"
            assert (by_name[name]["id"], by_name[name]["size_kib"]) == (number, size), by_name[name]
        for name, record in by_name.items():
            assert name in self.granted or name in self.unsure, f"nobody has {name}: {record}"
        assert not self.host.json("host")["invariant_broken"], self.host.json("host")
        self.settle_unsure()

    def settle_unsure(self):
        """What was on its way is there or not; either is right, and from here on known."""
        def used():
            return not [r for r in self.host.json("reservations") if r["name"] in self.running]
        until("what runs by now has no reservation any more", used)
        for record in self.host.json("reservations"):
            if record["name"] in self.unsure and not record["implicit"]:
                self.host.do("release", str(record["id"]))
        self.unsure.clear()


def check_database(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def play(faulty):
    print(f"{KILLS} kills, seed {SEED}", flush=True)
    dice = random.Random(SEED)
    with Host(HOST, MANAGED) as host:
        story = Story(host, dice, faulty)
        host.settle()
        for _ in range(KILLS):
            timer = threading.Timer(dice.uniform(0, 0.4), host.daemon.kill)
            timer.start()
            story.go_on()
            timer.join()
            host.kill()
            check_database(host.database)
            host.xl("fault", "read", "times=0")  # a daemon that cannot look at its host at first says so, and ends
            host.start()
            story.check()
        print(f"{story.count} reservations asked for", flush=True)


def test_nothing_is_lost_or_doubled_whenever_the_daemon_is_killed():
    play(faulty=False)


def test_nor_while_what_it_asks_of_the_hypervisor_fails_now_and_then():
    play(faulty=True)


if __name__ == "__main__":
    run(globals())
