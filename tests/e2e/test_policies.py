# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies: applied whole or not at all, reverted in any order, kept over restarts."""

import re

from host import GIB, MIB, Host, run, until

TWO = """
[host]
size = 8g
dom0 = 1g

[vm web1]
memory = 1g
maxmem = 4g
demand = 500m

[vm db1]
memory = 2g
maxmem = 4g
demand = 1g
"""

NIGHT = """
[policy]
name = night
description = backups run, nobody surfs

[host]
headroom = 256m

[vm web*]
priority = 20
buffer = 5

[vm *]
priority = 80
"""

CALM = """
[policy]
name = calm

[vm web1]
priority = 30
"""


def refused(host, code, *command):
    done = host.ctl(*command)
    assert done.returncode == code, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
    lines = done.stderr.splitlines()
    assert len(lines) == 1, f"one line, not {lines}"
    return lines[0]


def priorities(host):
    return {name: vm["priority"] for name, vm in host.vms().items()}


def active(host):
    return [policy["name"] for policy in host.json("policy", "active")]


def test_a_policy_is_in_force_until_it_is_reverted():
    with Host(TWO) as host:
        night = host.write("night.policy", NIGHT)
        host.do("policy", "apply", night)
        assert priorities(host) == {"web1": 20, "db1": 80}, "the first pattern that fits wins"
        assert host.json("host")["headroom_kib"] == 256 * MIB or until(
            "the host's setting", lambda: host.json("host")["headroom_kib"] == 256 * MIB)
        assert active(host) == ["night"]
        host.do("policy", "revert", "night")
        assert priorities(host) == {"web1": 50, "db1": 50}
        assert active(host) == []
        refused(host, 4, "policy", "revert", "night")


def test_layers_undone_in_any_order_leave_what_the_others_say():
    with Host(TWO) as host:
        night, calm = host.write("night.policy", NIGHT), host.write("calm.policy", CALM)
        host.do("policy", "apply", night)
        host.do("policy", "apply", calm)
        assert priorities(host)["web1"] == 30
        host.do("policy", "revert", "night")
        assert priorities(host) == {"web1": 30, "db1": 50}
        host.do("policy", "apply", night)
        assert priorities(host)["web1"] == 20, "applied last, it is on top"
        host.do("policy", "apply", calm)
        host.do("policy", "revert", "calm")
        assert priorities(host)["web1"] == 20


def test_applying_the_same_twice_changes_nothing():
    with Host(TWO) as host:
        night = host.write("night.policy", NIGHT)
        assert host.json("policy", "apply", night)["changed"]
        again = host.json("policy", "apply", night)
        assert not again["changed"] and again["changes"] == [], again
        assert len(host.events("policy-applied")) == 1


def test_a_restart_keeps_it():
    with Host(TWO) as host:
        host.do("policy", "apply", host.write("night.policy", NIGHT))
        host.do("set", "web1", "priority=33")
        host.kill()
        host.start()
        assert priorities(host) == {"web1": 33, "db1": 80}
        assert host.vm("web1")["buffer_percent"] == 5
        host.do("policy", "revert", "night")
        assert priorities(host) == {"web1": 33, "db1": 50}


def test_set_wins_over_policies_for_that_key_of_that_vm_only():
    with Host(TWO) as host:
        host.do("policy", "apply", host.write("night.policy", NIGHT))
        host.do("set", "db1", "priority=61")
        assert priorities(host) == {"web1": 20, "db1": 61}
        host.do("policy", "apply", host.path("night.policy"))
        assert priorities(host)["db1"] == 80, "applied anew, it is newer than the set"


EVERY_TYPE = """
[policy]
name = all
[host]
headroom = 256m
surplus = hold
blind = yes
demand-half-life = 10m
[vm web1]
minimum = 300m
buffer = 30
mode = dynamic
trust = yes
"""


def test_amounts_are_numbers_in_json():
    with Host(TWO) as host:
        host.do("policy", "apply", host.write("all.policy", EVERY_TYPE))
        (policy,) = host.json("policy", "active")
        assert policy["host"] == {"headroom_kib": 256 * MIB, "surplus": "hold", "blind": True, "demand_half_life_ms": 600000}
        assert policy["vms"] == [{"match": "web1", "minimum_kib": 300 * MIB, "buffer_percent": 30, "mode": "dynamic",
                                  "trust": True}]


def test_it_ends_by_itself():
    with Host(TWO) as host:
        host.do("policy", "apply", host.write("night.policy", NIGHT), "--for", "2s")
        assert host.json("policy", "active")[0]["expires_ms"] > 0
        until("it has ended", lambda: priorities(host) == {"web1": 50, "db1": 50})
        until("that is told", lambda: host.events("policy-reverted"))


def test_a_dry_run_shows_changes_and_targets_and_does_nothing():
    with Host(TWO, "surplus = hold\n[vm *]\nmode = dynamic\nminimum = 256m\n") as host:
        host.settle()
        policy = host.write("big.policy", "[policy]\nname = big\n[vm db1]\nminimum = 3g\nstartup = 3g\n")
        seen = host.json("policy", "apply", policy, "--dry-run")
        change = {"vm": "db1", "setting": "minimum_kib", "from": 256 * MIB, "to": 3 * GIB}
        assert change in seen["changes"], seen
        shown = host.do("policy", "apply", policy, "--dry-run")
        assert re.search(r"^db1 +minimum_kib +256 MiB +3 GiB$", shown, re.M), shown
        (target,) = [target for target in seen["targets"] if target["vm"] == "db1"]
        assert target["to_kib"] >= 3 * GIB, seen
        assert active(host) == [] and host.vm("db1")["minimum_kib"] == 256 * MIB
        assert not host.events("policy-applied")
        host.do("policy", "apply", policy)
        until("it is so", lambda: host.vm("db1")["target_kib"] == target["to_kib"])


def test_what_is_reserved_is_not_foreseen_for_others():
    with Host(TWO, "[vm *]\nmode = dynamic\nminimum = 512m\n") as host:
        host.settle()
        host.do("reserve", "3840m", "--ttl", "10m")
        host.settle()
        policy = host.write("big.policy", "[policy]\nname = big\n[vm db1]\nminimum = 3g\nstartup = 3g\n")
        seen = host.json("policy", "apply", policy, "--dry-run")
        (target,) = [target for target in seen["targets"] if target["vm"] == "db1"]
        assert 2 * GIB < target["to_kib"] < 3 * GIB, seen
        host.do("policy", "apply", policy)
        until("about that is done", lambda: host.vm("db1")["target_kib"] > target["to_kib"] - 80 * MIB)
        host.settle()
        assert host.vm("db1")["target_kib"] <= target["to_kib"]


def test_one_vm_that_contradicts_refuses_the_whole():
    with Host(TWO) as host:
        host.do("set", "db1", "maximum=1g", "startup=1g", "minimum=1g")
        line = refused(host, 2, "policy", "apply",
                       host.write("p.policy", "[policy]\nname = p\n[vm *]\nminimum = 2g\nstartup = 2g\n"))
        assert "db1" in line and "2g" in line, line
        assert active(host) == [] and host.vm("web1")["minimum_kib"] != 2 * GIB


def test_one_of_ten_vms_is_named_and_nothing_is_applied():
    text = "[host]\nsize = 8g\ndom0 = 1g\n" + "".join(f"[vm vm{i}]\nmemory = 256m\nmaxmem = 2g\n" for i in range(10))
    with Host(text) as host:
        host.do("set", "vm7", "maximum=512m", "startup=256m", "minimum=256m")
        before = host.json("list")
        policy = host.write("p.policy", "[policy]\nname = p\n[host]\nreserve = 1g\n[vm vm*]\nminimum = 1g\nstartup = 1g\n")
        for command in (("check",), ("apply",), ("apply", "--dry-run")):
            line = refused(host, 2, "policy", command[0], policy, *command[1:])
            assert "vm7" in line and not any(f"vm{i}" in line for i in range(10) if i != 7), line
        keys = ("name", "minimum_kib", "startup_kib", "maximum_kib", "target_kib")
        assert [[vm[key] for key in keys] for vm in host.json("list")] == [[vm[key] for key in keys] for vm in before]
        assert active(host) == [] and host.json("host")["reserve_kib"] != GIB
        assert not host.events("policy-applied") and len(host.events("change-refused")) == 2


def test_what_is_wrong_in_a_file_is_named_with_its_line():
    with Host(TWO) as host:
        for text, told in [
            ("[policy]\nname = p\n[vm *]\npriority = 5\npriority = 6\n", ":5: "),
            ("[policy]\nname = p\n[vm *]\npriority = 101\n", ":4: "),
            ("[policy]\nname = p\n[vm *]\nminimum = 3g\nmaximum = 2g\n", ":5: "),
            ("[policy]\nname = p\n[vm *]\ncolour = red\n", "colour"),
            ("[policy]\nname = p\n[nonsense]\n", ":3: "),
            ("[policy]\nname = a b\n", ":2: "),
            ("[vm *]\npriority = 5\n", "name"),
            ("[policy]\nname = p\n", "says nothing"),
            ("[policy]\nname = p\n[vm *]\n", "says nothing"),
            ("", "name"),
        ]:
            line = refused(host, 2, "policy", "check", host.write("p.policy", text))
            assert told in line and "p.policy" in line, f"{text!r}: {line}"
        huge = host.write("p.policy", "# much\n" * 1500000)
        assert "longer" in refused(host, 2, "policy", "apply", huge)
        refused(host, 4, "policy", "apply", host.path("nothing.policy"))
        refused(host, 2, "policy", "apply", host.write("p.policy", CALM), "--for", "8hh")
        refused(host, 2, "policy", "praise", "p")
        assert active(host) == []


def test_a_pattern_that_fits_nobody_is_warned_of():
    with Host(TWO) as host:
        done = host.ctl("policy", "check", host.write("p.policy", "[policy]\nname = p\n[vm mail*]\npriority = 5\n"))
        assert done.returncode == 0 and "mail*" in done.stderr, done


def test_who_changed_and_who_was_refused_is_in_the_journal():
    with Host(TWO) as host:
        host.do("policy", "apply", host.write("calm.policy", CALM))
        (event,) = host.events("policy-applied")
        assert "policy=calm" in event["detail"] and "command=policy.apply" in event["detail"], event
        assert isinstance(event["uid"], int)
        refused(host, 2, "set", "web1", "priority=101")
        refused(host, 4, "policy", "revert", "night")
        seen = [event["detail"] for event in host.events("change-refused")]
        assert len(seen) == 2 and "vm.set" in seen[0] and "policy.revert" in seen[1], seen


if __name__ == "__main__":
    run(globals())
