#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pod network on the wire: what crosses the node's eth0, and what does not."""
import re
import unittest

from weft_test import PATIENCE, Capture, Lab, ask, echo_pod, idle_pod, in_netns, main, service, wait_for

PING = ["ping", "-n", "-c", "1", "-W", "5"]

# One datagram; prints "refused" if the port is said to be closed.
DATAGRAM = """
import socket, sys
with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(float(sys.argv[3]))
    client.connect((sys.argv[1], int(sys.argv[2])))
    client.send(b"?")
    try:
        client.recv(100)
    except ConnectionRefusedError:
        print("refused")
"""


def node_port(name, app, port, protocol):
    made = service(name, app, type="NodePort", ipFamilyPolicy="RequireDualStack")
    made["spec"]["ports"][0].update(nodePort=port, protocol=protocol)
    return made


class PodNetwork(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab("--nodes", 2, "--ip-family", "dual"))
        cls.lab.apply(idle_pod("a", "node1"), idle_pod("b", "node1"), idle_pod("c", "node2"))
        cls.node1, cls.node2 = cls.lab.node("node1"), cls.lab.node("node2")
        cls.a, cls.b, cls.c = (cls.lab.pod(name) for name in "abc")

    def test_same_node_ping_never_reaches_eth0(self):
        for target in self.b["ips"]:
            with Capture(self.node1["netns"], "eth0") as wire:
                in_netns(self.a["netns"], *PING, "-c", "3", "-i", "0.1", target)
                # A packet that must be seen, last: it proves that the capture was working.
                in_netns(self.node1["netns"], *PING, "-p", "77", self.node2["addresses"][0])
                wait_for("the marker on eth0", lambda: self.node2["addresses"][0] in wire.text(), 5)
                text = wire.text()
            self.assertNotIn(target, text)
            self.assertNotIn("8472", text)

    def test_cross_node_ping_is_vxlan_and_50_bytes_longer(self):
        for source, target in zip(self.a["ips"], self.c["ips"]):
            with Capture(self.node1["netns"], "eth0", "udp", "port", "8472") as wire:
                in_netns(self.a["netns"], *PING, "-s", "100", target)
                wait_for("both directions on eth0", lambda: wire.text().count("echo re") >= 2, 5)
                text = wire.text()
            outer = [int(length) for length in re.findall(r"proto UDP \(17\), length (\d+)\)", text)]
            # IPv4 prints its total length, IPv6 its payload length (+ 40).
            inner = [int(n) for n in re.findall(r"proto ICMP \(1\), length (\d+)\)", text)] or [
                int(n) + 40 for n in re.findall(r"payload length: (\d+)\)", text)]
            self.assertIn(source, text)
            self.assertEqual(inner[:2], [128 if ":" not in target else 148] * 2, text)
            # Inner packet + Ethernet 14 + VXLAN 8 + UDP 8 + IPv4 20.
            self.assertEqual(outer[:2], [length + 50 for length in inner[:2]], text)

    def test_pod_mtu_is_1450(self):
        for pod in (self.a, self.c):
            link = in_netns(pod["netns"], "ip", "-o", "link", "show", "eth0").stdout
            self.assertIn(" mtu 1450 ", link)

    def test_largest_unfragmented_ping_across_nodes(self):
        target = self.c["ips"][0]
        in_netns(self.a["netns"], *PING, "-M", "do", "-s", "1422", target)
        too_long = in_netns(self.a["netns"], *PING, "-M", "do", "-s", "1423", target, check=False)
        self.assertNotEqual(too_long.returncode, 0)
        self.assertIn("message too long", (too_long.stdout + too_long.stderr).lower())


class Redirects(unittest.TestCase):
    """With direct routes a node often forwards by the link that a packet came in by."""

    def test_nobody_is_told_of_shorter_ways(self):
        with Lab("--nodes", 2, "--ip-family", "dual", "--transport", "direct") as lab:
            lab.apply(echo_pod("web", "node2", "web"), node_port("web", "web", 30080, "TCP"),
                      node_port("closed", "nobody", 30053, "UDP"))
            lab.sync()
            outside, node, web = lab.status()["fabricNetns"], lab.node("node1"), lab.pod("web")
            with Capture(node["netns"], "eth0", "icmp or icmp6") as wire:
                for address in node["addresses"]:
                    self.assertIn(ask(outside, address, 30080), web["ips"])
                    # The ICMP error's rate must not have gone to a redirect, sent or dropped by NAT.
                    refused = in_netns(outside, "python3", "-c", DATAGRAM, address, 30053, 5 * PATIENCE, check=False)
                    self.assertEqual(refused.stdout.strip(), "refused", f"{address}: {refused.stderr}")
                # Without NAT nothing would drop one: the pods' addresses by way of the other node.
                for target, gateway in zip(web["ips"], node["addresses"]):
                    in_netns(outside, "ip", "route", "add", target, "via", gateway)
                    in_netns(outside, *PING, target)
                    wait_for("the ping on node1's eth0", lambda: f"> {target}: " in wire.text(), 5)
                text = wire.text()
            self.assertNotIn("redirect", text.lower())
            icmp = [line.split() for line in in_netns(node["netns"], "cat", "/proc/net/snmp").stdout.splitlines()
                    if line.startswith("Icmp:")]
            self.assertEqual(dict(zip(*icmp))["OutRedirects"], "0")


if __name__ == "__main__":
    main()
