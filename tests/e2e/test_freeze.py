# SPDX-License-Identifier: GPL-2.0-or-later
"""Freezes: a VM that is left alone until it is thawed, over a killed daemon too."""

import re

from host import Host, run, until

TWO = """
[host]
size = 6g
dom0 = 1g

[vm one]
memory = 1g
maxmem = 4g
demand = 600m

[vm two]
memory = 1g
maxmem = 4g
demand = 600m
"""

MANAGED = "[vm *]\nmode = dynamic\nminimum = 512m\n"


def test_a_frozen_vm_stays_as_it_is_and_thawed_it_follows_its_need():
    with Host(TWO, MANAGED) as host:
        host.settle()
        assert "at rest" in host.do("freeze", "one")
        assert host.vm("one")["state"] == "frozen"
        before = host.vm("one")["target_kib"]
        host.xl("demand", "one", "2g")
        host.xl("demand", "two", "2g")
        until("the other one grows", lambda: host.vm("two")["target_kib"] >= 2 << 20)
        assert host.vm("one")["target_kib"] == before
        host.kill()
        host.start()
        assert host.vm("one")["state"] == "frozen"
        host.do("thaw", "one")
        until("it grows", lambda: host.vm("one")["target_kib"] > before)
        assert [e["event"] for e in host.events(vm="one") if "freeze" in e["event"]] == ["freeze-set", "freeze-cleared"]


def test_a_freeze_waits_for_a_balloon_that_is_on_its_way():
    with Host(TWO.replace("demand = 600m", "demand = 600m\nballoon-rate = 100m", 1), MANAGED) as host:
        host.settle()
        host.xl("demand", "one", "1500m")
        until("it is on its way", lambda: host.vm("one")["target_kib"] > 1 << 20)
        host.do("freeze", "one", "--for", "1h")
        vm = host.vm("one")
        assert abs(vm["assigned_kib"] - vm["target_kib"]) <= 4096, vm


def test_show_tells_until_when():
    with Host(TWO, MANAGED) as host:
        host.settle()
        assert not host.vm("one")["frozen"] and "frozen" not in host.do("show", "one")
        until_ms = host.json("freeze", "one", "--for", "1h")["until_ms"]
        assert host.vm("one")["frozen"] and host.vm("one")["frozen_until_ms"] == until_ms
        head = host.do("show", "one").splitlines()[0]
        assert re.match(r"one: frozen until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, id ", head), head
        host.do("freeze", "one")
        assert host.vm("one")["frozen_until_ms"] is None
        assert host.do("show", "one").startswith("one: frozen until it is thawed, id ")
        host.xl("destroy", "one")
        until("it is off", lambda: host.vm("one")["state"] == "off")
        assert host.do("show", "one").startswith("one: off, frozen until it is thawed\n")


def test_a_freeze_for_a_while_ends_and_bad_input_changes_nothing():
    with Host(TWO, MANAGED) as host:
        host.settle()
        host.do("freeze", "one", "--for", "1s")
        until("it is over", lambda: host.vm("one")["state"] == "running")
        assert host.ctl("freeze", "nobody").returncode == 4
        assert host.ctl("freeze", "one", "--for", "8hh").returncode == 2
        twice = host.ctl("thaw", "one")
        assert twice.returncode == 2 and "not frozen" in twice.stderr, twice
        assert host.vm("one")["state"] == "running"


if __name__ == "__main__":
    run(globals())
