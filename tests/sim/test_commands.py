# SPDX-License-Identifier: GPL-2.0-or-later
"""xenmem-sim run and replay as they are typed: JSON, pages, the progress bar, and what is wrong in a file."""

import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SRC = os.environ.get("XENMEM_SRC", ".")
sys.path.insert(0, os.path.join(SRC, "tests", "e2e"))
from host import LIMIT_S, XENMEM_SIM, run as run_tests  # noqa: E402

TRACE = "vm,timestamp_s,provisioned_kib,used_kib\n" + "".join(
    f"{vm},{i * 300},4194304,{1048576 * (1 + (i + shift) % 3)}\n"
    for vm, shift in (("a", 0), ("b<1>", 1), ("c", 2)) for i in range(20))
SCENARIO = """[host]
size = 4g
dom0 = 512m
[vm a]
memory = 2g
maxmem = 3g
demand = step 0:600m 30s:2500m
[vm b]
memory = 1g
demand = 300m
[expect at 90s]
a = assigned >= 2500m
"""
FIGURES = {"unmet_fraction", "unmet_gib_h", "worst_vm_unmet_fraction", "moved_gib_per_hour", "changes_per_vm_hour",
           "minimum_violations", "invariant_violations"}


class Folder:
    def __enter__(self):
        self.held = tempfile.TemporaryDirectory(prefix="xenmem-sim-test-")
        self.path = self.held.name
        return self

    def __exit__(self, *_):
        self.held.cleanup()

    def write(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, name):
        with open(os.path.join(self.path, name), encoding="utf-8") as file:
            return file.read()

    def names(self):
        return sorted(os.listdir(self.path))


def sim(*arguments):
    return subprocess.run([XENMEM_SIM, *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False)


def sim_json(*arguments):
    done = sim(*arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(what, *arguments):
    done = sim(*arguments)
    assert done.returncode == 2, f"{arguments}: {done.returncode} {done.stderr}"
    assert done.stdout == "", f"a partial result: {done.stdout}"
    assert len(done.stderr.splitlines()) == 1 and what in done.stderr, f"'{done.stderr}' does not say '{what}'"


def check_page(page, *texts):
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
    assert "http" not in page and "src=" not in page, "it needs nothing but itself"
    for text in texts:
        assert text in page, f"no {text} in the page"
    plots = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    for plot in plots:
        xml.etree.ElementTree.fromstring(plot)
        assert "nan" not in plot and "inf" not in plot
    return len(plots)


def test_replay_is_an_array_with_an_object_a_policy():
    with Folder() as folder:
        rows = sim_json("replay", folder.write("t.csv", TRACE), "--density", "2")
        assert [row["policy"] for row in rows] == ["xenmem", "static", "proportional"]
        for row in rows:
            assert FIGURES <= set(row) and row["density"] == 2
            assert 0 <= row["unmet_fraction"] < 1 and row["minimum_violations"] == 0
        assert rows[1]["moved_gib_per_hour"] == 0 and rows[1]["changes_per_vm_hour"] == 0
        assert [row["policy"] for row in sim_json("replay", folder.write("t.csv", TRACE), "--policy", "static")] == ["static"]


def test_run_has_the_same_figures():
    with Folder() as folder:
        (row,) = sim_json("run", folder.write("s.scenario", SCENARIO), "--for", "2m")
        assert FIGURES <= set(row)
        assert (row["policy"], row["seconds"], row["vms"]) == ("xenmem", 120, 2)
        assert (row["expectations"], row["expectations_met"]) == (1, 1)


def test_the_table_of_a_run_says_what_the_json_says():
    with Folder() as folder:
        done = sim("run", folder.write("s.scenario", SCENARIO), "--for", "2m")
        assert done.returncode == 0 and done.stderr == ""
        assert re.search(r"^ran +120 s of simulated time, 120 passes, 2 VMs$", done.stdout, re.MULTILINE), done.stdout
        assert re.search(r"^expectations met +1 of 1$", done.stdout, re.MULTILINE)
        done = sim("run", folder.path + "/s.scenario", "--for", "10s")
        assert re.search(r"^expectations met +0 of 0; 1 come after the end$", done.stdout, re.MULTILINE), done.stdout


def test_what_was_not_met_is_exit_1_and_a_line_each():
    with Folder() as folder:
        path = folder.write("s.scenario", SCENARIO + "b = assigned = 2g\n")
        done = sim("run", path)
        assert done.returncode == 1
        assert f"{path}:13: at 90s b was to have assigned = 2g; it has " in done.stderr, done.stderr
        assert "1 of 2 expectations were not met" in done.stderr.splitlines()[-1]


def test_a_report_is_one_whole_page():
    with Folder() as folder:
        page = os.path.join(folder.path, "page.html")
        trace = folder.write("t.csv", TRACE)
        assert sim("replay", trace, "--report", page).returncode == 0
        assert check_page(folder.read("page.html"), "xenmem", "static", "proportional", "b&#60;1&#62;") == 9
        assert sim("run", folder.write("s.scenario", SCENARIO), "--report", page).returncode == 0
        assert check_page(folder.read("page.html"), "s.scenario", "Assigned, stacked by VM") == 3
        assert folder.names() == ["page.html", "s.scenario", "t.csv"], "nothing is left beside it"


def test_a_report_that_cannot_be_written_is_named():
    with Folder() as folder:
        done = sim("run", folder.write("s.scenario", SCENARIO), "--report", folder.path + "/none/page.html")
        assert done.returncode == 1 and done.stdout == "" and "none/page.html" in done.stderr, done.stderr


def test_a_report_takes_no_place_but_that_of_a_plain_file():
    with Folder() as folder:
        scenario = folder.write("s.scenario", SCENARIO)
        fifo, link = os.path.join(folder.path, "fifo"), os.path.join(folder.path, "link")
        os.mkfifo(fifo)
        os.symlink(folder.write("old.html", "old"), link)
        for path in (fifo, link, folder.path):
            refused("no plain file", "run", scenario, "--report", path)
        assert os.path.islink(link) and folder.names() == ["fifo", "link", "old.html", "s.scenario"]


def test_a_reserve_must_leave_something_of_a_host():
    with Folder() as folder:
        trace = folder.write("t.csv", TRACE)
        refused("a reserve of 8 GiB leaves nothing of a host of 8 GiB", "replay", trace, "--host", "reserve=8g")
        refused("a host of 2.67 GiB", "replay", trace, "--host", "reserve=5g", "--group", "1")
        assert sim("replay", trace, "--host", "reserve=1g").returncode == 0


def on_terminal(*command):
    """What a command writes to a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                got = os.read(ours, 4096)
            except OSError:
                break
            if not got:
                break
            seen += got
        assert process.wait(LIMIT_S) == 0
    os.close(ours)
    return seen.decode()


def test_a_progress_bar_is_shown_on_a_terminal_and_taken_away():
    with Folder() as folder:
        for command, file in (("replay", folder.write("t.csv", TRACE)), ("run", folder.write("s.scenario", SCENARIO))):
            seen = on_terminal(XENMEM_SIM, command, file)
            shown = [int(part) for part in re.findall(r"\] +(\d+)%", seen)]
            assert shown and shown == sorted(shown) and shown[-1] <= 100, seen
            assert re.search(r"\r +\r$", seen), repr(seen[-80:])
            assert sim(command, file).stderr == "", "and nowhere else"


def test_random_hosts_of_the_property_tests_are_scenarios():
    properties = os.path.join(os.environ.get("XENMEM_BUILD", "."), "tests", "core", "test_properties")
    too_large = 0
    with Folder() as folder:
        for seed in range(1, 31):
            shown = subprocess.run([properties], env=dict(os.environ, XENMEM_PROPERTY_SHOW=str(seed)),
                                   capture_output=True, text=True, timeout=LIMIT_S, check=True)
            done = sim("run", folder.write("s.scenario", shown.stdout), "--for", "20s")
            too_large += "TiB are wanted" in done.stderr  # a host has 1 PiB at most
            assert done.returncode == 0 or "TiB are wanted" in done.stderr, f"seed {seed}: {done.stderr}"
    assert too_large < 10, too_large


def test_wrong_lines_are_named_and_nothing_is_shown():
    lines = TRACE.splitlines(keepends=True)
    traces = {
        "used_kib": "vm,timestamp_s,provisioned_kib\na,0,1\n",
        ":4: ": "".join(lines[:3]) + "a,900,4194304,1\n",
        ":3: ": "".join(lines[:2]) + "a,0,4194304,1\n",
        ":2: ": lines[0] + "a,zero,4194304,1\n",
    }
    scenarios = {
        ":2: ": "[host]\nsize = 100000000000000000000\n",
        ":3: ": "[vm a]\nmemory = 1g\ndemand = step 60s:1g 30s:2g\n",
        ":5: ": "[vm a]\nmemory = 1g\n[at 10s]\ndemand = a 1g\nset = a minimum=much\n",
    }
    with Folder() as folder:
        for what, text in traces.items():
            refused(what, "replay", folder.write("t.csv", text))
        for what, text in scenarios.items():
            refused(what, "run", folder.write("s.scenario", text))
        refused("no-such", "run", folder.path + "/no-such")
        refused("8hh", "run", folder.write("s.scenario", SCENARIO), "--for", "8hh")
        refused("xml", "run", folder.write("s.scenario", SCENARIO), "--format", "xml")
        refused("one scenario", "run")


if __name__ == "__main__":
    run_tests(globals())
