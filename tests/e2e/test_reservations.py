# SPDX-License-Identifier: GPL-2.0-or-later
"""Room for starts: granted, refused, kept over a killed daemon, used by the VM that it is for."""

from host import GIB, MIB, XENMEM_SIM, Host, run, until

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


def targets(host):
    return {name: vm["target_kib"] for name, vm in host.vms().items()}


def ready(host):
    host.settle()
    until("needs are known", lambda: all(vm["demand_kib"] for vm in host.vms().values()))


def test_guests_make_room_and_the_vm_that_comes_uses_it_up():
    with Host(FULL, MANAGED) as host:
        ready(host)
        number = host.do("reserve", "2g", "--for", "new").strip()
        seen = host.json("reservations")
        assert [r["state"] for r in seen] == ["granted"], seen
        assert host.json("host")["reserved_kib"] == 2 * GIB
        assert not host.json("host")["invariant_broken"]
        assert host.events("reservation-granted", "new")
        done = host.xl("create", "new", "memory=1900m", "maxmem=1900m", "demand=200m")
        assert done.returncode == 0, done.stderr
        until("it is used up", lambda: host.json("reservations") == [])
        assert "used" in host.events("reservation-released", "new")[0]["detail"]
        again = host.ctl("release", number)
        assert again.returncode == 4 and number in again.stderr, again


def test_what_is_not_feasible_is_refused_at_once_and_nothing_moves():
    with Host(FULL, MANAGED) as host:
        ready(host)
        before, moved = targets(host), len(host.actions())
        done = host.ctl("reserve", "5g")
        assert done.returncode == 3, done
        for word in ("5 GiB", "could be freed", "held by", "dom0 1 GiB"):
            assert word in done.stderr, done.stderr
        assert targets(host) == before and len(host.actions()) == moved
        assert host.events("reservation-refused")
        assert host.json("reservations") == []


def test_a_granted_one_outlives_a_killed_daemon():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.do("reserve", "2g", "--for", "new")
        host.kill()
        host.start()
        seen = host.json("reservations")
        assert [(r["name"], r["state"], r["size_kib"]) for r in seen] == [("new", "granted", 2 * GIB)], seen
        until("it is counted", lambda: host.json("host")["reserved_kib"] == 2 * GIB)
        done = host.xl("create", "new", "memory=1900m", "maxmem=1900m", "demand=200m")
        assert done.returncode == 0, done.stderr


def test_a_queued_one_gives_up_when_its_time_is_over():
    with Host(FULL, MANAGED) as host:
        ready(host)
        timed_out = host.ctl("reserve", "4g", "--wait", "1s")
        assert timed_out.returncode == 3, timed_out
        assert host.json("reservations") == []


def test_release_expiry_and_bad_input():
    with Host(FULL, MANAGED) as host:
        ready(host)
        number = host.do("reserve", "100m").strip()
        host.do("release", number)
        assert host.json("reservations") == []
        host.do("reserve", "100m", "--ttl", "1s")
        until("it expires", lambda: host.json("reservations") == [])
        assert host.events("reservation-expired")
        for words in (["0"], ["-1"], ["9223372036854775808"], ["1m", "--priority", "101"], ["1m", "--wait", "x"]):
            bad = host.ctl("reserve", *words)
            assert bad.returncode == 2 and bad.stderr.count("\n") == 1, (words, bad)
        running = host.ctl("reserve", "100m", "--for", "one")
        assert running.returncode == 2 and "running" in running.stderr, running


def test_a_reboot_finds_its_memory():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.xl("demand", "two", "3500m")
        held, former = host.vm("one")["target_kib"], host.vm("one")["id"]
        assert host.xl("reboot", "one").returncode == 0
        until("it is back", lambda: host.vm("one")["state"] == "running" and host.vm("one")["id"] != former)
        assert host.events("reservation-granted", "one"), "nothing was kept for its reboot"
        assert host.vm("one")["assigned_kib"] >= min(held, 512 * MIB)
        until("it is used up", lambda: host.json("reservations") == [])


XL = """#!/bin/sh
echo "xl ran: $*"
[ "$1" = create ] && shift
exec "$XENMEM_SIM_PROGRAM" xl "$XENMEM_SIM_FILE" create new memory=1g maxmem=1g demand=200m
"""


def test_start_makes_room_and_passes_on_what_xl_says():
    with Host(FULL, MANAGED) as host:
        ready(host)
        xl = host.write("xl", XL)
        host.environment.update(XENMEM_XL="sh " + xl, XENMEM_SIM_FILE=host.scenario, XENMEM_SIM_PROGRAM=XENMEM_SIM)
        small = host.write("new.cfg", 'name = "new" # a comment\nmemory = 1024\ntype = "pvh"\ndisk = [ "a=b",\n "c" ]\n')
        done = host.ctl("start", small)
        assert done.returncode == 0 and "xl ran: create" in done.stdout, done
        until("it runs, and nothing is kept any more", lambda: host.json("reservations") == [])
        assert "size_kib=1056768" in host.events("reservation-granted", "new")[0]["detail"]
        failed = host.ctl("start", host.write("again.cfg", "name = 'other'\nmemory = 100\n"))
        assert failed.returncode == 1 and "exit code 3" in failed.stderr, failed
        assert host.json("reservations") == []
        big = host.ctl("start", host.write("big.cfg", "name = 'big'\nmemory = 8192\n"))
        assert big.returncode == 3 and "xl ran" not in big.stdout, big
        for text in ("memory = 100\n", "name = 'x'\n", "name = 'x'\nmemory = lots\n"):
            bad = host.ctl("start", host.write("bad.cfg", text))
            assert bad.returncode == 2 and bad.stderr.count("\n") == 1, bad
        assert host.ctl("start", host.path("none.cfg")).returncode == 2


if __name__ == "__main__":
    run(globals())
