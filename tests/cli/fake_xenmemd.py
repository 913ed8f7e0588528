# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that speaks the wire by heart, well or badly.

fake_xenmemd.py SOCKET BEHAVIOUR: listens at SOCKET, prints "ready", and serves one client after
another until it is killed. BEHAVIOUR is "good", or one of the functions bad_... below.
"""

import json
import os
import socket
import sys
import time

VM = {
    "name": "web1", "id": 3, "state": "running", "assigned_kib": 1572864, "demand_kib": 1258292,
    "pressure": 96, "status": "ok", "target_kib": 1572864, "minimum_kib": 524288,
    "startup_kib": 1048576, "maximum_kib": 4194304, "buffer_percent": 20, "priority": 70,
    "mode": "dynamic", "trust": False, "overridden": False, "reason": "grow-demand",
}
DETAILS = {
    "uuid": "0f8d2c4e-1b7a-4d53-9c6e-2a1b3c4d5e6f",
    "reason_text": "its need, with its buffer, is more than it has",
    "need_kib": 1258291, "wanted_kib": 1509950, "goal_kib": 1572864, "lowest_kib": 524288, "cap_kib": 1573888,
    "static_max_kib": 4194304, "offset_kib": -24, "source": "agent", "fresh": True,
    "report_age_ms": 400, "available_kib": 314572, "swap_used_kib": 0, "cache_kib": 209715,
    "floor_kib": 180224, "psi_some": 1250, "psi_full": 0, "oom_kills": 0,
}
OFF = {
    **VM, "name": "dürer-日本", "id": None, "state": "off", "assigned_kib": None, "demand_kib": None,
    "pressure": None, "status": "unknown", "target_kib": None, "reason": None,
}
BY_HAND = {**VM, "name": "a-vm-with-a-name-that-is-rather-long", "id": 12, "overridden": True,
           "pressure": 120, "status": "warning", "reason": "override"}
# What a guest that is not to be trusted would like to see on a terminal.
HOSTILE = {**VM, "name": "evil\x1b[2J\x07\u009b1m\u202e,\"x\"", "id": 13}
HOST = {
    "backend": "simulated", "simulated": True, "total_kib": 33554432, "free_kib": 9437184,
    "reserve_kib": 1048576, "headroom_kib": 1048576, "reserved_kib": 0, "claimed_kib": 0,
    "promised_kib": 1048576, "available_kib": 7340032, "dom0_kib": 2097152,
    "assigned_kib": 20971520, "demand_kib": 16043213, "shared_kib": 0, "vms": 12, "managed": 10,
    "action": "balance", "surplus": "keep", "settled": True, "invariant_broken": False,
    "nodes": [{"total_kib": 16777216, "free_kib": 4194304},
              {"total_kib": 16777216, "free_kib": 5242880}],
}
EVENTS = [
    {"id": 1, "time_ms": 1735689600000, "event": "vm-appeared", "vm": "web1", "domid": 3,
     "uid": None, "reason": None, "detail": "assigned=1572864k"},
    {"id": 2, "time_ms": 1735689601000, "event": "settings-changed", "vm": "web1", "domid": None,
     "uid": 1000, "reason": None, "detail": "minimum=512m\u001b]0;pwned\u0007"},
    {"id": 3, "time_ms": 1735689602000, "event": "host-low", "vm": None, "domid": None,
     "uid": None, "reason": None, "detail": "free=10m"},
]
CODES = {"invalid": -32002, "no-memory": -32003, "not-found": -32004, "denied": -32006,
         "busy": -32008}


class Refusal(Exception):
    """name and message of an error."""


def find_vm(params):
    if params["name"] != "web1":
        raise Refusal("not-found", f"there is no VM named '{params['name']}'")
    return {**VM, **DETAILS}


def set_vm(params):
    if params["settings"].get("minimum") == "9g":
        raise Refusal("invalid", "minimum 9 GiB is above maximum 4 GiB")
    if params["settings"].get("maximum") == "900g":
        raise Refusal("no-memory", "this host has 32 GiB")
    if params["settings"].get("priority") == "99":
        raise Refusal("denied", "vm.set needs the right to admin")
    return {"vm": {**VM, **DETAILS, "name": params["name"]},
            "warnings": ["asked: " + json.dumps(params, sort_keys=True)]}


def list_events(params):
    return [event for event in EVENTS if event["id"] > params.get("after_id", 0)
            and event["time_ms"] >= params.get("since_ms", 0)
            and params.get("vm") in (None, event["vm"])][-params.get("limit", 1000):]


METHODS = {
    "host.get": lambda params: HOST,
    "vm.list": lambda params: [VM, OFF, BY_HAND, HOSTILE],
    "vm.get": find_vm,
    "vm.set": set_vm,
    "vm.forget": lambda params: find_vm(params) and {},
    "balance": lambda params: {"settled": True, "actions": 4, "overrides_cleared":
                               1 if params.get("clear_overrides") else 0},
    "events": list_events,
}


def say(client, message):
    client.sendall(json.dumps(message, ensure_ascii=False).encode() + b"\n")


def hello(protocol=1):
    return {"jsonrpc": "2.0", "method": "hello", "params": {
        "protocol": protocol, "server": "xenmemd 0.0.9", "simulated": True, "features": ["events"]}}


def answer(request):
    reply = {"jsonrpc": "2.0", "id": request["id"]}
    try:
        reply["result"] = METHODS[request["method"]](request.get("params", {}))
    except Refusal as refusal:
        name, message = refusal.args
        reply["error"] = {"code": CODES[name], "message": message, "data": {"name": name}}
    return reply


def good(client):
    say(client, hello())
    for line in client.makefile("r", encoding="utf-8"):
        request = json.loads(line)
        say(client, answer(request))
        if request.get("params", {}).get("follow"):
            say(client, {"jsonrpc": "2.0", "method": "event", "params": EVENTS[2]})
            say(client, {"jsonrpc": "2.0", "method": "event", "params": {
                **EVENTS[0], "id": 4, "event": "vm-gone"}})
            return


def bad_garbage(client):
    client.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


def bad_version(client):
    say(client, hello(protocol=2))


def bad_silence(client):
    client.recv(1)
    time.sleep(60)


def bad_close(client):
    pass


def bad_busy(client):
    say(client, {"jsonrpc": "2.0", "id": None, "error": {
        "code": -32008, "message": "xenmemd has 1024 clients already", "data": {"name": "busy"}}})


def bad_half(client):
    say(client, hello())
    client.recv(65536)
    client.sendall(b'{"jsonrpc":"2.0","id":1,"result":[{"na')


def bad_endless(client):
    say(client, hello())
    client.recv(65536)
    try:
        for _ in range(100):
            client.sendall(b"x" * 1048576)
    except OSError:
        pass


def bad_deep(client):
    say(client, hello())
    client.recv(65536)
    client.sendall(b"[" * 10000 + b"\n")


def bad_lost(client):
    say(client, hello())
    client.recv(65536)
    say(client, {"jsonrpc": "2.0", "id": 77, "result": []})
    time.sleep(60)


def bad_slow(client):
    """Told so, and cut."""
    say(client, hello())
    client.recv(65536)
    say(client, {"jsonrpc": "2.0", "id": 1, "result": []})
    say(client, {"jsonrpc": "2.0", "method": "too-slow", "params": {"limit_bytes": 1048576}})


def main():
    path, behaviour = sys.argv[1:]
    serve = globals()[behaviour]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            client, _ = listener.accept()
            with client:
                try:
                    serve(client)
                except OSError:
                    pass


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        os._exit(0)
