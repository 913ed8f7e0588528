#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""xenmemctl and xenmemd together, on a simulated host: what one end says, the other understands."""

import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

SRC = os.environ.get("XENMEM_SRC", ".")
sys.path.insert(0, os.path.join(SRC, "tests", "e2e"))
from host import GIB, LIMIT_S, MIB, XENMEMCTL, Host, run, until  # noqa: E402

SCENARIO = """
[host]
size = 8g
dom0 = 1g

[vm web1]
memory = 1g
maxmem = 4g
demand = 700m

[vm db1]
memory = 2g
maxmem = 2g
demand = 1g
"""

# What scripts rely on.
LIST_MEMBERS = ["name", "id", "state", "assigned_kib", "demand_kib", "pressure", "status", "target_kib",
                "minimum_kib", "startup_kib", "maximum_kib", "buffer_percent", "priority", "mode"]
HOST_MEMBERS = ["total_kib", "free_kib", "reserve_kib", "reserved_kib", "available_kib"]


def refused(host, code, text, *arguments):
    """xenmemctl ends with code, and one line that has text in it."""
    done = host.ctl(*arguments)
    assert done.returncode == code, (arguments, done)
    assert done.stderr.count("\n") == 1 and text in done.stderr, (arguments, done.stderr)


def test_each_format_has_what_scripts_rely_on():
    with Host(SCENARIO) as host:
        vms = host.json("list")
        assert [vm["name"] for vm in vms] == ["db1", "web1"], vms
        for vm in vms:
            assert not [name for name in LIST_MEMBERS if name not in vm], vm
        assert not [name for name in HOST_MEMBERS if name not in host.json("host")]
        rows = list(csv.DictReader(io.StringIO(host.do("list", "--format", "csv"))))
        for row, vm in zip(rows, vms):
            assert row["name"] == vm["name"] and list(row) == list(vm), (row, vm)
        assert list(csv.DictReader(io.StringIO(host.do("show", "web1", "--format=csv"))))[0]["uuid"]


def test_tables_are_for_people():
    with Host(SCENARIO) as host:
        assert host.do("host").startswith("This host is simulated.\n")
        lines = host.do("list").splitlines()
        assert lines[0].split() == ["NAME", "ID", "STATE", "ASSIGNED", "DEMAND", "PRESS", "STATUS", "TARGET",
                                    "MIN", "STARTUP", "MAX", "PRIO"], lines[0]
        assert len(lines) == 5 and lines[-1] == "This host is simulated.", lines
        assert lines[3].startswith("All of them are ignored"), lines
        host.do("set", "web1", "mode=dynamic")
        assert len(host.do("list").splitlines()) == 4
        assert "Why: " in host.do("show", "web1")
        assert "on a simulated host" in host.do("version")


def test_what_is_set_is_shown():
    with Host(SCENARIO) as host:
        said = host.do("set", "web1", "mode=dynamic", "minimum=512m", "maximum=3g", "priority=70")
        assert said.startswith("web1 has mode dynamic, minimum 512 MiB"), said
        vm = host.vm("web1")
        assert (vm["minimum_kib"], vm["maximum_kib"], vm["priority"]) == (512 * MIB, 3 * GIB, 70), vm


def test_a_vm_that_is_off_can_be_forgotten():
    with Host(SCENARIO) as host:
        host.do("set", "old1", "minimum=1g")
        host.do("forget", "old1")
        assert "old1" not in host.vms()
        refused(host, 4, "old1", "forget", "old1")
        refused(host, 1, "web1 is running", "forget", "web1")


def test_a_dry_run_changes_nothing():
    with Host(SCENARIO) as host:
        before = host.vm("web1")
        result = host.json("set", "web1", "priority=90", "--dry-run")
        assert result["vm"]["priority"] == 90, result
        assert host.vm("web1")["priority"] == before["priority"]


def test_what_is_set_for_a_while_reverts_by_itself():
    with Host(SCENARIO) as host:
        host.do("set", "web1", "priority=90", "--for", "1s")
        until("it reverted", lambda: host.vm("web1")["priority"] == 50)


def test_a_name_may_be_of_any_script():
    with Host(SCENARIO) as host:
        host.do("set", "dürer-日本", "minimum=1g")
        assert host.vm("dürer-日本")["state"] == "off"
        assert "dürer-日本" in host.do("list")


def test_what_is_wrong_is_refused_in_one_line():
    with Host(SCENARIO) as host:
        refused(host, 4, "'nobody'", "show", "nobody")
        refused(host, 2, "minimum", "set", "web1", "minimum=9g", "maximum=2g")
        refused(host, 2, "unknown setting 'size'", "set", "web1", "size=9g")
        refused(host, 2, "99999999999999999999g", "set", "web1", "minimum=99999999999999999999g")
        refused(host, 2, "priority", "set", "web1", "priority=101")
        refused(host, 2, "control character", "set", "web\n1", "priority=10")
        refused(host, 2, "Domain-0", "set", "Domain-0", "priority=10")
        host.stop()
        refused(host, 5, host.socket, "list")


def copy_of_xenmemctl(folder):
    """Where anybody may run it: the build folder may be in root's own home. libtool has put a script in the
    place of a program that needs a library of the build."""
    built = pathlib.Path(XENMEMCTL).parent
    program = built / ".libs" / "xenmemctl"
    for library in (built.parent / ".libs").glob("libxenmemctl.so*"):
        shutil.copy(library, folder)
    return shutil.copy(program if program.exists() else XENMEMCTL, folder)


# Root is somebody else for it; whoever is not root has no right to a socket without any.
def test_who_may_not_is_told_so():
    is_root = os.geteuid() == 0
    with Host(SCENARIO) as host:
        program = copy_of_xenmemctl(host.folder)
        os.chmod(host.folder, 0o755)
        if not is_root:
            os.chmod(host.socket, 0)
        done = subprocess.run([program, "--socket", host.socket, "list"], user=65534 if is_root else None,
                              env={"LD_LIBRARY_PATH": host.folder}, cwd="/", capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
        assert done.returncode == 6 and "Permission denied" in done.stderr, done


def test_balancing_ends_when_it_is_settled():
    with Host(SCENARIO) as host:
        host.do("set", "web1", "mode=dynamic", "minimum=256m")
        host.do("set", "db1", "mode=dynamic", "minimum=256m")
        result = host.json("balance")
        assert result["settled"] is True and host.json("host")["settled"], result


def test_events_are_followed_as_they_happen():
    with Host(SCENARIO) as host:
        command = [XENMEMCTL, "--socket", host.socket, "events", "--follow", "--vm", "web1", "--format", "json",
                   "--since", "1h"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower:
            assert json.loads(follower.stdout.readline())["event"] == "vm-appeared"
            host.do("set", "db1", "priority=10")
            host.do("set", "web1", "priority=80")
            event = json.loads(follower.stdout.readline())
            assert (event["event"], event["vm"], event["uid"]) == ("settings-changed", "web1", os.getuid()), event
            host.stop()
            assert follower.wait(LIMIT_S) == 5
            assert follower.stdout.read() == ""
            assert "closed the connection" in follower.stderr.read()


def test_a_follower_ends_when_nobody_reads():
    with Host(SCENARIO) as host:
        with subprocess.Popen([XENMEMCTL, "--socket", host.socket, "events", "--follow"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as follower:
            follower.stdout.close()
            assert follower.wait(LIMIT_S) == 1


def test_events_can_be_narrowed_down_in_time():
    with Host(SCENARIO) as host:
        assert host.json("events", "--since", "1h", "--vm", "web1")
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        assert host.json("events", "--since", moment) == []


def test_a_daemon_that_is_stopped_in_its_tracks_is_not_waited_for_for_ever():
    with Host(SCENARIO) as host:
        host.daemon.send_signal(signal.SIGSTOP)
        try:
            refused(host, 7, "says nothing", "list")
        finally:
            host.daemon.send_signal(signal.SIGCONT)


def test_the_client_in_the_protocols_description_works():
    with open(os.path.join(SRC, "docs", "protocol.md"), encoding="utf-8") as file:
        client = re.search(r"```python\n(.*?)```", file.read(), re.DOTALL).group(1)
    with Host(SCENARIO) as host:
        done = host.run(sys.executable, "-c", client, host.socket)
        assert done.stdout == f"db1 {2 * GIB}\nweb1 {1 * GIB}\n", done


if __name__ == "__main__":
    run(globals())
