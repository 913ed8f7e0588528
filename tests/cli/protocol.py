#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/protocol.md: its client works as it stands, and it names all that goes over the wire."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

SRC = os.environ.get("XENMEM_SRC", ".")
LIMIT_S = 60


def read(*names):
    with open(os.path.join(SRC, *names), encoding="utf-8") as file:
        return file.read()


PAGE = read("docs", "protocol.md")


class Server:
    """The server that answers by heart; its socket is .path."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, "socket")
        script = os.path.join(SRC, "tests", "cli", "fake_xenmemd.py")
        self.process = subprocess.Popen([sys.executable, script, self.path, "good"], stdout=subprocess.PIPE)
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder)

    def run(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def client():
    return re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1)


def test_its_client_is_short():
    lines = [line for line in client().splitlines() if line.strip()]
    assert len(lines) <= 20, f"{len(lines)} lines"


def test_its_client_works():
    with Server() as server:
        done = server.run(sys.executable, "-c", client(), server.path)
        assert done.returncode == 0, done.stderr
        assert "web1 1572864\n" in done.stdout, done.stdout


def test_its_shell_example_works():
    if not shutil.which("socat"):
        print("   (socat is not installed)")
        return
    example = re.search(r"\n    (echo .*?\n.*?)\n", PAGE).group(1)
    with Server() as server:
        done = server.run("sh", "-c", example.replace("/run/xenmem/xenmemd.sock", server.path))
        assert '"total_kib"' in done.stdout, (done.stdout, done.stderr)


def assert_named(names, kind):
    missing = [name for name in names if f"`{name}`" not in PAGE and f"### {name} " not in PAGE]
    assert names and not missing, f"{kind} that it does not name: {missing}"


def test_it_names_every_method_with_its_access():
    rows = re.findall(r'\{"([a-z.]+)", ACCESS_([A-Z]+), [a-z_]+\}', read("daemon", "methods", "methods.c"))
    missing = [name for name, access in rows if f"### {name} ({access.lower()})\n" not in PAGE]
    assert rows and not missing, missing


def test_it_names_every_parameter():
    files = sorted(os.listdir(os.path.join(SRC, "daemon", "methods")))
    sources = "".join(read("daemon", "methods", name) for name in files)
    assert_named(re.findall(r'\{"([a-z_]+)", PROTO_', sources), "parameters")


def test_it_names_every_member():
    assert_named(re.findall(r'(?:put_|_begin\()[^;]*?"([a-z0-9_]+)"', read("proto", "records.c")), "members")


def test_it_names_every_error():
    names = re.findall(r'\[ERR_[A-Z_]+\] = "([a-z-]+)"', read("base", "err.c"))
    assert_named([name for name in names if name != "none"], "errors")


def main():
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            passed += 1
        except AssertionError as error:
            failed += 1
            print(f"FAILED {name}: {error}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
