# SPDX-License-Identifier: GPL-2.0-or-later
"""Metrics, as text, over HTTP on loopback, and in a real Prometheus."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from host import GIB, LIMIT_S, MIB, XENMEMCTL, XENMEMD, Host, free_port, run, until

SRC = os.environ.get("XENMEM_SRC", ".")
PROMETHEUS = os.path.join(SRC, "etc", "prometheus")
ONE = "[host]\nsize = 6g\ndom0 = 1g\n\n[vm busy]\nmemory = 2g\nmaxmem = 4g\ndemand = 1g\n"
MANAGED = "[vm *]\nmode = dynamic\nminimum = 256m\n"
TCP_BUFFER = 4 << 20


def samples(text):
    """Every sample by its name with labels; each line must be one, or belong to a family."""
    found, family = {}, None
    lines = text.splitlines()
    assert lines.pop() == "# EOF", text[-200:]
    for line in lines:
        if line.startswith("# "):
            _, kind, name = line.split(" ", 3)[:3]
            assert kind in ("TYPE", "UNIT", "HELP"), line
            assert kind == "TYPE" or name == family, f"{line}: not of the family {family}"
            family = name
            continue
        match = re.fullmatch(r'([a-z0-9_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.]+)', line)
        assert match and match[1].startswith(family), line
        assert match[1] + (match[2] or "") not in found, f"twice: {line}"
        found[match[1] + (match[2] or "")] = float(match[3])
    return found


def test_metrics_tell_what_the_other_commands_tell():
    with Host(ONE, MANAGED) as host:
        host.settle()
        seen = samples(host.do("metrics"))
        assert seen["xenmem_host_physical_memory_bytes"] == 6 * GIB * 1024
        assert seen['xenmem_vm_physical_memory_bytes{vm="busy"}'] == host.vm("busy")["assigned_kib"] * 1024
        assert seen["xenmem_host_simulated"] == 1 and seen["xenmem_passes_total"] >= 1
        assert seen['xenmem_loop_lag_seconds_bucket{le="+Inf"}'] == seen["xenmem_loop_lag_seconds_count"]


def test_memory_that_was_added_is_counted():
    with Host(ONE, MANAGED) as host:
        host.settle()
        host.xl("demand", "busy", "2600m")
        until("busy has what it needs", lambda: host.vm("busy")["assigned_kib"] >= 2600 * MIB)
        seen = samples(host.do("metrics"))
        assert seen['xenmem_vm_added_memory_bytes_total{vm="busy"}'] >= 500 * MIB * 1024, seen
        assert seen['xenmem_vm_add_operations_total{vm="busy"}'] >= 1


def test_promtool_can_read_them():
    assert shutil.which("promtool"), "promtool is missing: install the package prometheus"
    with Host(ONE, MANAGED) as host:
        text = host.do("metrics")
    # It knows Prometheus' older text only, in which a counter's family ends with _total, too.
    text = re.sub(r"# (TYPE|HELP) (\S+) counter\n", r"# \1 \2_total counter\n", text)
    counters = re.findall(r"# TYPE (\S+)_total counter", text)
    for name in counters:
        text = text.replace(f"# HELP {name} ", f"# HELP {name}_total ")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_rules_hold_for_promtool_and_use_metrics_that_there_are():
    with Host(ONE, MANAGED) as host:
        names = {re.sub(r"\{.*", "", name) for name in samples(host.do("metrics"))}
    for file in ("xenmem.rules.yml", "xenmem.dashboard.json"):
        with open(os.path.join(PROMETHEUS, file), encoding="utf-8") as text:
            used = set(re.findall(r"\bxenmem_[a-z0-9_]+\b", text.read()))
        assert used and used <= names | {"xenmem_vm_current_pressure_ratio"}, (file, used - names)
    with open(os.path.join(PROMETHEUS, "xenmem.dashboard.json"), encoding="utf-8") as text:
        assert len(json.load(text)["panels"]) >= 8
    assert shutil.which("promtool"), "promtool is missing: install the package prometheus"
    for command in (["check", "rules", "xenmem.rules.yml"], ["test", "rules", "xenmem.rules.test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_textfile_collectors_unit_writes_a_whole_file():
    """What the unit's ExecStart does, in a folder as the node exporter's."""
    with open(os.path.join(os.environ.get("XENMEM_BUILD", "."), "etc", "systemd", "xenmem-textfile.service"),
              encoding="utf-8") as unit:
        command = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", unit.read(), re.M)[1]
    with Host(ONE, MANAGED) as host:
        command = re.sub(r"\S*/xenmemctl", f"{XENMEMCTL} --socket {host.socket}", command)
        done = subprocess.run(["/bin/sh", "-c", command], cwd=host.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        with open(host.path("xenmem.prom"), encoding="utf-8") as text:
            assert samples(text.read())["xenmem_host_vms"] == 1
        host.stop()
        assert subprocess.run(["/bin/sh", "-c", command], cwd=host.folder, capture_output=True, check=False).returncode
        assert os.path.exists(host.path("xenmem.prom")), "the last whole one stays"


def fetch(url):
    with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_the_listener_serves_metrics_and_nothing_else():
    port = free_port()
    with Host(ONE, MANAGED + f"[daemon]\nmetrics-listen = 127.0.0.1:{port}\n") as host:
        kind, text = fetch(f"http://127.0.0.1:{port}/metrics")
        assert kind.startswith("application/openmetrics-text")
        assert samples(text)["xenmem_host_vms"] == 1
        try:
            fetch(f"http://127.0.0.1:{port}/etc/passwd")
            raise AssertionError("it serves something else")
        except urllib.error.HTTPError as error:
            assert error.code == 404
        second = host.run(XENMEMD, "-c", host.config, "--backend", "sim:" + host.scenario, "--socket",
                          host.path("second.sock"), "--database", host.path("second.db"))
        assert second.returncode == 1 and f"127.0.0.1:{port} (metrics-listen): Address already in use" in second.stderr
        assert host.answers()


def cut_after(port, request):
    """A byte at a time, well within any limit between two of them: what came back until the end."""
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as peer:
        try:
            for byte in request:
                peer.sendall(bytes([byte]))
                time.sleep(0.1)  # it is the pace that is tested
        except OSError:
            return b""
        return peer.recv(4096)


def test_one_who_asks_a_byte_at_a_time_is_cut():
    port = free_port()
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Host(ONE, MANAGED + f"[daemon]\nmetrics-listen = 127.0.0.1:{port}\n[limits]\nline-time = 1s\n") as host:
        assert cut_after(port, request) == b""
        assert fetch(f"http://127.0.0.1:{port}/metrics") and host.answers()


def test_one_who_reads_a_byte_at_a_time_is_cut():
    port = free_port()
    known = "".join(f"[vm {'x' * 240}{i}]\npriority = 7\n" for i in range(3000))
    with Host(ONE) as host:
        host.do("import", host.write("known", known))
        assert len(host.do("metrics")) > 2 * TCP_BUFFER, "more than the system holds for one who does not read"
        host.stop()
        host.write("xenmemd.conf", f"[daemon]\nmetrics-listen = 127.0.0.1:{port}\n[limits]\nread-time = 1s\n")
        host.start()
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.settimeout(LIMIT_S)
            peer.connect(("127.0.0.1", port))
            peer.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            for _ in range(30):
                peer.recv(4096)
                time.sleep(0.1)  # it is the pace that is tested
            read, whole = 0, False
            try:
                while more := peer.recv(1 << 20):
                    read += len(more)
                    whole = more.endswith(b"# EOF\n")
            except ConnectionResetError:
                whole = False
            assert not whole, f"it had {read} bytes more"
        assert host.answers()


def test_only_loopback_can_be_listened_at():
    with Host(ONE) as host:
        for address in ("0.0.0.0:9177", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "localhost:9177", "[::]:1"):
            file = host.write("bad.conf", f"[daemon]\nmetrics-listen = {address}\n")
            done = host.run(XENMEMD, "-c", file, "--check-config")
            assert done.returncode == 2 and "bad.conf:2: metrics-listen: " in done.stderr, (address, done.stderr)


def query(port, expression):
    _, text = fetch(f"http://127.0.0.1:{port}/api/v1/query?query=" + urllib.parse.quote(expression))
    return json.loads(text)["data"]["result"]


def test_a_real_prometheus_scrapes_a_host_of_a_hundred_vms():
    assert shutil.which("prometheus"), "prometheus is missing: install the package of that name"
    many = "[host]\nsize = 120g\ndom0 = 1g\n" + "".join(
        f"[vm vm{i}]\nmemory = 768m\nmaxmem = 2g\ndemand = 500m\n" for i in range(100))
    port, own = free_port(), free_port()
    with Host(many, MANAGED + f"[daemon]\nmetrics-listen = 127.0.0.1:{port}\n") as host:
        config = host.write("prometheus.yml", f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{os.path.abspath(PROMETHEUS)}/xenmem.rules.yml"]
scrape_configs:
  - job_name: xenmem
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
""")
        with open(host.path("prometheus.log"), "w", encoding="utf-8") as log:
            server = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={host.path('tsdb')}",
                 f"--web.listen-address=127.0.0.1:{own}"], stdout=log, stderr=log)
        try:
            until("it answers", lambda: not server.poll() and ready(own))
            until("it has all VMs", lambda: len(query(own, "xenmem_vm_physical_memory_bytes")) == 100)
            assert query(own, 'up{job="xenmem"}')[0]["value"][1] == "1"
            assert query(own, "xenmem_host_physical_memory_bytes")[0]["value"][1] == str(120 * GIB * 1024)
            assert query(own, "xenmem_passes_total"), "counters are there by their OpenMetrics names"
        finally:
            server.terminate()
            server.wait(LIMIT_S)


def ready(port):
    try:
        return fetch(f"http://127.0.0.1:{port}/-/ready")
    except OSError:
        return None


if __name__ == "__main__":
    run(globals())
