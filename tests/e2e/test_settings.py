# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings: who they belong to, what overrules what, and what is refused."""

from host import GIB, MIB, Host, run, until

ONE = """
[host]
size = 8g
dom0 = 1g

[vm web]
memory = 1g
maxmem = 4g
demand = 500m
"""


def refused(host, code, *command):
    done = host.ctl(*command)
    assert done.returncode == code, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
    lines = done.stderr.splitlines()
    assert len(lines) == 1, f"one line, not {lines}"
    return lines[0]


def test_a_vm_can_be_configured_before_it_exists():
    with Host(ONE) as host:
        host.do("set", "later", "mode=dynamic", "minimum=256m", "startup=512m", "maximum=1g")
        assert host.vm("later")["state"] == "off"
        assert host.xl("create", "later", "memory=512m", "maxmem=1g").returncode == 0
        until("it runs with its settings", lambda: host.vm("later")["state"] == "running")
        assert host.vm("later")["minimum_kib"] == 256 * MIB


def test_settings_outlive_the_domain_and_follow_its_name():
    with Host(ONE) as host:
        host.do("set", "web", "mode=dynamic", "priority=77")
        host.xl("destroy", "web")
        until("it is off", lambda: host.vm("web")["state"] == "off")
        host.xl("create", "web")
        until("it is back", lambda: host.vm("web")["state"] == "running")
        assert host.vm("web")["priority"] == 77


def test_a_timed_set_ends_by_itself_and_brings_back_what_was():
    with Host(ONE) as host:
        host.do("set", "web", "priority=30")
        host.do("set", "web", "priority=80", "--for", "2s")
        assert host.vm("web")["priority"] == 80
        until("it has ended", lambda: host.vm("web")["priority"] == 30)


NIGHT = "[policy]\nname = night\n[vm web]\nbuffer = 40\n"


def test_show_tells_where_each_setting_is_from_and_when_it_ends():
    with Host(ONE, "[vm *]\nmode = dynamic\n") as host:
        host.do("set", "web", "priority=30", "minimum=256m")
        host.do("set", "web", "priority=80", "--for", "1h")
        host.do("policy", "apply", host.write("night.policy", NIGHT), "--for", "2h")
        origins = host.vm("web")["origins"]
        ends = {key: origin.pop("expires_ms") for key, origin in origins.items()}
        assert origins == {
            "mode": {"layer": "configuration", "policy": None}, "minimum_kib": {"layer": "set", "policy": None},
            "priority": {"layer": "timed", "policy": None}, "buffer_percent": {"layer": "policy", "policy": "night"},
            "startup_kib": {"layer": "default", "policy": None}, "maximum_kib": {"layer": "default", "policy": None},
            "trust": {"layer": "default", "policy": None}}, origins
        assert {key for key, end in ends.items() if end} == {"priority", "buffer_percent"}
        assert 3600000 <= ends["buffer_percent"] - ends["priority"] < 7200000
        shown = {line.split()[0]: line.split() for line in host.do("show", "web").splitlines() if line.strip()}
        assert shown["minimum"] == ["minimum", "256", "MiB", "set"]
        assert shown["mode"] == ["mode", "dynamic", "configuration"]
        assert shown["priority"][:4] == ["priority", "80", "set", "until"]
        assert shown["buffer"][:5] == ["buffer", "40%", "policy", "night", "until"]


def test_set_answers_with_no_decision_that_was_made_before_it():
    with Host(ONE, "[vm *]\nmode = dynamic\n") as host:
        host.settle()
        assert host.vm("web")["reason"] and host.vm("web")["goal_kib"]
        vm = host.json("set", "web", "mode=static", "startup=1g")["vm"]
        assert vm["reason"] is None and vm["reason_text"] is None and vm["goal_kib"] is None, vm
        assert vm["mode"] == "static" and vm["origins"]["mode"]["layer"] == "set"
        assert host.json("set", "web", "priority=9", "--dry-run")["vm"]["origins"] is None


def test_a_plain_set_overrules_timed_ones():
    with Host(ONE) as host:
        host.do("set", "web", "priority=80", "buffer=40", "--for", "1h")
        host.do("set", "web", "priority=10")
        assert host.vm("web")["priority"] == 10
        assert host.vm("web")["buffer_percent"] == 40, "what it did not name stays"


def test_a_dry_run_changes_nothing():
    with Host(ONE) as host:
        before = host.vm("web")
        host.do("set", "web", "priority=99", "--dry-run")
        assert host.vm("web")["priority"] == before["priority"]
        assert not host.events("settings-changed")


def test_forget_needs_it_to_be_off_and_forgets_all():
    with Host(ONE) as host:
        host.do("set", "web", "priority=77")
        assert "running" in refused(host, 1, "forget", "web")
        host.xl("destroy", "web")
        until("it is off", lambda: host.vm("web")["state"] == "off")
        host.do("forget", "web")
        refused(host, 4, "show", "web")
        refused(host, 4, "forget", "web")


def test_contradictions_are_refused_with_both_values():
    with Host(ONE) as host:
        line = refused(host, 2, "set", "web", "minimum=3g", "maximum=2g")
        assert "3g" in line and "2g" in line, line
        line = refused(host, 2, "set", "web", "minimum=9g")
        assert "9g" in line and "4g" in line, line
        assert not host.events("settings-changed")


def test_wrong_values_are_refused_by_name_and_nothing_changes():
    with Host(ONE) as host:
        before = host.vm("web")
        for setting, told in [
            ("minimum=1", "unit"),
            ("minimum=99999999999999999999g", "minimum"),
            ("maximum=1025t", "1024t"),
            ("minimum=-1g", "minimum"),
            ("priority=101", "100"),
            ("buffer=4", "5"),
            ("mode=fast", "dynamic"),
            ("trust=maybe", "yes"),
            ("colour=red", "colour"),
            ("priority=", "priority"),
        ]:
            line = refused(host, 2, "set", "web", setting)
            assert told in line, f"{setting}: {line}"
        refused(host, 2, "set", "web")
        refused(host, 2, "set", "web", "priority=5", "--for", "8hh")
        refused(host, 2, "set", "Domain-0", "minimum=1g")
        after = host.vm("web")
        keys = ("minimum_kib", "startup_kib", "maximum_kib", "priority", "buffer_percent", "mode", "trust")
        assert {k: after[k] for k in keys} == {k: before[k] for k in keys}


def test_a_startup_beyond_the_host_needs_force():
    with Host(ONE) as host:
        command = ("set", "big", "startup=64g", "minimum=1g", "maximum=64g")
        assert "--force" in refused(host, 2, *command)
        host.do(*command, "--force")
        assert host.vm("big")["startup_kib"] == 64 * GIB


def test_who_changed_what_is_in_the_journal():
    with Host(ONE) as host:
        host.do("set", "web", "priority=61")
        (event,) = host.events("settings-changed", "web")
        assert event["detail"] == "priority=61 command=vm.set" and isinstance(event["uid"], int)


def test_a_pattern_is_no_vms_name():
    with Host(ONE) as host:
        done = host.ctl("set", "we*", "priority=3")
        assert done.returncode == 2 and "is a pattern" in done.stderr, done
        assert "we*" not in host.vms()


if __name__ == "__main__":
    run(globals())
