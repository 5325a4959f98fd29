#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: a 3-node cluster on this machine that carries a real application, shown, verified and removed.

Everything is done with the commands a user has (`weft lab …`, `weft verify`). A step that fails ends the demo
with exit 1, after the lab has been taken down.
"""
import contextlib
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import tempfile
import time

from residue import residue

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEFT = os.environ.get("WEFT", str(ROOT / "build/bin/weft"))
MANIFEST = ROOT / "deploy/examples/guestbook.yaml"
LAB = "demo" + secrets.token_hex(2)
PATIENCE = 10.0 if os.environ.get("WEFT_VM") else 1.0

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else str(text)


def bold(text): return paint("1", text)
def dim(text): return paint("2", text)
def green(text): return paint("32", text)
def red(text): return paint("1;31", text)
def cyan(text): return paint("36", text)


class Failed(Exception):
    pass


def command(*words, check=True):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}".rstrip())
    return done


def lab(verb, *words, check=True):
    return command(WEFT, "lab", verb, "--name", LAB, *words, check=check)


def status():
    return json.loads(lab("status", "-o", "json").stdout)


def in_pod(pod, *words):
    done = lab("exec", pod, "--", *words, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def table(header, rows):
    """Columns as wide as their widest cell; the last one is free."""
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    print("   " + dim("  ".join(str(cell).ljust(width) for cell, width in zip(header, widths)).rstrip()))
    for row in rows:
        cells = [str(cell).ljust(width) for cell, width in zip(row, widths)]
        print("   " + "  ".join(tint(cell) for cell in cells).rstrip())


def tint(cell):
    return green(cell) if cell.startswith("ok") else red(cell) if cell.startswith("FAILED") else cell


@contextlib.contextmanager
def step(number, title):
    print(f"\n{bold(cyan(number))} {bold(title)}", flush=True)
    start = time.monotonic()
    yield
    print(dim(f"   {time.monotonic() - start:.1f} s"), flush=True)


def poll(what, condition, deadline):
    end = time.monotonic() + deadline * PATIENCE
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failed(f"not within {deadline * PATIENCE:g} s: {what() if callable(what) else what}")
        time.sleep(0.05)
    return value


def workload(pod):
    """A pod's Deployment: its name without what makes the replica's name its own."""
    return pod["labels"].get("app", pod["name"]) + "".join(
        f"/{pod['labels'][key]}" for key in ("role",) if key in pod["labels"])


def readiness():
    groups = {}
    for pod in status()["pods"]:
        groups.setdefault(workload(pod), []).append(pod["ready"])
    return groups


def wait_until_ready(deadline=30):
    shown = ""

    def progressed():
        nonlocal shown
        groups = readiness()
        line = "   " + "   ".join(f"{name} {sum(ready)}/{len(ready)}" for name, ready in sorted(groups.items()))
        if line != shown:
            print(("\r\x1b[K" if COLOUR else "") + line, end="" if COLOUR else "\n", flush=True)
            shown = line
        return bool(groups) and all(all(ready) for ready in groups.values())

    poll("every pod is ready", progressed, deadline)
    if COLOUR:
        print()


def add_clients(nodes):
    """A pod on every node that does nothing: the place to ask from."""
    pods = [{"apiVersion": "v1", "kind": "Pod",
             "metadata": {"name": f"client-{node}", "namespace": "default", "labels": {"app": "client"}},
             "spec": {"nodeName": node, "containers": [
                 {"name": "shell", "image": "debian", "command": ["sleep", "infinity"]}]}} for node in nodes]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": pods}, file)
        file.flush()
        lab("apply", "-f", file.name)


def answers(client, address, port):
    """How a Service answers: redis says PONG, a web server sends a page. None: it does not."""
    if port == 6379:
        return "PONG" if in_pod(client, "timeout", "3", "redis-cli", "-h", address, "ping") == "PONG" else None
    host = f"[{address}]" if ":" in address else address
    code = in_pod(client, "curl", "-s", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}", f"http://{host}:{port}/")
    return f"HTTP {code}" if code == "200" else None


def services_answer(nodes):
    rows, good = [], True
    for service in status()["services"]:
        for address in service["clusterIPs"]:
            for port in service["ports"]:
                said = [answers(f"client-{node}", address, port["port"]) for node in nodes]
                good = good and all(said)
                rows.append([service["name"], f"{address} port {port['port']}",
                             *[f"ok {text}" if text else "FAILED" for text in said]])
    if not rows:
        raise Failed("the manifest has no Services")
    table(["Service", "address", *[f"from {node}" for node in nodes]], rows)
    if not good:
        raise Failed("a Service does not answer")


def replication(nodes):
    """Written through the leader's ClusterIP, read through the followers', from every node."""
    ips = {service["name"]: service["clusterIPs"][0] for service in status()["services"]}
    entry = f"signed by {LAB} at {time.strftime('%H:%M:%S')}"
    if in_pod(f"client-{nodes[0]}", "redis-cli", "-h", ips["redis-leader"], "set", "guestbook", entry) != "OK":
        raise Failed("the leader does not take a write")
    rows = [[f"client-{nodes[0]}", "redis-leader", f'set guestbook "{entry}"', "ok"]]
    for node in nodes:
        poll(f"what was written is read from a follower on {node}", lambda: in_pod(
            f"client-{node}", "redis-cli", "-h", ips["redis-follower"], "get", "guestbook") == entry, 10)
        rows.append([f"client-{node}", "redis-follower", "get guestbook", f"ok {entry}"])
    table(["pod", "Service", "command", "answer"], rows)


def show_pods():
    table(["pod", "node", "addresses"],
          [[pod["name"], pod["node"], "  ".join(pod["ips"])]
           for pod in sorted(status()["pods"], key=lambda pod: (pod["node"], pod["name"]))])


def show_node(node):
    for title, words in {"links": ["ip", "-br", "link"], "addresses": ["ip", "-br", "address"],
                         "routes": ["ip", "route"], "IPv6 routes": ["ip", "-6", "route", "show", "proto", "87"],
                         "tunnel entries (FDB)": ["bridge", "fdb", "show", "dev", "weft.1"]}.items():
        print(f"   {dim(title)}")
        for line in lab("exec", "--node", node, "--", *words).stdout.splitlines():
            print(f"     {line.rstrip()}")


def verify_nodes():
    rows = []
    for node in status()["nodes"]:
        said = command(WEFT, "verify", "--socket", node["socket"], check=False)
        rows.append([node["name"], "ok" if said.returncode == 0 else "FAILED",
                     (said.stdout or said.stderr).strip().splitlines()[-1:][0] if said.stdout or said.stderr else ""])
    table(["node", "verify", "the kernel against the model"], rows)
    if any(row[1] != "ok" for row in rows):
        raise Failed("a node's kernel is not what the model says")


def demo():
    with step(1, "A cluster of three nodes: network namespaces on a fabric, an agent in each"):
        lab("up", "--nodes", 3, "--ip-family", "dual")
        nodes = [node["name"] for node in status()["nodes"]]
        table(["node", "addresses", "pod CIDRs"],
              [[node["name"], "  ".join(node["addresses"]), "  ".join(node["podCIDRs"])]
               for node in status()["nodes"]])
    with step(2, "The guestbook: redis leader, followers that replicate through its ClusterIP, nginx"):
        lab("apply", "-f", MANIFEST)
        add_clients(nodes)
        wait_until_ready()
    with step(3, "Which pod is where"):
        show_pods()
    with step(4, "Every Service answers, from a pod on every node"):
        services_answer(nodes)
    with step(5, "What is written to the leader is read from a follower"):
        replication(nodes)
    with step(6, f"What {nodes[0]} is made of"):
        show_node(nodes[0])
    with step(7, "weft verify: the kernel is what the model says"):
        verify_nodes()


def take_down():
    lab("down")
    poll(lambda: "left behind: " + "; ".join(residue(LAB)), lambda: not residue(LAB), 5)
    print("   nothing left: no namespace, link, cgroup, mount, process or file of this lab")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start, failure = time.monotonic(), None
    try:
        demo()
    except Failed as error:
        failure = error
    except (KeyboardInterrupt, SystemExit):
        failure = Failed("interrupted")
    try:
        with step(8, "Taking it down"):
            take_down()
    except Failed as error:
        failure = failure or error
    if failure:
        print(f"\n{red('demo failed')}: {failure}", file=sys.stderr)
        return 1
    print(f"\n{green('demo done')} in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
