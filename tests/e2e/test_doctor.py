# SPDX-License-Identifier: GPL-2.0-or-later
"""What doctor finds, on hosts and below folders that have one thing wrong each."""

import json
import os

from host import Host, run, until

GOOD = "[host]\nsize = 6g\ndom0 = 1g\n\n[vm busy]\nmemory = 1g\nmaxmem = 4g\ndemand = 600m\n"
MANAGED = "[vm *]\nmode = dynamic\nminimum = 256m\n"


def look(host, files=()):
    """Exit code, and what was found as {check: finding}, below a folder with those files."""
    for name, text in files:
        path = host.path(os.path.join("root", name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    done = host.ctl("--format", "json", "doctor", "--root", host.path("root"))
    found = json.loads(done.stdout)
    assert all(one["text"] and one["advice"] for one in found), found
    return done.returncode, {one["check"]: one for one in found}


def test_nothing_is_found_where_nothing_is_wrong():
    with Host(GOOD, MANAGED) as host:
        host.settle()
        until("its agent has spoken", lambda: look(host) == (0, {}))
        assert host.do("doctor", "--root", host.path("root")) == "Nothing is wrong.\n"


def test_autoballoon_is_found():
    with Host(GOOD) as host:
        code, found = look(host, [("etc/xen/xl.conf", '# x\nautoballoon="on"\n')])
        assert code == 1 and found["autoballoon"]["level"] == "wrong" and "xl.conf" in found["autoballoon"]["text"]
        code, found = look(host, [("etc/xen/xl.conf", '#autoballoon="off"\n')])
        assert code == 0 and found["autoballoon"]["level"] == "risk"
        code, found = look(host, [("etc/xen/xl.conf", 'autoballoon="off"\n')])
        assert (code, found) == (0, {})
        code, found = look(host, [("etc/libvirt/libxl.conf", "autoballoon = 1\n")])
        assert code == 1 and "libvirt" in found["autoballoon"]["text"]


def test_a_dom0_without_a_limit_is_wrong():
    with Host(GOOD.replace("dom0 = 1g", "dom0 = 1g\ndom0-cap = unlimited"), MANAGED) as host:
        code, found = look(host)
        assert code == 1 and found["dom0-memory"]["level"] == "wrong", found
        assert "dom0_mem=" in found["dom0-memory"]["advice"]


def test_other_daemons_are_found():
    for command in ("/usr/sbin/squeezed\0-config\0x\0", "/usr/bin/python3\0/usr/lib/qubes/qmemman.py\0"):
        with Host(GOOD) as host:
            code, found = look(host, [("proc/77/cmdline", command), ("proc/78/cmdline", "grep\0-r\0squeezed\0")])
            assert code == 1 and "process 77" in found["rival"]["text"], found


def test_hooks_that_are_refused_are_found():
    with Host(GOOD) as host:
        hook = host.write("10-mail", "#!/bin/sh\n")
        folder = host.path("hooks.d")
        os.makedirs(os.path.join(folder, "all"))
        os.rename(hook, os.path.join(folder, "all", "10-mail"))
        os.chmod(os.path.join(folder, "all", "10-mail"), 0o777)
        host.stop()
        host.write("xenmemd.conf", f"[hooks]\nfolder = {folder}\n")
        host.start()
        code, found = look(host)
        assert code == 1 and "10-mail" in found["hook"]["text"], found
        os.chmod(os.path.join(folder, "all", "10-mail"), 0o755)
        assert "hook" not in look(host)[1]


def test_guests_without_agent_and_large_ratios_are_risks():
    silent = GOOD.replace("demand = 600m\n", "demand = 600m\nagent = none\n").replace("maxmem = 4g", "maxmem = 40g")
    with Host(silent, MANAGED) as host:
        host.settle()
        code, found = look(host)
        assert code == 0 and found["agent"]["vm"] == "busy" and found["agent"]["level"] == "risk", found
        assert found["ratio"]["vm"] == "busy", found


def test_minimums_that_the_host_cannot_hold_are_wrong():
    with Host(GOOD.replace("size = 6g", "size = 4g"), MANAGED) as host:
        host.settle()
        done = host.ctl("set", "busy", "maximum=4g", "startup=4g", "minimum=4g", "--force")
        assert done.returncode == 0, done.stderr
        code, found = look(host)
        assert code == 1 and found["minimums"]["level"] == "wrong", found


def test_a_target_that_was_set_by_hand_is_found():
    with Host(GOOD, MANAGED) as host:
        host.settle()
        host.xl("mem-set", "busy", "900m")
        until("it is found", lambda: "target" in look(host)[1])


def test_files_are_looked_at_without_a_daemon_too():
    with Host(GOOD) as host:
        host.stop()
        code, found = look(host, [("etc/xen/xl.conf", 'autoballoon="on"\n')])
        assert code == 5 and "autoballoon" in found


if __name__ == "__main__":
    run(globals())
