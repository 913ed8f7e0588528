# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks for libvirt, Ganeti and xendomains, called as these call them; the toolstacks themselves are not there."""

import os
import subprocess

from host import BUILD, FULL, GIB, MANAGED, MIB, XENMEM_SIM, Host, run, until

HOOKS = os.path.join(os.environ.get("XENMEM_SRC", "."), "etc", "toolstack")

DOMAIN = """<domain type='xen' id='7'>
  <name>new</name>
  <memory unit='KiB'>{maximum}</memory>
  <currentMemory unit='KiB'>{memory}</currentMemory>
  <vcpu placement='static'>2</vcpu>
</domain>
"""

XL = """#!/bin/sh
echo "xl ran: $*"
shift
exec "$XENMEM_SIM_PROGRAM" xl "$XENMEM_SIM_FILE" create new memory=1g maxmem=1g demand=200m
"""


class Toolstack(Host):
    """A host whose xenmemctl is in the PATH, and finds the daemon by itself."""

    def start(self):
        self.environment.update(PATH=os.path.join(BUILD, "cli") + ":" + os.environ["PATH"], XENMEM_SOCKET=self.socket)
        super().start()
        self.settle()
        until("needs are known", lambda: all(vm["demand_kib"] for vm in self.vms().values()))

    def hook(self, name, *arguments, text_in="", **environment):
        return subprocess.run(["sh", os.path.join(HOOKS, name), *arguments], env=dict(self.environment, **environment),
                              input=text_in, capture_output=True, text=True, timeout=90, check=False)

    def kept(self):
        return {r["name"]: r["size_kib"] for r in self.json("reservations")}


def test_libvirt_starts_a_domain_and_ends_it():
    with Toolstack(FULL, MANAGED) as host:
        description = DOMAIN.format(memory=2 * GIB, maximum=3 * GIB)
        done = host.hook("libvirt", "new", "prepare", "begin", "-", text_in=description)
        assert done.returncode == 0, done
        assert 2 * GIB < host.kept()["new"] < 2 * GIB + 32 * MIB, host.kept()
        assert host.xl("create", "new", "memory=2g", "maxmem=2g", "demand=200m").returncode == 0
        assert host.hook("libvirt", "new", "start", "begin", "-", text_in=description).returncode == 0
        until("it is used up", lambda: host.kept() == {})
        assert host.hook("libvirt", "new", "started", "begin", "-", text_in=description).returncode == 0
        assert host.hook("libvirt", "new", "release", "end", "-", text_in=description).returncode == 0


def test_libvirt_is_refused_what_there_is_not_and_gives_up_what_it_does_not_use():
    with Toolstack(FULL, MANAGED) as host:
        refused = host.hook("libvirt", "new", "prepare", "begin", "-", text_in=DOMAIN.format(memory=5 * GIB, maximum=5 * GIB))
        assert refused.returncode == 3 and "not enough memory" in refused.stderr, refused
        assert host.hook("libvirt", "new", "prepare", "begin", "-",
                         text_in=DOMAIN.format(memory=GIB, maximum=GIB)).returncode == 0
        assert host.hook("libvirt", "new", "release", "end", "-").returncode == 0
        assert host.kept() == {}
        assert host.hook("libvirt", "new", "prepare", "begin", "-", text_in="<domain/>").returncode == 2


def test_what_a_death_left_for_the_reboot_is_not_given_up():
    with Toolstack(FULL, MANAGED) as host:
        assert host.xl("destroy", "one").returncode == 0
        left = until("its memory is kept", lambda: host.kept().get("one"))
        assert host.hook("libvirt", "one", "release", "end", "-").returncode == 0
        assert host.kept() == {"one": left}
        assert host.hook("libvirt", "one", "prepare", "begin", "-",
                         text_in=DOMAIN.format(memory=GIB, maximum=GIB)).returncode == 0
        released = [event["detail"] for event in host.events("reservation-released", "one")]
        assert not any("command=reservation.release" in detail for detail in released), released


def test_no_daemon_keeps_no_vm_from_starting():
    with Toolstack(FULL, MANAGED) as host:
        host.stop()
        done = host.hook("libvirt", "new", "prepare", "begin", "-", text_in=DOMAIN.format(memory=GIB, maximum=GIB))
        assert done.returncode == 0 and "starts without" in done.stderr, done
        xl = host.write("xl", XL)
        plain = host.hook("xl", "create", host.write("new.cfg", "name = 'new'\nmemory = 1024\n"), XENMEM_XL="echo xl")
        assert plain.returncode == 0 and plain.stdout.startswith("xl create"), (plain, xl)


def test_ganeti_starts_an_instance_on_its_node_only():
    about = {"GANETI_OBJECT_TYPE": "INSTANCE", "GANETI_INSTANCE_NAME": "new", "GANETI_INSTANCE_PRIMARY": "node1",
             "GANETI_INSTANCE_MAXMEM": "1024", "GANETI_INSTANCE_VCPUS": "2"}
    with Toolstack(FULL, MANAGED) as host:
        assert host.hook("ganeti", GANETI_HOOKS_PHASE="pre", XENMEM_NODE="node2", **about).returncode == 0
        assert host.kept() == {}
        assert host.hook("ganeti", GANETI_HOOKS_PHASE="pre", XENMEM_NODE="node1", **about).returncode == 0
        assert host.kept()["new"] > GIB
        assert host.hook("ganeti", GANETI_HOOKS_PHASE="post", XENMEM_NODE="node1", **about).returncode == 0
        assert host.kept() == {}
        big = dict(about, GANETI_INSTANCE_MAXMEM="8192")
        assert host.hook("ganeti", GANETI_HOOKS_PHASE="pre", XENMEM_NODE="node1", **big).returncode == 3


def test_xendomains_starts_and_restores_through_start():
    with Toolstack(FULL, MANAGED) as host:
        host.environment.update(XENMEM_XL="sh " + host.write("xl", XL), XENMEM_SIM_FILE=host.scenario,
                                XENMEM_SIM_PROGRAM=XENMEM_SIM)
        config = host.write("new.cfg", "name = 'new'\nmemory = 1024\n")
        # As Debian's /etc/init.d/xendomains does after its defaults.
        script = f". {HOOKS}/xendomains; xen create --quiet --defconfig {config}"
        done = host.run("bash", "-c", script)
        assert done.returncode == 0 and f"xl ran: create {config} --quiet" in done.stdout, done
        assert host.events("reservation-granted", "new")
        until("it is used up", lambda: host.kept() == {})
        big = host.write("big.cfg", "name = 'big'\nmemory = 8192\n")
        refused = host.run("bash", "-c", f". {HOOKS}/xendomains; $CMD create --quiet --defconfig {big}")
        assert refused.returncode == 3 and "xl ran" not in refused.stdout, refused
        both = host.run("bash", "-c", f". {HOOKS}/xendomains; xen restore {config} {big}")
        assert f"xl ran: restore {config} {big}" in both.stdout, both
        other = host.run("bash", "-c", f". {HOOKS}/xendomains; xen list")
        assert "xl ran: list" in other.stdout, other


if __name__ == "__main__":
    run(globals())
