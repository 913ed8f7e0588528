# SPDX-License-Identifier: GPL-2.0-or-later
"""What guests tell, in whose words, and what follows for those that cannot follow."""

import re
import time

from host import GIB, MIB, Host, run, until

GUESTS = """
[host]
size = 8g
dom0 = 1g

[vm ours]
memory = 1g
maxmem = 2g
demand = 500m

[vm qubes]
memory = 1g
maxmem = 2g
demand = 500m
agent = qubes

[vm xenserver]
memory = 1g
maxmem = 2g
demand = 500m
agent = xenserver

[vm silent]
memory = 1g
maxmem = 2g
demand = 500m
agent = none
"""

# Nothing to spare: what needy gets, somebody gives.
ROCK = """
[host]
size = 4300m
dom0 = 1g

[vm rock]
memory = 1536m
maxmem = 2g
demand = 300m
agent = qubes
balloon = {balloon}

[vm needy]
memory = 1536m
maxmem = 3g
demand = 500m
"""

MANAGED = "[vm *]\nmode = dynamic\nminimum = 256m\n"


def test_show_says_in_whose_words_a_guest_tells_its_need():
    with Host(GUESTS, MANAGED) as host:
        for name, source in {"ours": "agent", "qubes": "qubes", "xenserver": "xenserver", "silent": "none"}.items():
            until(f"{name} tells as {source}", lambda: host.vm(name)["source"] == source)
            assert (host.vm(name)["demand_kib"] is None) == (source == "none"), host.vm(name)
        for name in ("ours", "qubes", "xenserver"):
            demand = host.vm(name)["demand_kib"]
            assert 450 * MIB <= demand <= 600 * MIB, f"{name}: {demand}"


def lowest_target_of_rock(balloon):
    """While needy asks for more than there is without it."""
    with Host(ROCK.format(balloon=balloon), MANAGED) as host:
        host.settle()
        host.xl("demand", "needy", "2500m")
        if balloon == "yes":
            until("rock gives", lambda: host.vm("rock")["target_kib"] < 1400 * MIB)
        else:
            until("rock is found out", lambda: host.events("vm-unresponsive", "rock"))
        return min([int(action["detail"].split("to_kib=")[1].split()[0])
                    for action in host.actions() if action["vm"] == "rock"] + [1536 * MIB])


def test_one_without_a_driver_is_never_lowered_beyond_the_step_that_tells():
    assert lowest_target_of_rock("no") >= 1534 * MIB
    assert lowest_target_of_rock("yes") < 1534 * MIB


WIDE = """
[host]
size = 8g
dom0 = 1g

[vm wide]
type = {kind}
memory = 256m
maxmem = 4g
demand = 100m
"""


def warnings_about_growth(host, *settings):
    return [text for text in host.json("set", "wide", *settings)["warnings"] if "ten times" in text]


def test_set_warns_where_pv_linux_cannot_grow_so_far():
    with Host(WIDE.format(kind="pv"), MANAGED) as host:
        assert warnings_about_growth(host, "startup=256m", "maximum=3g")
        assert host.vm("wide")["maximum_kib"] == 3 * GIB, "it is a warning, no more"
        assert not warnings_about_growth(host, "startup=256m", "maximum=2560m")
    with Host(WIDE.format(kind="hvm"), MANAGED) as host:
        assert not warnings_about_growth(host, "startup=256m", "maximum=3g")


FLOOD = """
[host]
size = 4g
dom0 = 1g

[vm liar]
memory = 512m
maxmem = 1g
demand = 300m
agent = replays
report-every = 1ms
"""


def passes(host):
    """How often the daemon has looked at the host."""
    return int(re.search(r"^xenmem_passes_total (\d+)$", host.do("metrics"), re.M)[1])


def seconds_for_looks(host, count):
    """How long it takes until the host was looked at so many times more."""
    before, began = passes(host), time.monotonic()
    until(f"{count} looks", lambda: passes(host) >= before + count)
    return time.monotonic() - began


def test_a_thousand_reports_a_second_cost_no_more_looks_than_one():
    with Host(FLOOD, MANAGED) as host:
        until("the flood is heard", lambda: host.vm("liar")["source"] == "agent")
        seconds_for_looks(host, 5)  # by then it is listened to no more
        assert seconds_for_looks(host, 6) >= 5


if __name__ == "__main__":
    run(globals())
