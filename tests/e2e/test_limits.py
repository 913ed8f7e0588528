# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients cannot do to the daemon: hostile ones, slow ones, and very many."""

import contextlib
import itertools
import json
import os
import resource
import socket
import time

from host import LIMIT_S, Host, free_port, run, until

ONE = "[host]\nsize = 6g\ndom0 = 1g\n\n[vm busy]\nmemory = 2g\nmaxmem = 4g\ndemand = 1g\n"
QUICK = "[limits]\nline-time = 1s\nsilence = 2s\nread-time = 1s\n"
LIST = b'{"jsonrpc":"2.0","id":1,"method":"vm.list"}\n'


def connect(host):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(LIMIT_S)
    peer.connect(host.socket)
    stream = peer.makefile("rb")
    assert b'"hello"' in stream.readline()
    return peer, stream


def test_a_thousand_connections_are_held_open():
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, max(2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    with Host(ONE) as host:
        held = [connect(host) for _ in range(1000)]
        for peer, stream in held[::100]:
            peer.sendall(LIST)
            assert b'"busy"' in stream.readline()
        assert host.answers()
        for peer, stream in held:
            stream.close()
            peer.close()


def descriptors(pid):
    return {int(name) for name in os.listdir(f"/proc/{pid}/fd")}


# A client that has just left still has a descriptor, which the next one would get.
def descriptors_at_rest(pid):
    seen = [descriptors(pid)]

    def are_at_rest():
        seen.append(descriptors(pid))
        return len(seen) > 5 and all(one == seen[-1] for one in seen[-5:])

    until("the daemon's descriptors are at rest", are_at_rest)
    return seen[-1]


@contextlib.contextmanager
def no_descriptors_left(host):
    pid = host.daemon.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = descriptors_at_rest(pid)
    first_free = next(number for number in itertools.count() if number not in used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (first_free, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def test_without_descriptors_clients_wait_and_the_daemon_does_not_spin():
    port = free_port()
    with Host(ONE, f"[daemon]\nmetrics-listen = 127.0.0.1:{port}\n") as host:
        began = time.monotonic()
        with no_descriptors_left(host):
            waiting = socket.socket(socket.AF_UNIX)
            waiting.connect(host.socket)
            scrape = socket.create_connection(("127.0.0.1", port), LIMIT_S)
            scrape.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            for listening in ("socket", "metrics-listen"):
                until("it tries again", lambda name=listening: host.log().count(f"accept-failed at={name} ") >= 2)
        waiting.settimeout(LIMIT_S)
        assert b'"hello"' in waiting.recv(4096)
        assert scrape.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert host.log().count("accept-failed") <= 2 * (time.monotonic() - began + 1)
        waiting.close()
        scrape.close()


def test_one_who_says_nothing_is_cut():
    with Host(ONE, QUICK) as host:
        peer, stream = connect(host)
        assert b"there was no request within 2000 ms" in stream.readline()
        assert stream.readline() == b""
        peer.close()


def test_a_request_of_a_byte_at_a_time_is_cut():
    with Host(ONE, QUICK) as host:
        peer, stream = connect(host)
        try:
            for byte in LIST:
                peer.sendall(bytes([byte]))
                time.sleep(0.1)  # it is the pace that is tested
        except OSError:
            pass
        assert b"did not arrive whole within 1000 ms" in stream.readline()
        peer.close()


def test_one_who_has_spoken_may_be_quiet():
    with Host(ONE, QUICK) as host:
        peer, stream = connect(host)
        peer.sendall(LIST)
        assert b'"busy"' in stream.readline()
        time.sleep(3)  # longer than any limit
        peer.sendall(LIST)
        assert b'"busy"' in stream.readline()
        peer.close()


def test_one_who_does_not_read_is_cut():
    with Host(ONE, QUICK) as host:
        peer, _ = connect(host)
        peer.setblocking(False)
        try:
            while True:
                peer.send(LIST)
        except BlockingIOError:
            pass
        except OSError:
            pass
        until("it is cut", lambda: "client-does-not-read" in host.log())
        assert host.answers()


def test_a_gigabyte_without_a_newline_is_not_read():
    with Host(ONE) as host:
        peer, stream = connect(host)
        sent = 0
        try:
            while sent < 1 << 30:
                sent += peer.send(b"x" * 65536)
        except OSError:
            pass
        assert sent < 1 << 22, sent
        assert host.answers()
        stream.close()


def test_nonsense_gets_one_line():
    with Host(ONE) as host:
        for line in (b"[" * 10000 + b"\n", b'{"a":' * 10000 + b"\n", b'{"jsonrpc":"2.0","id":1,"method":"\xc3"}\n'):
            answer = json.loads(host.rpc(line)[0])
            assert answer["error"]["data"]["name"] == "invalid", answer
        assert host.answers()


def test_a_list_is_new_after_a_change():
    with Host(ONE) as host:
        for priority in (10, 20, 30):
            host.do("list")
            host.do("set", "busy", f"priority={priority}")
            assert host.vms()["busy"]["priority"] == priority


if __name__ == "__main__":
    run(globals())
