# SPDX-License-Identifier: GPL-2.0-or-later
"""Room for starts: granted, refused, kept over a killed daemon, used by the VM that it is for."""

import json
import os
import signal
import socket
import struct
import subprocess
import time

from host import FULL, GIB, MANAGED, MIB, XENMEM_SIM, XENMEMCTL, Host, run, until


def targets(host):
    return {name: vm["target_kib"] for name, vm in host.vms().items()}


def ready(host):
    host.settle()
    until("needs are known", lambda: all(vm["demand_kib"] for vm in host.vms().values()))


def test_guests_make_room_and_the_vm_that_comes_uses_it_up():
    with Host(FULL, MANAGED) as host:
        ready(host)
        number = host.do("reserve", "2g", "--for", "new").strip()
        seen = host.json("reservations")
        assert [r["state"] for r in seen] == ["granted"], seen
        assert host.json("host")["reserved_kib"] == 2 * GIB
        assert not host.json("host")["invariant_broken"]
        assert host.events("reservation-granted", "new")
        done = host.xl("create", "new", "memory=1900m", "maxmem=1900m", "demand=200m")
        assert done.returncode == 0, done.stderr
        until("it is used up", lambda: host.json("reservations") == [])
        assert "used" in host.events("reservation-released", "new")[0]["detail"]
        again = host.ctl("release", number)
        assert again.returncode == 4 and number in again.stderr, again


def test_what_is_not_feasible_is_refused_at_once_and_nothing_moves():
    with Host(FULL, MANAGED) as host:
        ready(host)
        before, moved = targets(host), len(host.actions())
        done = host.ctl("reserve", "5g")
        assert done.returncode == 3, done
        for word in ("5 GiB", "could be freed", "held by", "dom0 1 GiB"):
            assert word in done.stderr, done.stderr
        assert targets(host) == before and len(host.actions()) == moved
        asked = {"jsonrpc": "2.0", "id": 1, "method": "reservation.create", "params": {"size": "5g"}}
        data = json.loads(host.rpc(json.dumps(asked).encode() + b"\n")[0])["error"]["data"]
        assert (data["name"], data["reason"]) == ("no-memory", "no-memory"), data
        assert data["figures"]["size_kib"] == 5 * GIB > data["figures"]["now_kib"] + data["figures"]["freeable_kib"], data
        assert {"name": "dom0", "holds_kib": GIB} in data["holders"], data
        assert "reason=no-memory now_kib=" in host.events("reservation-refused")[0]["detail"]
        assert host.json("reservations") == []


def test_a_granted_one_outlives_a_killed_daemon():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.do("reserve", "2g", "--for", "new")
        host.kill()
        host.start()
        seen = host.json("reservations")
        assert [(r["name"], r["state"], r["size_kib"]) for r in seen] == [("new", "granted", 2 * GIB)], seen
        until("it is counted", lambda: host.json("host")["reserved_kib"] == 2 * GIB)
        done = host.xl("create", "new", "memory=1900m", "maxmem=1900m", "demand=200m")
        assert done.returncode == 0, done.stderr


def test_a_queued_one_gives_up_when_its_time_is_over():
    with Host(FULL, MANAGED) as host:
        ready(host)
        timed_out = host.ctl("reserve", "4g", "--wait", "1s")
        assert timed_out.returncode == 7 and "within 1s" in timed_out.stderr, timed_out
        assert "reason=waited" in host.events("reservation-refused")[0]["detail"]
        assert host.json("reservations") == []


def test_release_expiry_and_bad_input():
    with Host(FULL, MANAGED) as host:
        ready(host)
        number = host.do("reserve", "100m").strip()
        host.do("release", number)
        assert host.json("reservations") == []
        host.do("reserve", "100m", "--ttl", "1s")
        until("it expires", lambda: host.json("reservations") == [])
        assert host.events("reservation-expired")
        for words in (["0"], ["-1"], ["9223372036854775808"], ["1m", "--priority", "101"], ["1m", "--wait", "x"]):
            bad = host.ctl("reserve", *words)
            assert bad.returncode == 2 and bad.stderr.count("\n") == 1, (words, bad)
        running = host.ctl("reserve", "100m", "--for", "one")
        assert running.returncode == 1 and "running" in running.stderr, running


def test_what_settings_say_is_reserved_for_a_vm_without_a_size():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.do("set", "new", "startup=1g", "maximum=2g", "minimum=512m", "mode=dynamic")
        host.do("reserve", "--for", "new")
        size = host.json("reservations")[0]["size_kib"]
        assert GIB < size <= GIB + 64 * MIB, size
        asked = {"jsonrpc": "2.0", "id": 1, "method": "vm.build", "params": {"name": "new", "memory_kib": 1, "maxmem_kib": 1}}
        said = json.loads(host.rpc(json.dumps(asked).encode() + b"\n")[0])["result"]
        assert said == {"startup_kib": GIB, "maximum_kib": 2 * GIB, "needs_kib": size}, said
        assert host.xl("create", "new", "memory=1g", "maxmem=2g", "demand=200m").returncode == 0
        until("it is used up", lambda: host.json("reservations") == [])
        assert not host.events("reservation-broken")


def test_what_a_vm_had_is_reserved_for_it_where_no_setting_says_more():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.xl("destroy", "one")
        until("it is gone", lambda: host.vm("one")["state"] == "off")
        host.do("reserve", "--for", "one")
        size = host.json("reservations")[0]["size_kib"]
        assert 2 * GIB < size <= 2 * GIB + 64 * MIB, size
        unknown = host.ctl("reserve", "--for", "nobody")
        assert unknown.returncode == 4 and unknown.stderr.count("\n") == 1 and "startup=" in unknown.stderr, unknown
        host.do("set", "vague", "mode=dynamic", "priority=60")
        vague = host.ctl("reserve", "--for", "vague")
        assert vague.returncode == 2 and "startup=" in vague.stderr, vague
        nothing = host.ctl("reserve")
        assert nothing.returncode == 2 and "--for" in nothing.stderr, nothing


def test_a_reservation_has_the_priority_of_its_vm_where_none_is_given():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.do("set", "vip", "priority=70")
        host.do("reserve", "1m", "--for", "vip")
        host.do("reserve", "1m", "--for", "unset")
        host.do("reserve", "1m", "--for", "vip--2", "--priority", "0")
        host.do("reserve", "1m")
        seen = [(r["name"], r["priority"]) for r in host.json("reservations")]
        assert seen == [("vip", 70), ("unset", 50), ("vip--2", 0), (None, 50)], seen


def test_a_reboot_finds_its_memory():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.xl("demand", "two", "3500m")
        held, former = host.vm("one")["target_kib"], host.vm("one")["id"]
        assert host.xl("reboot", "one").returncode == 0
        until("it is back", lambda: host.vm("one")["state"] == "running" and host.vm("one")["id"] != former)
        assert host.events("reservation-granted", "one"), "nothing was kept for its reboot"
        assert host.vm("one")["assigned_kib"] >= min(held, 512 * MIB)
        until("it is used up", lambda: host.json("reservations") == [])


def test_start_builds_with_what_settings_say():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.do("set", "new", "startup=1g", "maximum=2g", "minimum=512m", "mode=dynamic")
        xl = host.write("xl", XL)
        host.environment.update(XENMEM_XL="sh " + xl, XENMEM_SIM_FILE=host.scenario, XENMEM_SIM_PROGRAM=XENMEM_SIM)
        done = host.ctl("start", host.write("new.cfg", "name = 'new'\nmemory = 256\nmaxmem = 512\n"))
        assert done.returncode == 0 and "memory=1024 maxmem=2048" in done.stdout, done


def saved(name, target_kib):
    """The beginning of what xl save writes, and a little of the guest's memory."""
    text = json.dumps({"c_info": {"type": "pv", "name": name}, "b_info": {"max_vcpus": 1, "max_memkb": 2 * GIB,
                       "target_memkb": target_kib, "video_memkb": 0, "shadow_memkb": 9216}}, indent=4).encode() + b"\0"
    head = b"Xen saved domain, xl format\n \0 \r" + struct.pack("=IIII", 0x01020304, 3, 0, len(text) + 4)
    return head + struct.pack("=I", len(text)) + text + os.urandom(4096)


def test_a_saved_guest_is_restored_with_the_memory_that_it_had():
    with Host(FULL, MANAGED) as host:
        ready(host)
        xl = host.write("xl", XL)
        host.environment.update(XENMEM_XL="sh " + xl, XENMEM_SIM_FILE=host.scenario, XENMEM_SIM_PROGRAM=XENMEM_SIM)
        with open(host.path("new.save"), "wb") as file:
            file.write(saved("new", 1 * GIB))
        done = host.ctl("start", host.path("new.save"))
        assert done.returncode == 0 and "xl ran: restore" in done.stdout and "maxmem" not in done.stdout, done
        assert "size_kib=1058816" in host.events("reservation-granted", "new")[0]["detail"]
        for damage in (saved("", 1 * GIB), saved("new", 1 * GIB)[:40]):
            with open(host.path("bad.save"), "wb") as file:
                file.write(damage)
            bad = host.ctl("start", host.path("bad.save"))
            assert bad.returncode == 2 and bad.stderr.count("\n") == 1, bad


def test_two_starts_at_once_for_memory_that_suffices_for_one():
    with Host(FULL, MANAGED) as host:
        ready(host)
        xl = host.write("xl", XL.replace(" new ", ' "$(sed -n "s/name = //p" "$1")" '))
        host.environment.update(XENMEM_XL="sh " + xl, XENMEM_SIM_FILE=host.scenario, XENMEM_SIM_PROGRAM=XENMEM_SIM)
        both = [subprocess.Popen([XENMEMCTL, "--socket", host.socket, "start",
                                  host.write(f"{name}.cfg", f"name = {name}\nmemory = 2300\n")], env=host.environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for name in ("left", "right")]
        ends = [(start.communicate(timeout=90), start.returncode) for start in both]
        assert sorted(code for _, code in ends) == [0, 3], ends
        assert "for starts that came before" in ends[0][0][1] + ends[1][0][1], ends
        until("nothing is kept any more", lambda: host.json("reservations") == [])
        assert not host.events("invariant-broken")


def test_while_it_waits_progress_is_told():
    with Host(FULL.replace("demand = 600m", "demand = 600m\nballoon-rate = 200m"), MANAGED) as host:
        ready(host)
        done = host.ctl("reserve", "2g", "--wait", "60s")
        assert done.returncode == 0, done
        told = [line for line in done.stderr.splitlines() if "2 GiB are free" in line]
        assert told and any("more" in line for line in told), done.stderr


def test_while_nothing_changes_nothing_is_told():
    with Host(FULL, MANAGED) as host:
        ready(host)
        done = host.ctl("reserve", "5g", "--wait", "4s")
        told = [line for line in done.stderr.splitlines() if "5 GiB are free" in line]
        assert done.returncode == 7 and len(told) == len(set(told)), done


def test_several_are_squeezed_for_at_once_and_block_nothing():
    with Host(FULL.replace("demand = 600m", "demand = 600m\nballoon-rate = 200m"), MANAGED) as host:
        ready(host)
        asked = [subprocess.Popen([XENMEMCTL, "--socket", host.socket, "reserve", "700m", "--for", f"new{i}"],
                                  env=host.environment, stdout=subprocess.PIPE) for i in range(3)]
        until("all three are squeezed for", lambda: len(host.json("reservations")) == 3)
        began = time.monotonic()
        host.do("list")
        assert time.monotonic() - began < 5
        for one in asked:
            assert one.wait(90) == 0
        assert sum(r["size_kib"] for r in host.json("reservations")) == 2100 * MIB
        assert not host.events("invariant-broken")


def hold(host):
    holder = subprocess.Popen([XENMEMCTL, "--socket", host.socket, "reserve", "100m", "--hold"],
                              env=host.environment, stdout=subprocess.PIPE)
    until("it is granted", lambda: [r["state"] for r in host.json("reservations")] == ["granted"])
    return holder


def test_a_holders_death_ends_it_at_once_and_a_lost_connection_after_a_while():
    with Host(FULL, MANAGED + "[daemon]\nholder-grace = 2s\n") as host:
        ready(host)
        holder = hold(host)
        host.kill()
        holder.kill()
        holder.wait()
        host.start()
        assert len(host.json("reservations")) == 1, "a restart of the daemon lost it"
        until("nobody has taken it up", lambda: host.json("reservations") == [])
        holder = hold(host)
        holder.kill()
        holder.wait()
        until("its holder is dead", lambda: host.json("reservations") == [])
        assert "holder-gone" in host.events("reservation-released")[-1]["detail"]


def test_a_holder_takes_it_up_again_from_a_daemon_that_was_restarted():
    with Host(FULL, MANAGED + "[daemon]\nholder-grace = 2s\n") as host:
        ready(host)
        holder = hold(host)
        host.kill()
        host.start()
        time.sleep(4)
        assert [r["tied"] for r in host.json("reservations")] == [True], "its holder lives"
        host.do("release", holder.stdout.readline().decode().strip())
        assert holder.wait(30) == 4, "it ends with its reservation"
        holder.stdout.close()


def test_one_who_leaves_the_queue_is_not_said_to_have_failed():
    with Host(FULL, MANAGED) as host:
        ready(host)
        asker = subprocess.Popen([XENMEMCTL, "--socket", host.socket, "reserve", "5g", "--wait", "1m"],
                                 env=host.environment, stderr=subprocess.DEVNULL)
        until("it queues", lambda: [r["state"] for r in host.json("reservations")] == ["queued"])
        asker.send_signal(signal.SIGINT)
        asker.wait()
        until("it is gone", lambda: host.json("reservations") == [])
        assert "reason=client-gone" in host.events("reservation-refused")[-1]["detail"]


def test_one_whose_number_nobody_can_know_is_given_back():
    with Host(FULL, MANAGED) as host:
        ready(host)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([XENMEMCTL, "--socket", host.socket, "reserve", "100m"], env=host.environment,
                                  stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, done
        assert host.json("reservations") == []
        assert host.events("reservation-released")


def test_a_name_that_is_empty_is_no_name():
    with Host(FULL, MANAGED) as host:
        done = host.ctl("reserve", "100m", "--for", "")
        assert done.returncode == 2 and "--for" in done.stderr, done
        assert host.json("reservations") == []


def test_a_client_may_leave_at_any_byte():
    request = b'{"jsonrpc":"2.0","id":1,"method":"reservation.create","params":{"size":"100m","for":"gone"}}\n'
    with Host(FULL, MANAGED) as host:
        ready(host)
        for length in range(len(request) + 1):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(host.socket)
                peer.sendall(request[:length])
        # The last one was a whole request: it was granted before it was known that nobody waits, or withdrawn.
        for record in host.json("reservations"):
            host.ctl("release", str(record["id"]))
        assert host.json("reservations") == []
        assert host.do("reserve", "100m", "--for", "gone").strip().isdigit()


def test_an_incoming_migration_binds_what_is_kept_for_its_name():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.do("reserve", "2g", "--for", "new")
        assert host.xl("receive", "new", "memory=1900m", "maxmem=1900m", "demand=200m").returncode == 0
        until("it is used up", lambda: host.json("reservations") == [])
        assert not host.events("invariant-broken")


XL = """#!/bin/sh
echo "xl ran: $*"
shift
exec "$XENMEM_SIM_PROGRAM" xl "$XENMEM_SIM_FILE" create new memory=1g maxmem=1g demand=200m
"""


def test_start_makes_room_and_passes_on_what_xl_says():
    with Host(FULL, MANAGED) as host:
        ready(host)
        xl = host.write("xl", XL)
        host.environment.update(XENMEM_XL="sh " + xl, XENMEM_SIM_FILE=host.scenario, XENMEM_SIM_PROGRAM=XENMEM_SIM)
        small = host.write("new.cfg", 'name = "new" # a comment\nmemory = 1024\ntype = "pvh"\ndisk = [ "a=b",\n "c" ]\n'
                           'extra = "ds=nocloud;s=http://here/ #1" # two\n')
        done = host.ctl("start", small)
        assert done.returncode == 0 and "xl ran: create" in done.stdout, done
        until("it runs, and nothing is kept any more", lambda: host.json("reservations") == [])
        assert "size_kib=1056768" in host.events("reservation-granted", "new")[0]["detail"]
        failed = host.ctl("start", host.write("again.cfg", "name = 'other'\nmemory = 100\n"))
        assert failed.returncode == 1 and "exit code 3" in failed.stderr, failed
        assert host.json("reservations") == []
        big = host.ctl("start", host.write("big.cfg", "name = 'big'\nmemory = 8192\n"))
        assert big.returncode == 3 and "xl ran" not in big.stdout, big
        for text in ("memory = 100\n", "name = 'x'\n", "name = 'x'\nmemory = lots\n", "name = 'x'; memory = 100\n",
                     "name = 'x'\nmemory = 0100\n", "name = 'x'\nmemory += 100\n", "name = 'x' + 'y'\nmemory = 100\n"):
            bad = host.ctl("start", host.write("bad.cfg", text))
            assert bad.returncode == 2 and bad.stderr.count("\n") == 1, bad
        for line in ('include("base.cfg")', "import os", "if big: memory = 4096", "garbage", "\x7fELF", "'memory' = 4096"):
            bad = host.ctl("start", host.write("bad.cfg", f"name = 'x'\nmemory = 100\nvif = [ 'a=b', # [\n]\n{line}\n"))
            assert bad.returncode == 2 and bad.stdout == "" and "bad.cfg:5: " in bad.stderr, bad
        assert host.ctl("start", host.path("none.cfg")).returncode == 2


def test_what_xl_is_given_behind_the_file_counts_too():
    with Host(FULL, MANAGED) as host:
        ready(host)
        host.environment["XENMEM_XL"] = "echo xl"
        config = host.write("new.cfg", "name = 'new'\nmemory = 256\n")
        done = host.ctl("start", config, "--", "-p", "memory=1024", 'name="other"', "disk=['a=b']")
        assert done.returncode == 0 and done.stdout.startswith("xl create "), done
        assert "size_kib=1054720" in host.events("reservation-granted", "other")[0]["detail"], host.events()
        assert not host.events("reservation-granted", "new")
        for word, code in (("memory=8192", 3), ("memory=lots", 2)):
            assert host.ctl("start", config, "--", word).returncode == code


def test_xl_inherits_no_signal_that_is_ignored():
    with Host(FULL, MANAGED) as host:
        ready(host)
        xl = host.write("xl", 'sed -n "s/^SigIgn:[[:blank:]]*//p" /proc/self/status\n')
        host.environment["XENMEM_XL"] = "sh " + xl
        done = host.ctl("start", host.write("new.cfg", "name = 'new'\nmemory = 256\n"))
        assert done.returncode == 0 and int(done.stdout, 16) & 1 << signal.SIGPIPE - 1 == 0, done


if __name__ == "__main__":
    run(globals())
