# SPDX-License-Identifier: GPL-2.0-or-later
"""Freezes: a VM that is left alone until it is thawed, over a killed daemon too."""

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
