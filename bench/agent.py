#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What xenmem-agent takes of a guest, shared and static: resident memory, and CPU time over some
seconds in which there is something to say at every look.

usage: agent.py [SECONDS]
"""

import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("XENMEM_SRC", "."), "tests", "agent"))
import test_agent  # pylint: disable=import-error,wrong-import-position

BUILD = os.environ.get("XENMEM_BUILD", ".")
TICKS = os.sysconf("SC_CLK_TCK")


def sizes(pid):
    """VmRSS and its parts in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        lines = (line.split() for line in status)
        return {words[0].rstrip(":"): int(words[1]) for words in lines
                if words[0] in ("VmRSS:", "RssAnon:", "RssFile:")}


def cpu_ms(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def measure(program, seconds):
    test_agent.AGENT = os.path.join(BUILD, "agent", program)
    if not os.access(test_agent.AGENT, os.X_OK):
        print(f"{program:22} not measured: make agent/{program}")
        return
    with tempfile.TemporaryDirectory(prefix="xenmem-bench-") as folder:
        world = test_agent.World(folder)
        try:
            world.start("--interval", "100ms")
            world.report()
            begin = cpu_ms(world.agent.pid)
            for turn in range(seconds * 10):
                world.memory(available=600000 - turn % 2 * 200000)
                time.sleep(0.1)
            spent = cpu_ms(world.agent.pid) - begin
            size = sizes(world.agent.pid)
            print(f"{program:22} {size['VmRSS']:6} KiB resident (its own {size['RssAnon']}, "
                  f"of files {size['RssFile']}); {spent / seconds:.1f} ms CPU a second "
                  "at ten looks and ten reports a second")
        finally:
            world.end()


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for program in ("xenmem-agent", "xenmem-agent-static"):
        measure(program, seconds)


if __name__ == "__main__":
    main()
