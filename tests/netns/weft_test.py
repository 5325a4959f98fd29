# SPDX-License-Identifier: Apache-2.0
"""What the lab tests share: a lab that removes itself, commands in its namespaces, captures, polling.

Nothing here sleeps for a fixed time: `wait_for` polls a condition until a deadline. Everything a test makes
carries the lab's random name, and leaving the `with` block proves that none of it is left. A test that is
interrupted (SIGINT, SIGTERM) removes its labs too.
"""
import atexit
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
from residue import residue  # noqa: E402  (the demo looks for the same)

WEFT = os.environ.get("WEFT", str(ROOT / "build/bin/weft"))
# An emulated machine takes about ten times as long for everything; deadlines stretch, the claims stay.
PATIENCE = 10.0 if os.environ.get("WEFT_VM") else 1.0
SKIPPED = 77  # what CTest takes for "skipped"


def run(*command, check=True, timeout=120.0, **kwargs):
    """Runs a command and returns it with its output as text; a failure shows what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout * PATIENCE, stdin=subprocess.DEVNULL, **kwargs)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def weft(*arguments, **kwargs):
    return run(WEFT, *arguments, **kwargs)


def wait_for(what, condition, deadline=10.0, interval=0.02):
    """Polls until condition() is true and returns its value; AssertionError with `what` at the deadline."""
    end = time.monotonic() + deadline * PATIENCE
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline * PATIENCE:g} s: {what() if callable(what) else what}")
        time.sleep(interval)


def in_netns(netns, *command, **kwargs):
    """Runs a command in a network namespace, and in nothing else (`ip netns exec` would hide cgroups)."""
    return run("nsenter", f"--net={netns}", *command, **kwargs)


# SIGINT too: a shell that starts us in the background has it ignored.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.default_int_handler)


@atexit.register
def remove_labs():
    """What a `with` block did not come to: unittest forgets the contexts of a class when it is interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for lab in Lab.made:
        if residue(lab.name):
            lab.weft("down", check=False)


class Lab:
    """A running lab: `with Lab("--nodes", 2) as lab:`. Leaving takes it down; it fails if an agent has ended that
    the test does not name in `ended`, and if anything is left."""

    made = []

    def __init__(self, *options):
        self.name = "t" + secrets.token_hex(3)
        self.options = [str(option) for option in options]
        self.directory = pathlib.Path("/run/weft/lab") / self.name
        self.ended = set()
        self.made.append(self)

    def __enter__(self):
        try:
            self.weft("up", *self.options)
        except BaseException:
            self.weft("down", check=False)
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind and os.environ.get("WEFT_TEST_LOGS"):
            for log in sorted(self.directory.glob("nodes/*/agent.log")):
                print(f"--- {log}\n{log.read_text()[-4000:]}", file=sys.stderr)
        try:
            if kind is None:
                self.stop_agents()
        finally:
            self.weft("down", check=kind is None)
        if kind is None:
            wait_for(lambda: f"left by lab down: {residue(self.name)}", lambda: not residue(self.name), 5)

    def weft(self, verb, *arguments, **kwargs):
        return weft("lab", *verb.split(), "--name", self.name, *arguments, **kwargs)

    def status(self):
        return json.loads(self.weft("status", "-o", "json").stdout)

    def node(self, name):
        return next(node for node in self.status()["nodes"] if node["name"] == name)

    def pod(self, name, namespace="default"):
        return next(pod for pod in self.status()["pods"]
                    if (pod["namespace"], pod["name"]) == (namespace, name))

    def service(self, name, namespace="default"):
        return next(service for service in self.status()["services"]
                    if (service["namespace"], service["name"]) == (namespace, name))

    def apply(self, *objects):
        """Applies objects (dicts) and waits until every pod is ready."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"apiVersion": "v1", "kind": "List", "items": list(objects)}, file)
            file.flush()
            self.weft("apply", "-f", file.name)
        self.wait_ready()

    def wait_ready(self):
        wait_for(lambda: f"pods ready: {self.status()['pods']}",
                 lambda: all(pod["ready"] for pod in self.status()["pods"]), 30, 0.1)

    def stop_agents(self):
        """`lab down` kills; an agent that is asked to end says what it leaks (asan)."""
        running = {node["name"]: node["agentPid"] is not None for node in self.status()["nodes"]}
        ended = {name for name, runs in running.items() if not runs}
        if ended != self.ended:
            raise AssertionError(f"agents that ended: {sorted(ended)}, not {sorted(self.ended)}")
        for name in running.keys() - ended:
            self.weft("agent stop", name)

    def sync(self):
        """Waits until every agent's kernel is what the model says."""
        for node in self.status()["nodes"]:
            wait_for(lambda: weft("verify", "--socket", node["socket"], check=False).stdout,
                     lambda: verify(node).returncode == 0, 10, 0.05)


def verify(node, *options):
    return weft("verify", "--socket", node["socket"], *options, check=False)


def pod(name, node, command, labels=None, port=None):
    """A Pod bound to a node, running a command of the host."""
    container = {"name": "main", "image": "none", "command": command}
    if port:
        container["ports"] = [{"containerPort": port}]
        container["readinessProbe"] = {"tcpSocket": {"port": port}}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "labels": labels or {"app": name}},
            "spec": {"nodeName": node, "containers": [container]}}


def service(name, selector, port=80, target=8080, **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": {"app": selector},
                     "ports": [{"port": port, "targetPort": target, "protocol": "TCP"}], **spec}}


# Answers every connection with the address it was reached at, so that a client learns who served it.
ECHO_SERVER = """
import socket, sys
listener = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
while True:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(connection.getsockname()[0].removeprefix("::ffff:").encode())
"""


def echo_pod(name, node, app, port=8080):
    return pod(name, node, ["python3", "-c", ECHO_SERVER, str(port)], {"app": app}, port)


def idle_pod(name, node):
    return pod(name, node, ["sleep", "infinity"])


ECHO_CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])) as connection:
    print(connection.recv(100).decode())
"""


def ask(netns, address, port, timeout=2.0):
    """The address of the pod that answers at address:port, asked from a namespace; None if nobody does."""
    done = in_netns(netns, "python3", "-c", ECHO_CLIENT, address, port, timeout * PATIENCE, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


class Capture:
    """Packets seen on one link of a namespace while the block runs; `lines()` are tcpdump's."""

    def __init__(self, netns, link, *filter_words):
        self.command = ["nsenter", f"--net={netns}", "tcpdump", "-nn", "-v", "-l", "--immediate-mode",
                        "-i", link, *filter_words]

    def __enter__(self):
        self.output = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdout=self.output, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        while line and "listening on" not in line:
            line = self.process.stderr.readline()
        if not line:
            raise AssertionError(f"tcpdump did not start: {' '.join(self.command)}")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=10 * PATIENCE)
        self.output.close()

    def text(self):
        return pathlib.Path(self.output.name).read_text()


class Monitor:
    """What `ip monitor` and `nft monitor` of a namespace say while the block runs."""

    def __init__(self, netns):
        self.netns = netns

    def __enter__(self):
        self.files = [tempfile.NamedTemporaryFile("w+") for _ in range(2)]
        enter = ["nsenter", f"--net={self.netns}"]
        self.processes = [
            subprocess.Popen([*enter, "stdbuf", "-oL", *words], stdout=file, stderr=subprocess.STDOUT)
            for words, file in zip((["ip", "monitor", "link", "address", "route", "neigh"],
                                    ["nft", "monitor"]), self.files)]
        # Both are listening once they show a change of ours: a table and an address made for the purpose.
        self.mark = "mark-" + secrets.token_hex(3)
        try:
            wait_for("the monitors listen", self.marked, 5, 0.05)
        except BaseException:
            self.__exit__()
            raise
        return self

    def marked(self):
        in_netns(self.netns, "nft", "add", "table", "ip", self.mark)
        in_netns(self.netns, "ip", "addr", "replace", "192.0.2.77/32", "dev", "lo")
        in_netns(self.netns, "nft", "delete", "table", "ip", self.mark)
        in_netns(self.netns, "ip", "addr", "del", "192.0.2.77/32", "dev", "lo")
        ip_lines, nft_lines = (pathlib.Path(file.name).read_text() for file in self.files)
        return "192.0.2.77" in ip_lines and self.mark in nft_lines

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.wait(10)
        self.text = [pathlib.Path(file.name).read_text() for file in self.files]
        for file in self.files:
            file.close()

    def lines(self):
        """Every line but those of the marks; after the block."""
        return [line for part in self.text for line in part.splitlines()
                if self.mark not in line and "192.0.2.77" not in line]


def main():
    """unittest.main, whose exit code tells CTest of skipped tests too."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    if not program.result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if program.result.skipped else 0)
