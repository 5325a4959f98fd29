#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is left when Weft goes: nothing."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from kernel_state import SYSCTLS
from weft_test import (PATIENCE, WEFT, Lab, ask, echo_pod, idle_pod, in_netns, main, residue, run, service, wait_for,
                       weft)


def sysctls(netns=None):
    command = ["sysctl", *SYSCTLS]
    return (in_netns(netns, *command) if netns else run("unshare", "--net", *command)).stdout


class Uninstall(unittest.TestCase):
    def test_node_is_as_it_was_before_the_agent(self):
        with Lab("--nodes", 2, "--ip-family", "dual") as lab:
            lab.apply(echo_pod("web", "node1", "web"), service("web", "web"))
            lab.sync()
            node = lab.node("node1")
            conflist = list((lab.directory / "nodes/node1/cni/net.d").iterdir())
            self.assertEqual(len(conflist), 1)
            pod_links = {link["ifname"] for link in json.loads(in_netns(node["netns"], "ip", "-j", "link").stdout)
                         if link["ifname"].startswith("veth")}
            weft("uninstall", "--socket", node["socket"])
            lab.ended.add("node1")
            links = {link["ifname"] for link in json.loads(in_netns(node["netns"], "ip", "-j", "link").stdout)}
            self.assertEqual(links - pod_links, {"lo", "eth0"})
            self.assertEqual(in_netns(node["netns"], "nft", "list", "ruleset").stdout, "")
            for family in ("-4", "-6"):
                self.assertEqual(in_netns(node["netns"], "ip", family, "route", "show", "table", "all",
                                          "proto", "87").stdout, "")
                self.assertEqual(in_netns(node["netns"], "ip", family, "neigh", "show", "nud", "permanent").stdout, "")
            self.assertEqual(sysctls(node["netns"]), sysctls())  # what a new namespace has
            self.assertFalse(conflist[0].exists())


# A test with two labs, one of its class and one of its own; prints their names and waits.
INTERRUPTED = """
import signal, unittest
from weft_test import Lab, main
class Interrupted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab("--nodes", 1))
    def test(self):
        with Lab("--nodes", 1) as lab:
            print(self.lab.name, lab.name, flush=True)
            signal.pause()
    def test_that_comes_after(self):
        print("still running")
main()
"""


class Interrupt(unittest.TestCase):
    def test_interrupted_test_leaves_no_lab(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), subprocess.Popen(
                    [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                    env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parent)}) as test:
                names = test.stdout.readline().split()
                self.assertEqual(len(names), 2)
                test.send_signal(number)
                self.assertEqual(test.communicate(timeout=30 * PATIENCE)[0], "")
                self.assertNotEqual(test.returncode, 0)
                for name in names:
                    wait_for(lambda: f"left: {residue(name)}", lambda: not residue(name), 5)


class LabDown(unittest.TestCase):
    def test_lab_killed_half_way_is_removed(self):
        # Killed as soon as the nth namespace is there: before, between and after the agents start.
        for namespaces in (1, 3, 5, 7):
            lab = Lab()
            up = subprocess.Popen([WEFT, "lab", "up", "--name", lab.name, "--nodes", "6"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for("namespaces appear", lambda: up.poll() is not None or sum(
                name.startswith(f"weft-{lab.name}-") for name in os.listdir("/run/netns")) >= namespaces, 10, 0.001)
            up.send_signal(signal.SIGKILL)
            up.wait()
            lab.weft("down")
            wait_for(lambda: f"left: {residue(lab.name)}", lambda: not residue(lab.name), 5)

    def test_two_labs_side_by_side(self):
        with Lab("--nodes", 2) as one:
            with Lab("--nodes", 2) as two:
                for lab in (one, two):
                    lab.apply(idle_pod("client", "node1"), echo_pod("web", "node2", "web"), service("web", "web"))
                    lab.sync()
                names = weft("lab", "list").stdout
                self.assertIn(one.name, names)
                self.assertIn(two.name, names)
                self.assertEqual(one.pod("web")["ips"], two.pod("web")["ips"])  # the same addresses, in two worlds
                for lab in (one, two):
                    self.assertEqual(ask(lab.pod("client")["netns"], lab.service("web")["clusterIPs"][0], 80),
                                     lab.pod("web")["ips"][0])
            # The second is gone, the first goes on.
            self.assertEqual(ask(one.pod("client")["netns"], one.service("web")["clusterIPs"][0], 80),
                             one.pod("web")["ips"][0])

    def test_root_namespace_is_untouched(self):
        def root():
            return {"routes": run("ip", "route", "show", "table", "all").stdout,
                    "rules": run("ip", "rule").stdout, "nft": run("nft", "list", "ruleset").stdout,
                    "addresses": run("ip", "-o", "address").stdout,
                    "sysctls": pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text()}
        before = root()
        with Lab("--nodes", 2, "--ip-family", "dual") as lab:
            lab.apply(echo_pod("web", "node1", "web"), service("web", "web"))
            self.assertEqual(root(), before)
        self.assertEqual(root(), before)


if __name__ == "__main__":
    main()
