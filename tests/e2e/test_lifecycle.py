# SPDX-License-Identifier: GPL-2.0-or-later
"""Starting, stopping, being killed, being started twice, being told to read the configuration again."""

import contextlib
import fcntl
import os
import signal
import socket
import sqlite3
import subprocess
import time

from host import MIB, XENMEM_SIM, XENMEMD, Host, free_port, run, until

TWO = """
[host]
size = 6g
dom0 = 1g

[vm busy]
memory = 2g
maxmem = 4g
demand = 1g

[vm idle]
memory = 2560m
maxmem = 4g
demand = 600m
"""

MANAGED = "[vm *]\nmode = dynamic\nminimum = 512m\n"


def levers(host):
    return {name: (host.vm(name)["target_kib"], host.vm(name)["cap_kib"]) for name in host.vms()}


def at_rest(host):
    """What everybody has been told, and in how many actions: once no pass has come between two looks at it."""
    seen = [None]

    def rests():
        seen.append((levers(host), len(host.actions())))
        return seen[-1] == seen[-2] and host.json("host")["settled"]

    until("the host rests", rests)
    return seen[-1]


def test_killed_and_started_again_it_has_its_settings_and_moves_nothing():
    with Host(TWO, MANAGED) as host:
        host.do("set", "idle", "priority=20")
        host.xl("demand", "busy", "2600m")
        until("busy has what it needs", lambda: host.vm("busy")["assigned_kib"] >= 2600 * MIB)
        before, done = at_rest(host)
        assert host.kill() == -signal.SIGKILL
        host.start()
        host.do("balance")
        assert levers(host) == before, (levers(host), before, host.actions()[done:])
        assert host.vm("idle")["priority"] == 20
        assert len(host.actions()) == done, host.actions()[done:]


def test_started_again_it_goes_on_believing_what_it_did():
    """Under "hold" a demand that was forgotten would give gigabytes back at once, and take them again."""
    with Host(TWO, "surplus = hold\n" + MANAGED) as host:
        host.xl("demand", "busy", "2600m")
        until("busy has what it needs", lambda: host.vm("busy")["assigned_kib"] >= 2600 * MIB)
        host.xl("demand", "busy", "800m")
        until("its need is known to have fallen", lambda: host.vm("busy")["need_kib"] < 900 * MIB)
        before = host.vm("busy")["demand_kib"]
        since = time.time() * 1000
        until("a sample of that was taken",
              lambda: any(row["time_ms"] > since for row in host.json("history", "busy")["samples"]))
        host.kill()
        host.start()
        until("it has spoken", lambda: host.vm("busy")["need_kib"])
        after = host.vm("busy")["demand_kib"]
        assert 2300 * MIB < after <= before, (before, after)
        assert host.vm("busy")["target_kib"] > 2600 * MIB, host.vm("busy")


def test_two_daemons_cannot_have_one_host():
    with Host(TWO, MANAGED) as host:
        done = host.run(*host.daemon_command("--socket", host.path("other.sock"), "--database", host.path("other.db")))
        assert done.returncode == 1 and "another xenmemd balances this host" in done.stderr, done
        host.do("balance")
        host.kill()
        host.start()  # what a killed one leaves is no obstacle


def test_who_only_observes_says_so_when_it_is_to_balance():
    with Host(TWO, MANAGED, action="observe") as host:
        done = host.ctl("balance")
        assert done.returncode == 1 and "only observes" in done.stderr, done


def test_an_override_is_known_after_a_crash_too():
    with Host(TWO, MANAGED) as host:
        host.xl("demand", "busy", "2600m")
        until("busy was moved", lambda: host.vm("busy")["assigned_kib"] >= 2600 * MIB)
        host.kill()
        host.xl("mem-set", "busy", "2700m")
        host.start()
        until("it is seen", lambda: host.vm("busy")["overridden"])
        assert host.vm("busy")["target_kib"] == 2700 * MIB


def test_guests_go_on_while_the_daemon_is_dead():
    with Host(TWO, MANAGED) as host:
        host.do("set", "idle", "priority=40")  # what was acknowledged is known after a crash
        host.kill()
        host.xl("destroy", "idle")
        assert host.xl("create", "fresh", "memory=512m").returncode == 0
        host.start()
        until("the new one is there", lambda: host.vms()["fresh"]["state"] == "running")
        assert host.vm("idle")["state"] == "off"


def test_stopping_leaves_guests_as_they_are():
    with Host(TWO, MANAGED) as host:
        host.settle()
        before = host.xl("list").stdout
        assert host.stop() == 0
        assert host.xl("list").stdout.split()[:3] == before.split()[:3]
        host.start()


def test_what_was_answered_is_on_disk_when_it_is_killed_at_once():
    with Host(TWO) as host:
        for i in range(20):
            host.do("set", "busy", f"priority={i}")
            host.kill()
            host.start()
            assert host.vm("busy")["priority"] == i


def test_a_second_daemon_is_refused_by_database_and_by_socket():
    with Host(TWO) as host:
        same_database = host.run(*host.daemon_command()[:-4], "--socket", host.path("other.sock"),
                                 "--database", host.database)
        assert same_database.returncode == 1 and host.database in same_database.stderr, same_database
        same_socket = host.run(*host.daemon_command()[:-2], "--database", host.path("other.db"))
        assert same_socket.returncode == 1 and host.socket in same_socket.stderr, same_socket
        assert host.ctl("host").returncode == 0, "the first one must not notice"


def test_a_simulated_host_that_was_started_for_nothing_ends_and_one_that_ran_goes_on():
    with Host(TWO) as host:
        other = host.write("other.scenario", TWO)
        taken = [XENMEMD, "--backend", "sim:" + other, "--socket", host.socket, "--database", host.path("other.db")]
        done = host.run(*taken)
        assert done.returncode == 1 and host.socket in done.stderr, done
        assert host.run(XENMEM_SIM, "stop", other).returncode != 0, "nobody is left to be stopped"
        host.stop()
        with open(host.socket + ".lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert host.run(*host.daemon_command()).returncode == 1
        assert host.xl("list").returncode == 0, "this one ran before"


def test_a_start_that_fails_says_what_to_do():
    with Host(TWO) as host:
        text = host.write("text", "no database, no socket\n")
        port = free_port()
        listening = host.write("listening.conf", f"[daemon]\nmetrics-listen = 127.0.0.1:{port}\n")
        for options, code, what, advice in (
                (["--database", "/proc/no/xenmem.db"], 1, "/proc/no", "name another database"),
                (["--database", host.folder], 1, host.folder, "name another database"),
                (["--database", text], 1, text, "put a backup in its place"),
                (["--database", host.database], 1, host.database, "stop that one"),
                (["--socket", "/proc/no/xenmemd.sock"], 1, "/proc/no", "name another socket"),
                (["--socket", host.path("x" * 120)], 2, "longer than", "name another socket"),
                (["--socket", text], 2, text, "remove it"),
                (["--socket", host.socket], 1, host.socket, "stop that one"),
                (["--backend", "sim:" + host.path("nowhere")], 2, "nowhere", "name the scenario file"),
                (["--backend", "kvm"], 2, "kvm", "neither 'xen' nor 'sim:FILE'"),
                (["-c", host.path("nowhere")], 2, "nowhere", "-c"),
                (["-c", host.write("key.conf", "[host]\nreserved = 1g\n")], 2, "reserved", "xenmemd.conf(5)"),
                (["-c", host.write("empty.conf", "[daemon]\nsocket =\n")], 2, "socket is empty", "leave it out"),
                (["-c", host.write("user.conf", "[hooks]\nuser = nobody-of-that-name\n")], 2, "there is no user", "make it"),
                (["-c", listening], 1, str(port), "take another port"),
                ([], 1, "another xenmemd balances this host", "stop that one")):
            command = [XENMEMD, "-c", host.config, "--backend", "sim:" + host.scenario,
                       "--socket", host.path("other.sock"), "--database", host.path("other.db"), *options]
            with socket.create_server(("127.0.0.1", port)) if listening in options else contextlib.nullcontext():
                done = host.run(*command)
            told = [line for line in done.stderr.splitlines() if line.startswith("xenmemd: ")]
            assert done.returncode == code and len(told) == 1, (options, done)
            assert what in told[0] and advice in told[0], (options, told)


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is():
    with Host(TWO) as host:
        host.stop()
        with sqlite3.connect(host.database) as database:
            database.execute("PRAGMA user_version = 999")
        database.close()
        refused = host.run(*host.daemon_command())
        assert refused.returncode == 1 and "999" in refused.stderr, refused
        with sqlite3.connect(host.database) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (999,)
            database.execute("PRAGMA user_version = 1")
        database.close()


def test_what_is_wrong_in_a_file_is_told_with_its_line():
    with Host(TWO) as host:
        bad = host.write("bad.conf", "[daemon]\n\n[host]\naction = observe\n\n\nresreve = 1g\n")
        checked = host.run(XENMEMD, "-c", bad, "--check-config")
        assert checked.returncode == 2 and f"{bad}:7: " in checked.stderr and "resreve" in checked.stderr, checked
        scenario = host.write("bad.scenario", TWO.replace("memory = 2g", "memory = two"))
        served = host.run(XENMEM_SIM, "host", scenario)
        assert served.returncode == 2 and f"{scenario}:7: " in served.stderr, served
        started = host.run(XENMEMD, "--backend", "sim:" + scenario, "--socket", host.path("x.sock"),
                           "--database", host.path("x.db"))
        assert started.returncode == 2 and ":7: " in started.stderr, started


def test_what_it_could_not_print_is_a_failure():
    with Host(TWO) as host:
        for words in (["--help"], ["--version"], ["-c", host.write("empty.conf", ""), "--check-config"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([XENMEMD, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            assert done.returncode == 1 and "No space left on device" in done.stderr, (words, done)


def test_it_reads_its_configuration_again_and_keeps_the_old_one_if_the_new_one_is_wrong():
    with Host(TWO, MANAGED) as host:
        host.write("xenmemd.conf", "[host]\naction = balance\nreserve = 300m\n" + MANAGED)
        host.daemon.send_signal(signal.SIGHUP)
        until("the reserve is the new one", lambda: host.json("host")["reserve_kib"] == 300 * MIB)
        host.write("xenmemd.conf", "[host]\nreserve = 400m\nnonsense = 1\n")
        host.daemon.send_signal(signal.SIGHUP)
        until("it complains", lambda: "configuration-refused" in host.log())
        assert host.json("host")["reserve_kib"] == 300 * MIB


def test_outside_of_dom0_it_says_what_is_missing_and_what_to_try():
    if os.path.exists("/proc/xen/capabilities"):
        return  # on a Xen host this is another story
    with Host(TWO) as host:
        done = host.run(XENMEMD, "-c", host.config, "--socket", host.path("x.sock"), "--database", host.path("x.db"))
        assert done.returncode == 1 and "sim:FILE" in done.stderr and len(done.stderr.splitlines()) == 1, done


def test_a_simulated_host_that_ends_ends_the_daemon_with_a_reason():
    with Host(TWO) as host:
        host.end_sim()
        daemon, host.daemon = host.daemon, None
        assert daemon.wait(30) == 1
        assert "simulated" in host.log() or "lost the hypervisor" in host.log(), host.log()


def test_a_client_is_told_when_the_daemon_is_not_there():
    with Host(TWO) as host:
        host.stop()
        began = time.monotonic()
        done = host.ctl("list")
        assert done.returncode == 5 and len(done.stderr.splitlines()) == 1, done
        assert time.monotonic() - began < 30


if __name__ == "__main__":
    run(globals())
