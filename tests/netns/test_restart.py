#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of an agent while Services change: traffic goes on, nothing right is touched, the diff ends empty."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from weft_test import (PATIENCE, Lab, Monitor, ask, echo_pod, idle_pod, in_netns, main,
                       service, verify, wait_for)

# Connects without pause and prints a line a connection, until its input closes.
STEADY_CLIENT = """
import select, socket, sys
while not select.select([sys.stdin], [], [], 0.01)[0]:
    try:
        with socket.create_connection((sys.argv[1], 80), timeout=float(sys.argv[2])) as connection:
            print("ok" if connection.recv(100) else "empty", flush=True)
    except OSError as error:
        print("failed", error, flush=True)
"""


class Traffic:
    """Connections to a Service from a pod, one after another, for the length of the block."""

    def __init__(self, netns, address):
        self.command = ["nsenter", f"--net={netns}", "python3", "-c", STEADY_CLIENT, address, str(2 * PATIENCE)]

    def __enter__(self):
        self.output = tempfile.NamedTemporaryFile("r")
        with open(self.output.name, "w") as file:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=file, text=True)
        return self

    def __exit__(self, *_):
        self.process.communicate("stop\n", timeout=30 * PATIENCE)
        self.answers = self.output.read().splitlines()
        self.output.close()

    def wait_for_more(self, count):
        def answers():
            return len(pathlib.Path(self.output.name).read_text().splitlines())
        before = answers()
        wait_for("connections go on", lambda: answers() >= before + count, 20)


class Restart(unittest.TestCase):
    def test_kill_9_while_services_change(self):
        with Lab("--nodes", 2, "--ip-family", "dual") as lab:
            lab.apply(idle_pod("client", "node1"), echo_pod("one", "node1", "web"),
                      echo_pod("two", "node2", "web"), echo_pod("other", "node2", "other"),
                      service("web", "web"))
            lab.sync()
            node = lab.node("node1")
            client, web = lab.pod("client")["netns"], lab.service("web")["clusterIPs"][0]
            rules = ["nft", "-s", "list", "ruleset"]
            before = in_netns(node["netns"], *rules).stdout

            with Traffic(client, web) as traffic:
                traffic.wait_for_more(5)
                with Monitor(node["netns"]) as monitor:
                    os.kill(node["agentPid"], signal.SIGKILL)
                    wait_for("the agent is dead", lambda: verify(node).returncode != 0)
                    lab.apply(service("new", "other"))  # the model moves on while nobody listens
                    new = lab.service("new")["clusterIPs"][0]
                    traffic.wait_for_more(10)
                    lab.weft("agent start", "node1")
                    wait_for(lambda: verify(node).stdout, lambda: verify(node).returncode == 0, 10)
                    self.assertEqual(ask(client, new, 80), lab.pod("other")["ips"][0])
                    traffic.wait_for_more(10)
            self.assertEqual([line for line in traffic.answers if line != "ok"], [])

            events = [line for line in monitor.lines() if not line.startswith("# new generation")]
            flaps = [line for line in events if re.search(r"\bdelete\b|\bDeleted\b|\bdestroy\b", line)
                     and not re.search(r"STALE|REACHABLE|DELAY|PROBE|INCOMPLETE|FAILED", line)]
            self.assertEqual(flaps, [], "deleted: " + "\n".join(events))
            # What was right is not written again either: every addition is the new Service's.
            again = [line for line in events if line.startswith("add ") and web in line]
            self.assertEqual(again, [])
            self.assertTrue([line for line in events if line.startswith("add ") and new in line], events)
            after = in_netns(node["netns"], *rules).stdout
            self.assertNotEqual(before, after)


if __name__ == "__main__":
    main()
