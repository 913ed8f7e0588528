# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that are full or read-only: the daemon goes on balancing, says so once, and catches up. They are
mounted in a mount namespace of the test's own; where that is not allowed, the test counts as skipped."""

import contextlib
import os
import subprocess
import sys

from host import GIB, Host, run, until

ONE = "[host]\nsize = 8g\ndom0 = 1g\n[vm web]\nmemory = 1g\nmaxmem = 4g\ndemand = 500m\n"
MANAGED = "[vm *]\nmode = dynamic\nminimum = 256m\n"
SKIPPED = 77  # as automake has it


@contextlib.contextmanager
def on_a_small_disk():
    """A host whose database is on a disk of 1 MiB."""
    with Host(ONE, config=MANAGED) as host:
        host.stop()
        disk = host.path("disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], check=True)
        try:
            host.database = os.path.join(disk, "xenmem.db")
            host.start()
            yield host, disk
        finally:
            host.stop()
            subprocess.run(["umount", disk], check=True)


def remount(disk, how):
    subprocess.run(["mount", "-o", "remount," + how, disk], check=True)


def balances(host):
    assert host.xl("demand", "web", "2g").returncode == 0
    until("balancing goes on", lambda: host.vm("web")["assigned_kib"] > 2 * GIB)


def caught_up(host):
    until("it is told", lambda: host.events("database-ok"))
    assert len(host.events("database-failed")) == 1
    assert host.log().count("database-failed") == 1, "said once"
    host.do("set", "web", "priority=10")


def test_a_full_disk_stops_no_balancing_and_is_caught_up_with():
    with on_a_small_disk() as (host, disk):
        with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        # The log was made longer before, so some changes may still find room.
        until("the disk is full", lambda: host.ctl("set", "web", "priority=9").returncode == 1)
        balances(host)
        os.remove(os.path.join(disk, "filler"))
        caught_up(host)


def test_a_disk_that_becomes_read_only_is_borne():
    with on_a_small_disk() as (host, disk):
        host.do("set", "web", "priority=42")
        host.stop()
        remount(disk, "ro")
        host.start()
        assert host.vm("web")["priority"] == 42, "settings are those that were set"
        done = host.ctl("set", "web", "priority=43")
        assert done.returncode == 1 and "Read-only file system" in done.stderr, done
        assert host.vm("web")["priority"] == 42
        done = host.ctl("doctor", "--root", host.path("nowhere"))
        assert done.returncode == 1 and "mount it writable" in done.stdout, done
        balances(host)
        remount(disk, "rw")
        caught_up(host)
        assert host.actions(), "what was done meanwhile is in the journal"


def is_frozen(host):
    return host.vm("web")["state"] == "frozen"


def test_a_freeze_that_the_disk_refuses_is_put_back():
    with on_a_small_disk() as (host, disk):
        for command, before in (("freeze", False), ("thaw", True)):
            host.stop()
            remount(disk, "ro")
            host.start()
            assert is_frozen(host) == before
            done = host.ctl(command, "web")
            assert done.returncode == 1 and "Read-only file system" in done.stderr, done
            until("it is as it was", lambda: is_frozen(host) == before, limit=10)
            remount(disk, "rw")
            until("the disk is back", lambda: host.ctl("set", "web", "priority=42").returncode == 0)
            assert not host.events("freeze-cleared" if before else "freeze-set", "web"), "told, though it was not done"
            host.do(command, "web")
            until("it is done", lambda: is_frozen(host) != before)


def test_a_daemon_that_was_killed_starts_on_a_read_only_disk():
    with on_a_small_disk() as (host, disk):
        host.do("set", "web", "priority=42")
        host.kill()
        remount(disk, "ro")
        host.start()
        assert host.vm("web")["priority"] == 42
        remount(disk, "rw")
        caught_up(host)


def namespace():
    """The command that runs another one in a mount namespace of its own."""
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


if __name__ == "__main__":
    if "XENMEM_TEST_NAMESPACE" not in os.environ:
        if subprocess.run([*namespace(), "mount", "-t", "tmpfs", "none", "/tmp"], check=False).returncode:
            print("SKIPPED: no disk may be mounted here, neither as root nor in a user namespace")
            sys.exit(SKIPPED)
        os.environ["XENMEM_TEST_NAMESPACE"] = "entered"
        os.execvp("unshare", [*namespace(), sys.executable, *sys.argv])
    run(globals())
