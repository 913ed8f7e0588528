# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks: run with what they need, and whatever they do harms nothing."""

import json
import os
import pwd

from host import Host, run, until

ONE = """
[host]
size = 4g
dom0 = 512m

[vm web]
memory = 1g
maxmem = 2g
demand = 500m
"""

TELL = """#!/bin/sh
{ echo "$1 $XENMEM_VM $XENMEM_EVENT"; cat; echo; env | sort; } >>FOLDER/told
echo "wrote it"
"""


class Hooked(Host):
    """A host with hooks: {"EVENT/NAME": text}."""

    def __init__(self, hooks, config=""):
        super().__init__(ONE)
        self.write("xenmemd.conf", f"[hooks]\nfolder = {self.path('hooks.d')}\n{config}")
        for name, text in hooks.items():
            self.hook(name, text)

    def hook(self, name, text, mode=0o755):
        path = self.path("hooks.d/" + name)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        self.write("hooks.d/" + name, text.replace("FOLDER", self.folder))
        os.chmod(path, mode)

    def told(self):
        try:
            with open(self.path("told"), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def results(self):
        return [event["detail"] for event in self.events("hook")]


def test_a_hook_gets_event_environment_and_json():
    os.environ["SECRET_OF_THE_DAEMON"] = "leaked"
    with Hooked({"settings-changed/10-tell": TELL}) as host:
        host.do("set", "web", "priority=61")
        until("it has run", lambda: host.results())
        lines = host.told().splitlines()
        assert lines[0] == "settings-changed web settings-changed", lines
        event = json.loads(lines[1])
        assert event["event"] == "settings-changed" and event["vm"] == "web" and "priority=61" in event["detail"]
        assert "XENMEM_DETAIL=priority=61 command=vm.set" in lines
        assert not any("SECRET" in line or line.startswith("HOME=") for line in lines), "a clean environment"
        (result,) = host.results()
        assert "exit=0" in result and "wrote it" in result, result


def test_those_of_the_event_come_before_those_of_all_in_order():
    text = '#!/bin/sh\necho "${0##*/}" >>FOLDER/told\n'
    with Hooked({}) as host:
        for name in ("vm-appeared/20-b", "vm-appeared/10-a", "all/05-c"):
            host.hook(name, text)
        assert host.xl("create", "new", "memory=256m", "maxmem=512m").returncode == 0
        until("all have run", lambda: host.told() == "10-a\n20-b\n05-c\n")


def test_what_others_could_have_written_is_refused_with_the_reason():
    with Hooked({}) as host:
        host.hook("vm-ok/open", TELL, 0o777)
        host.hook("vm-ok/plain", TELL, 0o644)
        host.hook("vm-gone/fine", TELL)
        os.symlink(host.path("hooks.d/vm-gone"), host.path("hooks.d/host-low"))
        seen = {hook["path"].rsplit("/", 1)[1]: hook for hook in host.json("hooks", "list")["hooks"]}
        assert seen["fine"]["state"] == "ready"
        assert seen["open"]["state"] == "refused" and "others" in seen["open"]["why"], seen
        assert "executed" in seen["plain"]["why"] and "link" in seen["host-low"]["why"], seen
        done = host.ctl("hooks", "test", "vm-ok")
        assert done.returncode == 1 and host.told() == "", done


def test_what_lies_under_the_name_of_no_event_is_told():
    with Hooked({"vm-lost/10-mail": TELL, "vm-low/10-mail": TELL, "astray": TELL, "action/10-mail": TELL}) as host:
        host.write("hooks.d/README", "what these are for\n")
        host.write("hooks.d/vm-ok~", "an editor left it\n")
        seen = {os.path.relpath(hook["path"], host.path("hooks.d")): hook for hook in host.json("hooks", "list")["hooks"]}
        assert set(seen) == {"vm-lost", "vm-low/10-mail", "astray", "action"}, seen
        for name in ("vm-lost", "astray", "action"):
            assert seen[name]["state"] == "refused" and "no event" in seen[name]["why"], seen
        done = host.ctl("doctor", "--root", host.path("nowhere"))
        assert "vm-lost is not run" in done.stdout and "give it the name of an event" in done.stdout, done


def test_what_a_hook_writes_is_told_as_it_is_but_for_line_ends():
    with Hooked({"vm-low/quotes": "#!/bin/sh\necho 'said \"it\"'\necho 'and \\ more'\n"}) as host:
        (outcome,) = host.json("hooks", "test", "vm-low")
        assert outcome["output"] == 'said "it"|and \\ more', outcome
        (result,) = host.results()
        assert 'output="said \'it\'|and' in result, "in the journal quotes are its own"


def test_a_test_runs_them_with_a_sample():
    with Hooked({"vm-low/tell": TELL}) as host:
        (outcome,) = host.json("hooks", "test", "vm-low")
        assert outcome["ok"] and outcome["output"] == "wrote it", outcome
        assert host.told().startswith("vm-low sample"), host.told()
        assert host.ctl("hooks", "test", "vm-ok").returncode == 4
        assert host.ctl("hooks", "test", "nonsense").returncode == 4


def test_hooks_that_misbehave_harm_nothing():
    with Hooked({
        "vm-low/1-hangs": "#!/bin/sh\nsleep 1000 & echo $! >FOLDER/left\nsleep 1000\n",
        "vm-low/2-dies": "#!/bin/sh\nkill -9 $$\n",
        "vm-low/3-shouts": "#!/bin/sh\nhead -c 1073741824 /dev/zero | tr '\\0' x\necho\necho the end\n",
        "vm-low/4-fails": "#!/bin/sh\necho sorry\nexit 3\n",
        "vm-low/5-forks": "#!/bin/sh\nsleep 1000 & echo $! >FOLDER/child\n",
        "vm-low/6-fine": "#!/bin/sh\necho fine\n",
    }, "timeout = 3s\n") as host:
        done = host.ctl("--format", "json", "hooks", "test", "vm-low")
        assert done.returncode == 1, done
        results = [outcome["result"] for outcome in json.loads(done.stdout)]
        assert results[0] == "timed-out=3s" and results[1] == "signal=9", results
        assert results[2] in ("exit=0", "timed-out=3s") and results[3:] == ["exit=3", "exit=0", "exit=0"], results
        for name in ("left", "child"):
            with open(host.path(name), encoding="ascii") as file:
                pid = file.read().strip()
            until("its child is gone", lambda: is_gone(pid))
        host.do("host")


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_queue_is_bounded_and_the_loop_goes_on():
    with Hooked({"settings-changed/slow": "#!/bin/sh\nsleep 1000\n"},
                "timeout = 10m\nat-once = 2\nqueue = 3\n") as host:
        for priority in range(10):
            host.do("set", "web", f"priority={priority}")
        seen = until("some are dropped", lambda: host.json("hooks", "list")["dropped"] > 0 and
                     host.json("hooks", "list"))
        assert (seen["running"], seen["queued"], seen["dropped"]) == (2, 3, 5), seen
        host.kill()


HANGS_ONCE = """#!/bin/sh
echo "$1 $XENMEM_ID" >>FOLDER/told
[ -e FOLDER/go-on ] || exec sleep 1000
"""


def test_a_killed_daemon_runs_what_was_due_once_more():
    with Hooked({"settings-changed/hangs": HANGS_ONCE}, "timeout = 10m\n") as host:
        host.do("set", "web", "priority=61")
        first = until("it runs", host.told)
        host.kill()
        host.start()
        until("it runs again, for the same event", lambda: host.told() == 2 * first)
        host.kill()
        host.start()
        host.write("go-on", "")
        host.do("set", "web", "priority=62")
        until("the new one has run", lambda: host.told().count("\n") == 3)
        assert host.told().startswith(2 * first) and not host.told().endswith(first), "it is not tried a third time"
        until("both are in the journal", lambda: len(host.results()) == 2)
        assert ["result=given-up" in result for result in host.results()] == [True, False], host.results()
        host.kill()
        host.start()
        host.do("set", "web", "priority=63")
        until("the next has run", lambda: host.told().count("\n") == 4)
        assert len(set(host.told().splitlines())) == 3, "what has ended is not run again"


def test_a_stop_runs_the_hooks_of_the_stop():
    with Hooked({"daemon-stopping/tell": TELL}) as host:
        assert host.stop() == 0
        assert host.told().startswith("daemon-stopping "), host.told()
        host.start()
        until("that is in the journal", lambda: ["exit=0" in result for result in host.results()] == [True])
        assert len(host.events("daemon-stopping")) == 1


def test_a_stop_does_not_wait_for_hooks_for_long():
    with Hooked({"daemon-stopping/hangs": HANGS_ONCE}, "timeout = 10m\n") as host:
        assert host.stop() == 0
        told = host.told()
        assert told.startswith("daemon-stopping "), told
        host.write("go-on", "")
        host.start()
        until("it is run at the next start", lambda: host.told() == 2 * told)


def test_hooks_run_as_the_user_that_is_named():
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    with Hooked({"vm-low/who": "#!/bin/sh\nid -un\n"}, f"user = {user}\n") as host:
        os.chmod(host.folder, 0o755)
        (outcome,) = host.json("hooks", "test", "vm-low")
        assert outcome["output"] == user, outcome


def test_wrong_configuration_is_refused():
    with Hooked({}) as host:
        for line in ("user = nobody-of-that-name", "timeout = 8hh", "at-once = 0", "queue = 0"):
            path = host.write("wrong.conf", f"[hooks]\n{line}\n")
            done = host.run(host.daemon_command()[0], "-c", path, "--check-config")
            assert done.returncode == 2 and ":2: " in done.stderr, done


if __name__ == "__main__":
    run(globals())
