# SPDX-License-Identifier: GPL-2.0-or-later
"""explain and plan: why it is so, and what would be; nothing is written by either."""

import json

from host import GIB, MIB, Host, run, until

TWO = """
[host]
size = 4g
dom0 = 512m

[vm web]
memory = 1g
maxmem = 3g
demand = 600m

[vm db]
memory = 2g
maxmem = 3g
demand = 500m

[vm plain]
memory = 256m
"""
SETTINGS = "[vm plain]\nmode = ignored\n[vm *]\nmode = dynamic\nminimum = 512m\n"


def codes(steps):
    return [step["code"] for step in steps]


def refused(host, code, *command):
    done = host.ctl(*command)
    assert done.returncode == code, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == "", done.stdout
    return done.stderr


def test_explain_goes_from_need_to_target_in_numbered_steps():
    with Host(TWO, SETTINGS) as host:
        until("its need is known", lambda: host.vm("web")["demand_kib"])
        steps = host.json("explain", "web")["steps"]
        assert [step["step"] for step in steps] == list(range(1, 9))
        assert codes(steps) == ["running", "need", "demand", "wanted", "bounds", "share", "keep", "keep"], codes(steps)
        assert steps[3]["figures"] == {"wanted_kib": host.vm("web")["wanted_kib"], "buffer_percent": 20}
        lines = host.do("explain", "web").splitlines()
        assert lines[0].startswith(" 1. It is running and has 1 GiB"), lines[0]
        assert lines[1].endswith("[need]"), lines[1]


def test_explain_says_why_nothing_is_done():
    with Host(TWO, SETTINGS) as host:
        assert codes(host.json("explain", "plain")["steps"]) == ["running", "not-managed"]
        host.xl("pause", "db")
        until("it is paused", lambda: host.vm("db")["state"] == "paused")
        assert codes(host.json("explain", "db")["steps"]) == ["paused", "state"]
        host.do("set", "later", "mode=dynamic")
        assert codes(host.json("explain", "later")["steps"]) == ["off"]
        assert "nobody" in refused(host, 4, "explain", "nobody")


def test_plan_of_a_host_at_rest_has_nothing_to_do():
    with Host(TWO, SETTINGS) as host:
        host.settle()
        plan = host.json("plan")
        assert codes(plan["steps"]) == ["host", "keep"]
        assert plan["feasible"] is None


def test_plan_of_a_setting_shows_what_it_would_come_to():
    with Host(TWO, SETTINGS) as host:
        host.settle()
        before = host.vm("web")
        steps = host.json("plan", "--set", "web", "minimum=1200m", "priority=80")["steps"]
        assert codes(steps)[:4] == ["host", "setting", "setting", "setting"], codes(steps)
        assert [step["text"] for step in steps if step["code"] == "setting"] == [
            "Its startup would be 1200m instead of 1g.", "Its minimum would be 1200m instead of 512m.",
            "Its priority would be 80 instead of 50."]
        raised = [step for step in steps if step["vm"] == "web" and step["code"] == "bound-low"]
        assert raised and raised[0]["figures"]["goal_kib"] == 1200 * MIB, steps
        after = host.vm("web")
        assert (after["minimum_kib"], after["target_kib"]) == (before["minimum_kib"], before["target_kib"])
        assert not host.events("settings-changed"), "nothing was written"
        host.do("set", "web", "minimum=1200m", "priority=80")
        until("it comes to that", lambda: host.vm("web")["target_kib"] == 1200 * MIB)


def test_plan_of_a_start_says_whether_there_is_room_and_who_would_give_it():
    with Host(TWO, SETTINGS) as host:
        host.settle()
        plan = host.json("plan", "--start", "1g")
        assert plan["feasible"] is True
        assert "start" in codes(plan["steps"])
        given = [step for step in plan["steps"] if step["code"] == "give"]
        assert given and all(step["figures"]["to_kib"] < step["figures"]["from_kib"] for step in given), plan
        assert host.json("reservations") == []
        assert not host.actions(), "nobody was moved"


def test_plan_of_a_start_without_room_says_who_holds_it_and_moves_nobody():
    with Host(TWO, SETTINGS) as host:
        host.settle()
        done = host.ctl("--format", "json", "plan", "--start", "3g", "--priority", "100")
        assert done.returncode == 3 and done.stderr.count("\n") == 1 and "3g" in done.stderr, done
        plan = json.loads(done.stdout)
        assert plan["feasible"] is False
        refusal = next(step for step in plan["steps"] if step["code"] == "no-memory")
        figures = refusal["figures"]
        assert figures["missing_kib"] == 3 * GIB - figures["now_kib"] - figures["freeable_kib"]
        holders = {step["vm"]: step["figures"]["holds_kib"] for step in plan["steps"] if step["code"] == "holds"}
        assert holders["web"] == 513 * MIB, "its minimum, and the slack of its cap"
        assert "Domain-0" in holders
        assert codes(plan["steps"])[-1] == "keep"


def test_a_plan_for_a_vm_that_nobody_knows_warns():
    with Host(TWO, SETTINGS) as host:
        done = host.ctl("plan", "--set", "wbe", "minimum=1g")
        assert done.returncode == 0 and "no VM of that name was ever seen" in done.stderr, done


def test_what_is_wrong_in_a_plan_is_named():
    with Host(TWO, SETTINGS) as host:
        assert "KEY=VALUE" in refused(host, 2, "plan", "--set", "web")
        assert "--set" in refused(host, 2, "plan", "web", "minimum=1g")
        assert "unit" in refused(host, 2, "plan", "--start", "1000")
        assert "1024t" in refused(host, 2, "plan", "--start", "2000t")
        assert "--start" in refused(host, 2, "plan", "--priority", "10")
        assert "0 to 100" in refused(host, 2, "plan", "--start", "1g", "--priority", "101")
        assert "above maximum" in refused(host, 2, "plan", "--set", "web", "minimum=4g")
        assert "colour" in refused(host, 2, "plan", "--set", "web", "colour=red")


if __name__ == "__main__":
    run(globals())
