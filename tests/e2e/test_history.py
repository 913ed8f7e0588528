# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept: history, backups, settings as text, a damaged database; and the live view of it."""

import fcntl
import math
import os
import pty
import shutil
import sqlite3
import struct
import subprocess
import termios
import time

from host import GIB, LIMIT_S, MIB, XENMEMCTL, Host, run, until

ONE = """
[host]
size = 8g
dom0 = 1g

[vm web]
memory = 1g
maxmem = 4g
demand = 500m
"""


def many(count):
    return "[host]\nsize = 256g\ndom0 = 1g\n" + "".join(
        f"[vm vm{i:03}]\nmemory = 512m\nmaxmem = 1g\ndemand = {100 + i}m\n" for i in range(count))


def refused(host, code, *command, text_in=None):
    done = host.run(XENMEMCTL, "--socket", host.socket, *command, text_in=text_in)
    assert done.returncode == code, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
    lines = done.stderr.splitlines()
    assert len(lines) == 1, f"one line, not {lines}"
    return lines[0]


def write_hours(host, hours):
    """History as a daemon would have left it: a sample each 10 s up to now."""
    now = int(time.time()) // 10
    with sqlite3.connect(host.database) as database:
        series = database.execute("INSERT INTO series (name, last_ms) VALUES ('old', ?) RETURNING id",
                                  (now * 10000,)).fetchone()[0]
        for slot in range(now - hours * 360, now):
            need = int((1.5 + math.sin(slot / 300)) * GIB)
            database.execute("INSERT INTO sample VALUES (0, ?, ?, ?, ?, ?, ?, ?, NULL)",
                             (slot // 30, series, slot % 30, need * 5 // 4, need, need * 5 // 4, 100))
    database.close()


# --- history

def test_samples_are_taken_of_host_and_vms():
    with Host(ONE) as host:
        until("there is a sample", lambda: host.json("history", "web")["samples"])
        sample = host.json("history", "web")["samples"][0]
        assert sample["assigned_kib"] == GIB, sample
        assert sample["free_kib"] is None
        assert host.json("history", "host")["samples"][0]["free_kib"] > GIB
        assert host.do("--format", "csv", "history", "web").startswith("time_ms,assigned_kib,demand_kib,")
        assert "ASSIGNED" in host.do("history", "host")


def test_history_outlives_its_vm_and_is_drawn():
    with Host(ONE) as host:
        host.stop()
        write_hours(host, 3)
        host.start()
        assert len(host.json("history", "old", "--since", "2h")["samples"]) in range(700, 722)
        plot = host.do("history", "old", "--since", "2h", "--plot")
        assert "\033" not in plot, "no colour where there is no terminal"
        assert len(plot.splitlines()) == 20
        assert max(len(line) for line in plot.splitlines()) <= 80
        head = plot.splitlines()[0].split()
        assert head == ["..", "target", "##", "assigned", "oo", "demand"], "each line has a mark of its own"
        assert all(mark in plot.split("demand", 1)[1] for mark in "#o"), plot


def test_a_vm_may_be_named_host():
    with Host(ONE.replace("[vm web]", "[vm host]")) as host:
        until("there is a sample", lambda: host.json("history", "--vm", "host")["samples"])
        assert host.json("history", "--vm", "host")["samples"][0]["free_kib"] is None
        assert host.json("history", "host")["samples"][0]["free_kib"] > GIB
        assert "a VM, 'host', or --vm" in refused(host, 2, "history")
        assert "not both" in refused(host, 2, "history", "host", "--vm", "host")


def test_what_makes_no_sense_is_refused():
    with Host(ONE) as host:
        assert "no VM named 'nobody'" in refused(host, 4, "history", "nobody")
        assert "does not exist" in refused(host, 2, "history", "web", "--since", "2025-02-30")
        assert "still to come" in refused(host, 2, "history", "web", "--since", "2999-01-01")
        assert "--plot is for people" in refused(host, 2, "--format", "json", "history", "web", "--plot")


# --- settings as text

def test_exported_settings_are_imported_elsewhere():
    with Host(ONE) as host:
        host.do("set", "web", "mode=dynamic", "minimum=300m", "buffer=33")
        host.do("set", "later [x]", "priority=7")
        host.do("set", "web", "priority=99", "--for", "1h")
        text = host.do("export")
        assert "[vm later [x]]\npriority = 7\n" in text, text
        assert "99" not in text, "what ends by itself is not in it"
    with Host(ONE) as other:
        other.write("text", text)
        other.do("import", other.path("text"))
        assert other.vm("web")["buffer_percent"] == 33
        assert other.do("export") == text


def test_an_import_is_right_as_a_whole_or_nothing_is_set():
    sections = "".join(f"[vm later{i}]\npriority = 7\nbuffer = 30\nmaximum = 1g\n" for i in range(3000))
    with Host(ONE) as host:
        wrong = sections + "[vm web]\nbufer = 3\n"
        assert "stdin:12002: unknown key 'bufer'" in refused(host, 2, "import", "-", text_in=wrong)
        assert "stdin:1: 'a = 1' is before any" in refused(host, 2, "import", "-", text_in="a = 1\n")
        assert "stdin:2: unknown key 'colour'" in refused(host, 2, "import", "-", text_in="[vm web]\ncolour = 3\n")
        contradiction = "[vm web]\nminimum = 2g\nmaximum = 1g\n"
        assert "stdin:1: web: minimum" in refused(host, 2, "import", "-", text_in=contradiction + "[vm a]\npriority = 7\n")
        file = host.write("settings", contradiction + "\n[vm empty]\n")
        assert f"{file}:1: web: minimum" in refused(host, 2, "import", file)
        file = host.write("settings", "[vm web]\nbuffer = 30\n\n[vm empty]\n\n")
        assert f"{file}:4: [vm empty] says nothing" in refused(host, 2, "import", file)
        assert list(host.vms()) == ["web"]
        host.ctl("db", "backup", host.path("copy"))
        assert "Settings of 3000 VMs are set" in host.run(XENMEMCTL, "--socket", host.socket, "import", "-",
                                                          text_in=sections).stdout
        assert len(host.vms()) == 3001


def test_an_import_that_the_disk_refuses_changes_nothing():
    with Host(ONE) as host:
        host.stop()
        with sqlite3.connect(host.database) as database:
            database.execute("CREATE TRIGGER stop BEFORE INSERT ON setting WHEN new.match = 'b' "
                             "BEGIN SELECT raise(ABORT, 'no b'); END")
        database.close()
        host.start()
        before = host.do("export")
        text = "".join(f"[vm {name}]\npriority = 7\n" for name in "abc")
        assert "no b" in refused(host, 1, "import", "-", text_in=text)
        assert list(host.vms()) == ["web"] and not host.events("settings-changed")
        assert host.do("export") == before


# --- the database

def test_a_backup_can_be_started_from():
    with Host(ONE) as host:
        host.do("set", "web", "priority=42")
        host.do("db", "backup", host.path("copy"))
        assert "is the database itself" in refused(host, 2, "db", "backup", host.database)
        assert "is no backup" in refused(host, 2, "db", "backup", host.scenario)
        host.stop()
        for name in (host.database, host.database + "-wal", host.database + "-shm"):
            if os.path.exists(name):
                os.remove(name)
        shutil.move(host.path("copy"), host.database)
        host.start()
        assert host.vm("web")["priority"] == 42


def damage(host):
    host.stop()
    with open(host.database, "r+b") as file:
        file.seek(4096)
        file.write(b"\x55" * 4096)


def test_a_damaged_database_is_refused_and_left_alone():
    with Host(ONE) as host:
        damage(host)
        done = host.run(*host.daemon_command())
        assert done.returncode == 1 and "is damaged" in done.stderr, done
        assert not [name for name in os.listdir(host.folder) if "damaged" in name]


def test_a_damaged_database_is_set_aside_where_configured_so():
    with Host(ONE, config="[daemon]\ndamaged-database = set-aside\n") as host:
        damage(host)
        host.start()
        assert [name for name in os.listdir(host.folder) if name.startswith("xenmem.db.damaged-")]
        assert "xenmem.db.damaged-" in host.events("database-failed")[0]["detail"]
        host.do("set", "web", "priority=42")


# --- the live view, in a real terminal

class Terminal:
    def __init__(self, host, columns, lines, *command):
        self.tmux = ["tmux", "-S", host.path("tmux"), "-f", "/dev/null"]
        program = ["env", "LC_ALL=C.UTF-8", XENMEMCTL, "--socket", host.socket, *command]
        subprocess.run([*self.tmux, "new-session", "-d", "-x", str(columns), "-y", str(lines),
                        " ".join(program) + f"; echo code $?; exec sleep {LIMIT_S}"], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.tmux, "kill-server"], check=False)

    def screen(self):
        return subprocess.run([*self.tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout

    def type(self, *keys):
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def shows(self, text):
        until(f"the screen shows '{text}'", lambda: text in self.screen())


def test_top_shows_two_hundred_vms_and_outlives_the_daemon():
    with Host(many(200)) as host, Terminal(host, 80, 24, "top") as terminal:
        terminal.shows("1-15 of 200")
        terminal.shows("vm000")
        terminal.type("PPage", "NPage", "NPage")
        terminal.shows("31-45 of 200")
        terminal.type("d")
        terminal.shows("vm199")
        host.kill()
        terminal.shows("old: ")
        host.start()
        until("it is back", lambda: "old: " not in terminal.screen())
        terminal.type("q")
        terminal.shows("code 0")


def test_a_terminal_that_is_too_small_is_told_so():
    with Host(ONE) as host, Terminal(host, 20, 5, "top") as terminal:
        terminal.shows("code 1")
        assert "too small" in terminal.screen().replace("\n", "")
        assert "needs a terminal" in refused(host, 2, "top")


def test_a_list_is_shown_again_and_again():
    with Host(ONE) as host, Terminal(host, 100, 24, "list", "--watch") as terminal:
        until("it is there twice", lambda: terminal.screen().count("NAME ") >= 2)
        assert host.vm("web")["assigned_kib"] == 1024 * MIB


def test_top_ends_with_its_terminal_even_where_nobody_hangs_up():
    with Host(ONE) as host:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        command = f"trap '' HUP; exec {XENMEMCTL} --socket {host.socket} top"
        with subprocess.Popen(["sh", "-c", command], env=dict(host.environment, TERM="xterm"), stdin=theirs,
                              stdout=theirs, stderr=subprocess.DEVNULL, start_new_session=True) as top:
            os.close(theirs)
            os.read(ours, 1)
            os.close(ours)
            try:
                top.wait(LIMIT_S)
            finally:
                top.kill()


if __name__ == "__main__":
    run(globals())
