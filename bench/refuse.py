# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a request for memory that is not there takes to be refused: the whole round trip of a client, with so many VMs.

It asks for less than the host has and more than can be freed: what each VM could give has to be found out.

usage: refuse.py [VMS [REQUESTS]]
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("XENMEM_BUILD", ".")
VMS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
REQUESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 500
SIZE = f"{3072 + VMS * 500}m"


def scenario():
    text = f"[host]\nsize = {4096 + VMS * 800}m\ndom0 = 1g\n"
    return text + "".join(f"[vm vm{i}]\nmemory = 768m\nmaxmem = 2g\ndemand = 500m\n" for i in range(VMS))


def connect(path):
    end = time.monotonic() + 120
    while True:
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(path)
            stream = peer.makefile("rb")
            stream.readline()
            return peer, stream
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def measure(folder):
    peer, stream = connect(os.path.join(folder, "sock"))
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "reservation.create", "params": {"size": SIZE}}).encode() + b"\n"
    took = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        peer.sendall(line)
        answer = json.loads(stream.readline())
        took.append((time.perf_counter() - began) * 1e6)
        if "error" not in answer:
            sys.exit(f"not refused: {answer}")
    print(answer["error"]["message"])
    took.sort()
    print(f"refused with {VMS} VMs: median {statistics.median(took):.0f} us, p99 {took[len(took) * 99 // 100]:.0f} us, "
          f"{REQUESTS} requests")


def main():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "many.scenario"), "w", encoding="utf-8") as file:
            file.write(scenario())
        with open(os.path.join(folder, "conf"), "w", encoding="utf-8") as file:
            file.write("[daemon]\nlog-level = error\n[vm *]\nmode = dynamic\nminimum = 256m\n")
        with subprocess.Popen([os.path.join(BUILD, "daemon", "xenmemd"), "-c", os.path.join(folder, "conf"), "--backend",
                               "sim:" + os.path.join(folder, "many.scenario"), "--socket", os.path.join(folder, "sock"),
                               "--database", os.path.join(folder, "db")]) as daemon:
            try:
                measure(folder)
            finally:
                daemon.terminate()
                daemon.wait()
                subprocess.run([os.path.join(BUILD, "sim", "xenmem-sim"), "stop", os.path.join(folder, "many.scenario")],
                               check=False)


if __name__ == "__main__":
    main()
