#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The scripts for other init systems than systemd, carried out with the programs that were built.

sysvinit's run as they are, but for the paths of the machine, with Debian's start-stop-daemon and LSB functions.
OpenRC's are read by a stand-in of openrc-run.
"""

import os
import shutil
import socket
import sys

SOURCE = os.environ.get("XENMEM_SRC", ".")
sys.path.append(os.path.join(SOURCE, "tests", "e2e"))
from host import BUILD, FULL, Host, run, until  # noqa: E402

START_STOP = shutil.which("start-stop-daemon", path="/usr/sbin:/sbin:" + os.environ["PATH"])
SHELLS = ["/bin/dash", "/bin/bash --posix"]
NOT_RUNNING = 3

# What openrc-run makes of a service's script, as far as ours use it.
OPENRC_RUN = """
set -eu
RC_SVCNAME=${1##*/}
need() { echo "need $*"; }
after() { echo "after $*"; }
before() { echo "before $*"; }
eerror() { echo "$*" >&2; }
checkpath() { mkdir -p "$4"; }
. "$1"
case $2 in
start)
    [ "$supervisor" = supervise-daemon ]
    ! command -v start_pre >/dev/null || start_pre || exit 1
    start-stop-daemon --start --background --make-pidfile --pidfile "$pidfile" --output "$error_log" \\
        --exec "$command" -- ${command_args-}
    ;;
stop) start-stop-daemon --stop --retry 30 --remove-pidfile --pidfile "$pidfile" --exec "$command" ;;
*) "$2" ;;
esac
"""

SUPERVISE_DAEMON = """#!/bin/sh
[ "$2 $4" = "--signal --pidfile" ] && kill -s "$3" "$(cat "$5")"
"""


class Service(Host):
    """A service's script in a folder, in whose sbin and etc are the programs and the configuration it is for."""

    def __init__(self, kind, name, shell=SHELLS[0]):
        super().__init__(FULL)
        self.shell = shell
        self.write("etc/xenmemd.conf", f"[daemon]\nbackend = sim:{self.scenario}\nsocket = {self.socket}\n"
                                       f"database = {self.database}\n[host]\naction = observe\n")
        self.write("run/nothing", "")
        os.mkdir(self.path("sbin"))
        os.symlink(os.path.abspath(os.path.join(BUILD, "agent" if "agent" in name else "daemon", name)),
                   self.path(f"sbin/{name}"))
        self.pidfile = self.path(f"run/{name}.pid")
        self.script = self.write(name, self.in_here(os.path.join(SOURCE, "etc", kind, f"{name}.in")))
        os.chmod(self.script, 0o755)

    def __enter__(self):
        return self

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        return super().write(name, text)

    def in_here(self, template):
        """The script with this folder's files instead of the machine's."""
        with open(template, encoding="utf-8") as file:
            text = file.read()
        for place, here in (("#!/bin/sh", f"#!{self.shell}"), ("@unit_sbindir@", self.path("sbin")),
                            ("@unit_confdir@", self.path("etc")), ("/proc/xen/", self.path("xen-")),
                            ("/dev/xen/", self.path("xen-")), ("/var/log/", self.path("log-")),
                            ("/run/", self.path("run/"))):
            text = text.replace(place, here)
        return text

    def sysvinit(self, action):
        return self.run(self.script, action).returncode

    def openrc(self, action):
        """Without an openrc-run the script's first line is but a comment."""
        tool = self.write("tools/supervise-daemon", SUPERVISE_DAEMON)
        os.chmod(tool, 0o755)
        self.environment["PATH"] = f"{os.path.dirname(tool)}:{os.environ['PATH']}"
        return self.run(*self.shell.split(), "-c", OPENRC_RUN, "openrc-run", self.script, action)

    def make_dom0(self):
        self.write("xen-capabilities", "control_d\n")

    def pid(self):
        with open(self.pidfile, encoding="utf-8") as file:
            return int(file.read())

    def serves(self):
        return self.ctl("host").returncode == 0

    def logged(self, name, what):
        with open(self.path(name), encoding="utf-8") as file:
            return what in file.read()

    def has_read_again(self):
        return self.logged("log-xenmemd.log", "configuration-read")


def test_sysvinit_runs_the_daemon():
    for shell in SHELLS:
        with Service("sysvinit", "xenmemd", shell) as service:
            assert service.sysvinit("start") == 0, "elsewhere than in dom0 there is nothing to do"
            assert service.sysvinit("status") == NOT_RUNNING
            service.make_dom0()
            assert service.sysvinit("start") == 0
            until("the daemon serves", service.serves)
            assert service.sysvinit("status") == 0
            first = service.pid()
            assert service.sysvinit("start") == 0
            assert service.pid() == first
            assert service.sysvinit("reload") == 0
            until("it has read its configuration", service.has_read_again)
            assert service.sysvinit("restart") == 0
            until("the daemon serves again", service.serves)
            assert service.pid() != first
            assert service.sysvinit("stop") == 0
            assert not service.serves()
            assert service.sysvinit("status") == NOT_RUNNING
            assert service.sysvinit("stop") == 0
            assert service.sysvinit("dance") == 2


def test_sysvinit_starts_no_daemon_with_a_bad_configuration():
    with Service("sysvinit", "xenmemd") as service:
        service.make_dom0()
        service.write("etc/xenmemd.conf", "[daemon]\nnonsense = 1\n")
        assert service.sysvinit("start") == 1
        assert service.sysvinit("status") == NOT_RUNNING


def test_sysvinit_runs_the_agent():
    for shell in SHELLS:
        with Service("sysvinit", "xenmem-agent", shell) as service, socket.socket(socket.AF_UNIX) as store:
            assert service.sysvinit("start") == 0, "elsewhere than in a guest there is nothing to do"
            assert service.sysvinit("status") == NOT_RUNNING
            store.bind(service.write("xen-xenbus", "") + ".socket")
            store.listen()
            service.environment["XENSTORED_PATH"] = store.getsockname()
            assert service.sysvinit("start") == 0
            until("the agent has begun", lambda: service.logged("log-xenmem-agent.log", "started"))
            assert service.sysvinit("status") == 0
            first = service.pid()
            assert service.sysvinit("restart") == 0
            assert service.pid() != first
            assert service.sysvinit("stop") == 0
            assert service.sysvinit("status") == NOT_RUNNING


def test_openrc_runs_the_daemon():
    for shell in SHELLS:
        with Service("openrc", "xenmemd", shell) as service:
            assert "need xenstored" in service.openrc("depend").stdout
            refusal = service.openrc("start")
            assert refusal.returncode == 1 and "not dom0" in refusal.stderr
            service.make_dom0()
            assert service.openrc("start").returncode == 0
            until("the daemon serves", service.serves)
            assert service.openrc("reload").returncode == 0
            until("it has read its configuration", service.has_read_again)
            assert service.openrc("stop").returncode == 0
            assert not service.serves()
            service.write("etc/xenmemd.conf", "[daemon]\nnonsense = 1\n")
            assert service.openrc("start").returncode == 1


def test_openrc_runs_the_agent():
    with Service("openrc", "xenmem-agent") as service, socket.socket(socket.AF_UNIX) as store:
        assert "need sysfs" in service.openrc("depend").stdout
        store.bind(service.path("store"))
        store.listen()
        service.environment["XENSTORED_PATH"] = store.getsockname()
        assert service.openrc("start").returncode == 0
        until("the agent has begun", lambda: service.logged("log-xenmem-agent.log", "started"))
        assert service.openrc("stop").returncode == 0


if __name__ == "__main__":
    if not START_STOP or not os.path.exists("/lib/lsb/init-functions"):
        print("needs start-stop-daemon and /lib/lsb/init-functions")
        sys.exit(77)
    # A build without Xen has no agent, and installs no scripts for one.
    no_agent = os.environ.get("XENMEM_WITH_XEN") == "no"
    run({name: test for name, test in globals().items() if not (no_agent and name.endswith("_the_agent"))})
