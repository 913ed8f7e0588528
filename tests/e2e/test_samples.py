# SPDX-License-Identifier: GPL-2.0-or-later
"""What is shipped as a sample works as shipped: hooks with their address filled in, policies, and the
cron table once its lines are uncommented."""

import http.server
import json
import os
import re
import sqlite3
import threading
import time

from host import BUILD, MIB, XENMEMCTL, Host, run, until

SOURCE = os.environ.get("XENMEM_SRC", ".")

FOUR = """
[host]
size = 8g
dom0 = 1g

[vm web1]
memory = 2g
maxmem = 4g
demand = 200m

[vm desk1]
memory = 1g
maxmem = 2g
demand = 200m

[vm batch1]
memory = 1g
maxmem = 2g
demand = 200m

[vm backup1]
memory = 512m
demand = 200m
"""


class Receiver:
    """A web server on this machine that keeps what was posted."""

    def __enter__(self):
        received = self.received = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.path, self.headers["Content-Type"], json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/here"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Sampled(Host):
    """A host on which hooks find the programs of the folder bin first."""

    def __init__(self, config=""):
        super().__init__(FOUR)
        self.write("xenmemd.conf", f"[hooks]\nfolder = {self.path('hooks.d')}\n{config}")
        os.mkdir(self.path("bin"))

    def program(self, name, text):
        self.write("bin/" + name, "#!/bin/sh\n" + text)
        os.chmod(self.path("bin/" + name), 0o755)

    def install(self, sample, event, *changes):
        """As the admin does: a copy, filled in, made executable."""
        with open(os.path.join(SOURCE, "hooks", sample), encoding="utf-8") as file:
            text = file.read()
        for old, new in (("#!/bin/sh\n", f"#!/bin/sh\nPATH={self.path('bin')}:$PATH\n"), *changes):
            assert old in text, f"{sample} has no {old!r}"
            text = text.replace(old, new)
        os.makedirs(self.path("hooks.d/" + event), exist_ok=True)
        name = f"hooks.d/{event}/{sample}"
        self.write(name, text)
        os.chmod(self.path(name), 0o755)

    def try_hooks(self, event):
        outcomes = self.json("hooks", "test", event)
        assert all(outcome["ok"] for outcome in outcomes), outcomes

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()


def test_syslog_and_console_write_a_line():
    with Sampled() as host:
        host.program("logger", f'printf "%s|" "$@" >>{host.path("logged")}\n')
        host.install("syslog", "vm-warning")
        host.install("console", "vm-warning", ("/dev/kmsg", host.path("kmsg")))
        host.try_hooks("vm-warning")
        assert host.read("logged") == "-t|xenmem|-p|daemon.warning|--|vm-warning vm=sample test=yes|"
        assert host.read("kmsg") == "<4>xenmem: vm-warning sample test=yes\n"


def test_mail_has_everything_in_it():
    with Sampled() as host:
        host.program("mail", f'{{ printf "%s|" "$@"; cat; }} >>{host.path("mailed")}\n')
        host.install("mail", "host-low", ("to=root", "to=operator"))
        host.try_hooks("host-low")
        head, _, body = host.read("mailed").partition("|--|operator|")
        assert head.startswith("-s|xenmem on ") and head.endswith(": host-low"), head
        assert "Event:  host-low\nVM:     -\nDetail: test=yes\n" in body and '"event":"host-low"' in body, body


def test_webhook_hands_over_the_json():
    with Sampled() as host, Receiver() as receiver:
        host.install("webhook", "settings-changed", ("http://localhost:8080/xenmem", receiver.url))
        host.do("set", "web1", "priority=61")
        ((path, kind, event),) = until("it has come", lambda: receiver.received)
        assert (path, kind) == ("/here", "application/json")
        assert event["event"] == "settings-changed" and event["vm"] == "web1", event


def moment(after_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + after_s))


def test_alertmanager_is_told_of_the_begin_and_the_end():
    with Sampled() as host, Receiver() as receiver:
        for event in ("vm-warning", "vm-ok", "vm-gone", "policy-applied"):
            host.install("alertmanager", event, ("http://localhost:9093/api/v2/alerts", receiver.url))
            host.try_hooks(event)
        begin, end, gone = [alerts for _, _, alerts in receiver.received]
        assert [alert["labels"]["alertname"] for alert in begin + end] == ["XenmemVmShort"] * 2
        assert begin[0]["labels"]["vm"] == "sample", begin
        assert begin[0]["endsAt"] > moment(6 * 86400), "without an end, Alertmanager ends it after minutes"
        assert begin[0]["labels"] == end[0]["labels"] and end[0]["endsAt"] <= moment(0), end
        names = [alert["labels"]["alertname"] for alert in gone]
        assert {"XenmemVmShort", "XenmemVmUnresponsive"} <= set(names), "whatever was raised for a VM ends with it"
        assert all(alert["endsAt"] <= moment(0) for alert in gone), gone


def test_alertmanager_survives_odd_details():
    with Sampled() as host, Receiver() as receiver:
        host.install("alertmanager", "database-failed", ("http://localhost:9093/api/v2/alerts", receiver.url))
        detail = 'error="disk \\ full"\tmore'
        done = host.run("env", "XENMEM_DETAIL=" + detail, host.path("hooks.d/database-failed/alertmanager"),
                        "database-failed")
        assert done.returncode == 0, done
        ((_, _, alerts),) = receiver.received
        assert 'error="disk \\ full"' in alerts[0]["annotations"]["summary"], alerts
        assert "vm" not in alerts[0]["labels"], alerts


# --- the cron table

def cron_lines():
    """(when, user, command) of each commented line, and the table's own settings."""
    with open(os.path.join(BUILD, "etc/cron.d/xenmem"), encoding="utf-8") as file:
        text = file.read()
    settings = dict(re.findall(r"^([A-Z]+)=(.*)$", text, re.M))
    return settings, re.findall(r"^#((?:[\d*/,-]+ ){4}[\d*/,-]+) ([a-z]+) (.+)$", text, re.M)


def run_line(host, settings, command):
    """As cron does: the table's shell, its PATH with the built program in it, little else."""
    os.makedirs(host.path("bin"), exist_ok=True)
    if not os.path.exists(host.path("bin/xenmemctl")):
        os.symlink(os.path.abspath(XENMEMCTL), host.path("bin/xenmemctl"))
    done = host.run("env", "-i", f"PATH={host.path('bin')}:{settings['PATH']}", f"XENMEM_SOCKET={host.socket}",
                    f"XENMEM_POLICIES={os.path.join(SOURCE, 'etc/policies.d')}", settings["SHELL"], "-c", command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), f"{command}: {done}"


def test_the_cron_table_works_when_uncommented():
    settings, lines = cron_lines()
    policies = [line for line in lines if "policy" in line[2]]
    assert len(policies) == 4 and all(user == "root" for _, user, _ in lines), lines
    with Sampled() as host:
        in_force = []
        for _, _, command in policies:
            run_line(host, settings, command)
            in_force.append([policy["name"] for policy in host.json("policy", "active")])
        assert in_force == [["night"], [], ["day"], ["day", "weekend"]], in_force
        assert host.vm("web1")["priority"] == 70 and host.vm("batch1")["priority"] == 60
        (weekend,) = [policy for policy in host.json("policy", "active") if policy["name"] == "weekend"]
        assert 58 * 3600 < weekend["expires_ms"] / 1000 - time.time() <= 59 * 3600
        assert not host.events("change-refused")


def test_each_policy_sample_is_right_and_listed():
    with Sampled() as host:
        host.environment["XENMEM_POLICIES"] = os.path.join(SOURCE, "etc/policies.d")
        rows = host.json("policy", "list")
        assert [(row["name"], row["state"]) for row in rows] == [("day", "-"), ("night", "-"), ("weekend", "-")], rows
        host.do("policy", "apply", "night")
        assert [row["state"] for row in host.json("policy", "list")] == ["-", "active", "-"]


def test_a_policy_that_is_wrong_is_listed_with_the_reason_and_hides_no_other():
    with Sampled() as host:
        os.mkdir(host.path("policies"))
        host.write("policies/a-wrong.policy", "[policy]\nname = wrong\n[vm *]\npriority = 101\n")
        host.write("policies/b-long.policy", "# " + "long " * 8000)
        os.symlink("/nowhere", host.path("policies/c-gone.policy"))
        host.write("policies/d-right.policy", "[policy]\nname = right\n[vm *]\npriority = 60\n")
        host.environment["XENMEM_POLICIES"] = host.path("policies")
        rows = host.json("policy", "list")
        assert [(row["name"], row["state"]) for row in rows] == [("-", "wrong")] * 3 + [("right", "-")], rows
        for row, reason in zip(rows, ("a-wrong.policy:4: ", "longer than", "there is no such policy")):
            assert reason in row["what"], row
        host.environment["XENMEM_POLICIES"] = host.path("nowhere")
        missing = host.ctl("policy", "list")
        assert missing.returncode == 4 and "no such folder" in missing.stderr, missing
        host.environment["XENMEM_POLICIES"] = host.path("policies")
        host.stop()
        assert host.ctl("policy", "list").returncode == 5


def remember(host, vm, hours, need_kib):
    """History as a daemon would have left it: a sample each 5 minutes up to now."""
    now = int(time.time()) // 300
    with sqlite3.connect(host.database) as database:
        database.execute("INSERT INTO series (name, last_ms) VALUES (?, ?) ON CONFLICT DO NOTHING", (vm, now * 300000))
        (series,) = database.execute("SELECT id FROM series WHERE name = ?", (vm,)).fetchone()
        for slot in range((now - hours * 12) * 30, now * 30, 30):
            database.execute("INSERT OR REPLACE INTO sample VALUES (0, ?, ?, ?, ?, ?, ?, ?, NULL)",
                             (slot // 30, series, slot % 30, need_kib * 2, need_kib, need_kib * 2, 100))
    database.close()


def test_minimums_of_idle_vms_are_lowered_by_their_history():
    settings, lines = cron_lines()
    (command,) = [command for _, _, command in lines if "lower-idle" in command]
    assert command.endswith("/xenmem/cron.d/lower-idle")
    script = os.path.join(SOURCE, "etc/cron.d/lower-idle")
    with Sampled() as host:
        for vm in ("web1", "desk1", "batch1"):
            host.do("set", vm, "mode=dynamic", "minimum=1g", "startup=1g")
        host.stop()
        remember(host, "web1", 25, 300 * MIB)  # idle all day
        remember(host, "desk1", 25, 600 * MIB)  # needs more than half of it
        remember(host, "batch1", 5, 300 * MIB)  # nobody knows what it needed yesterday
        host.start()
        run_line(host, settings, f"sh {script}")
        minimums = {name: vm["minimum_kib"] // MIB for name, vm in host.vms().items() if vm["mode"] == "dynamic"}
        assert minimums == {"web1": 640, "desk1": 1024, "batch1": 1024}, minimums
        (event,) = [event for event in host.events("settings-changed") if "for=" in event["detail"]]
        assert event["vm"] == "web1" and "for=90m" in event["detail"], event


if __name__ == "__main__":
    run(globals())
