# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory goes where it is needed, and only there: daemon, command line and simulated host together."""

from host import GIB, MIB, Host, run, until

TWO = """
[host]
size = 6g
dom0 = 1g

[vm busy]
memory = 2g
maxmem = 4g
demand = 1g

[vm idle]
memory = 2560m
maxmem = 4g
demand = 600m
"""

MANAGED = "[vm *]\nmode = dynamic\nminimum = 512m\n"


def shares_promise(host):
    """Promise 1, as the host shows it."""
    seen = host.json("host")
    return not seen["invariant_broken"]


def test_memory_follows_need_and_nobody_is_killed():
    with Host(TWO, MANAGED) as host:
        host.settle()
        before = host.vms()
        assert host.xl("demand", "busy", "2600m").returncode == 0
        until("busy has what it needs", lambda: host.vm("busy")["assigned_kib"] >= 2600 * MIB)
        until("busy is well", lambda: host.vm("busy")["status"] == "ok")
        after = host.vms()
        assert after["idle"]["assigned_kib"] < before["idle"]["assigned_kib"], after
        assert after["busy"]["id"] == before["busy"]["id"], "busy was killed and built anew"
        assert shares_promise(host)


def test_shrinking_comes_before_growing_in_the_journal():
    with Host(TWO, MANAGED) as host:
        host.settle()
        host.xl("demand", "busy", "3200m")
        until("busy has what it needs", lambda: host.vm("busy")["assigned_kib"] >= 3200 * MIB)
        given = [e["id"] for e in host.actions() if e["vm"] == "idle" and e["reason"] == "give"]
        grown = [e["id"] for e in host.actions() if e["vm"] == "busy" and e["reason"] == "grow-demand"]
        assert given and grown, host.actions()
        assert min(given) < max(grown)


def test_a_start_by_hand_that_uses_up_the_host_is_told_for_the_hypervisors_signal_and_made_good():
    with Host(TWO, "reserve = 256m\n[vm hog]\nmode = ignored\n" + MANAGED) as host:
        host.settle()
        assert not host.events("host-low")
        size = host.json("host")["free_kib"] // MIB - 20
        assert host.xl("create", "hog", f"memory={size}m", f"maxmem={size}m").returncode == 0
        low = until("the host is said to be low", lambda: host.events("host-low"))
        assert "hypervisor=low" in low[0]["detail"], low
        until("the reserve is whole again", lambda: host.json("host")["free_kib"] >= 256 * MIB)
        until("promise 1 holds again", lambda: host.events("invariant-restored"))
        assert any(action["vm"] == "idle" and action["reason"] == "give" for action in host.actions()), host.actions()


def test_nobody_that_is_not_configured_is_touched():
    with Host(TWO) as host:
        host.xl("demand", "busy", "3g")
        until("the need is seen", lambda: (host.vm("busy")["demand_kib"] or 0) >= 2 * GIB)
        host.do("balance")
        assert host.actions() == []
        assert host.vm("busy")["mode"] == "ignored" and host.vm("busy")["reason"] == "not-managed"


def test_observe_decides_and_explains_but_writes_nothing():
    with Host(TWO, MANAGED, action="observe") as host:
        before = {name: vm["target_kib"] for name, vm in host.vms().items()}
        host.xl("demand", "busy", "2600m")
        until("it says what it would do", lambda: [e for e in host.actions() if e["vm"] == "busy"])
        assert all(e["detail"].startswith("would-be ") for e in host.actions()), host.actions()
        assert {name: vm["target_kib"] for name, vm in host.vms().items()} == before


def test_a_stuck_guest_is_named_and_costs_the_others_only_its_own_memory():
    stuck = TWO + "stuck = always\n\n[vm helper]\nmemory = 2g\nmaxmem = 2g\ndemand = 200m\n"
    with Host(stuck.replace("size = 6g", "size = 8g"), MANAGED) as host:
        host.settle()
        host.xl("demand", "busy", "3g")
        until("idle is found out", lambda: host.events("vm-unresponsive", "idle"))
        until("busy has what it needs", lambda: host.vm("busy")["assigned_kib"] >= 3 * GIB)
        assert host.vm("idle")["state"] == "unresponsive"


def test_a_guest_without_an_agent_keeps_what_it_has():
    silent = TWO.replace("demand = 600m\n", "demand = 600m\nagent = none\n")
    with Host(silent, MANAGED) as host:
        host.settle()
        before = host.vm("idle")
        assert before["status"] == "unknown" and before["demand_kib"] is None
        host.xl("demand", "busy", "3800m")
        until("busy asks in vain", lambda: host.events("host-low"))
        assert host.vm("idle")["target_kib"] == before["target_kib"]


def test_a_paused_guest_is_left_alone():
    with Host(TWO, MANAGED) as host:
        host.settle()
        host.xl("pause", "idle")
        until("it is seen paused", lambda: host.vm("idle")["state"] == "paused")
        before = host.vm("idle")["target_kib"]
        host.xl("demand", "busy", "3800m")
        until("busy asks in vain", lambda: host.events("host-low"))
        assert host.vm("idle")["target_kib"] == before
        host.xl("unpause", "idle")
        until("now it gives", lambda: host.vm("idle")["target_kib"] < before)


def test_a_target_set_by_hand_is_honoured_until_it_is_cleared():
    with Host(TWO, MANAGED) as host:
        host.settle()
        assert host.xl("mem-set", "idle", "1g").returncode == 0
        until("it is seen", lambda: host.vm("idle")["overridden"])
        host.do("balance")
        assert host.vm("idle")["target_kib"] == GIB
        assert host.events("override-seen", "idle")
        host.do("balance", "--clear-overrides")
        until("it is cleared", lambda: not host.vm("idle")["overridden"])
        assert host.events("override-cleared", "idle")


def test_a_target_set_by_hand_that_cannot_be_taken_back_is_told():
    with Host(TWO, MANAGED) as host:
        host.settle()
        host.xl("mem-set", "idle", "1g")
        until("it is seen", lambda: host.vm("idle")["overridden"])
        host.xl("pause", "idle")
        until("it is seen paused", lambda: host.vm("idle")["state"] == "paused")
        kept = host.ctl("balance", "--clear-overrides")
        assert kept.returncode == 1 and kept.stderr.count("\n") == 1, kept
        assert "idle keeps the target that was set by hand: the domain is not running" in kept.stderr, kept
        assert "clear-override" in host.events("action", "idle")[-1]["detail"]
        warned = host.ctl("set", "idle", "priority=60")
        assert warned.returncode == 0 and "cannot be taken back now" in warned.stderr, warned
        host.xl("unpause", "idle")
        until("it runs", lambda: host.vm("idle")["state"] == "running")
        host.do("freeze", "idle")
        frozen = host.ctl("balance", "--clear-overrides")
        assert frozen.returncode == 1 and "thaw idle" in frozen.stderr, frozen
        host.do("thaw", "idle")
        host.do("balance", "--clear-overrides")
        until("it is cleared", lambda: not host.vm("idle")["overridden"])


def test_a_static_vm_has_its_startup_memory():
    with Host(TWO, MANAGED) as host:
        host.do("set", "idle", "mode=static", "startup=1g")
        until("it has just that", lambda: host.vm("idle")["assigned_kib"] == GIB)


def test_a_guest_that_is_destroyed_and_one_that_reboots_are_followed():
    with Host(TWO, MANAGED) as host:
        host.settle()
        first = host.vm("busy")["id"]
        host.xl("reboot", "busy")
        until("busy is back", lambda: host.vm("busy")["id"] not in (None, first)
              and host.vm("busy")["state"] == "running")
        host.xl("destroy", "idle")
        until("idle is off", lambda: host.vm("idle")["state"] == "off")
        assert host.events("vm-gone", "idle")
        assert host.vm("idle")["mode"] == "dynamic", "its settings belong to its name"


def test_scarcity_is_shared_by_priority():
    with Host(TWO.replace("maxmem = 4g", "maxmem = 4g\nswap = 4g"), MANAGED) as host:
        host.do("set", "busy", "priority=90")
        host.do("set", "idle", "priority=10")
        host.xl("demand", "busy", "3g")
        host.xl("demand", "idle", "3g")
        until("both are scarce", lambda: all(vm["reason"] == "scarce" for vm in host.vms().values()))
        until("the important one has what it needs", lambda: host.vm("busy")["assigned_kib"] >= 3 * GIB)
        assert host.vm("idle")["status"] != "ok"
        until("the host says so", lambda: host.events("host-low"))


def test_the_host_is_called_simulated():
    with Host(TWO) as host:
        assert "simulated" in host.do("host")
        assert host.json("host")["simulated"] is True


if __name__ == "__main__":
    run(globals())
