#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a node had before Weft it keeps while the agent runs, and has when the agent is gone."""
import re
import unittest

from weft_test import Capture, Lab, idle_pod, in_netns, main, wait_for, weft

# One router advertisement (RFC 4861 §4.2) to all nodes of a link; the kernel adds checksum and source.
ADVERTISE = """
import socket, struct, sys
index = socket.if_nametoindex(sys.argv[1])
with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sender:
    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    sender.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0), ("ff02::1", 0, 0, index))
"""


def advertise(netns, link):
    in_netns(netns, "python3", "-c", ADVERTISE, link)


class Node:
    """Node1 of a lab, without its agent: a host that has never seen Weft."""

    def __init__(self, lab):
        self.lab = lab
        self.fabric = f"/run/netns/weft-{lab.name}-fabric"
        node = lab.node("node1")
        self.netns, self.socket = node["netns"], node["socket"]
        self.uninstall()

    def uninstall(self):
        weft("uninstall", "--socket", self.socket)
        self.lab.ended.add("node1")

    def start(self, *options, **kwargs):
        self.lab.weft("agent start", "node1", *options, **kwargs)
        self.lab.ended.discard("node1")

    def run(self, *command):
        return in_netns(self.netns, *command).stdout

    def set(self, **values):
        for name, value in values.items():
            self.run("sysctl", "-qw", f"net.{name.replace('__', '.')}={value}")

    def sysctls(self):
        """Of everything but pods' links."""
        return [line for line in self.run("sysctl", "-a").splitlines()
                if re.match(r"net\.(ipv[46]\.conf\.(all|default|lo|eth0)\.|ipv4\.ip_forward|bridge)", line)
                and "stable_secret" not in line]

    def advertised_router(self):
        return "proto ra" in self.run("ip", "-6", "route", "show", "default")

    def learn_router(self):
        self.run("ip", "-6", "route", "flush", "proto", "ra")

        def heard():
            advertise(self.fabric, "fabric")
            return self.advertised_router()
        wait_for("the node heeds a router advertisement", heard, 5)


class Sysctls(unittest.TestCase):
    def test_advertised_default_route_stays(self):
        with Lab("--nodes", 2, "--ip-family", "dual") as lab:
            node = Node(lab)
            before = node.sysctls()
            node.learn_router()
            node.start()
            self.assertTrue(node.advertised_router())
            node.learn_router()
            node.uninstall()
            self.assertTrue(node.advertised_router())
            self.assertEqual(node.sysctls(), before)

    def test_hardened_node_is_as_hard_afterwards(self):
        with Lab("--nodes", 2, "--ip-family", "dual") as lab:
            node = Node(lab)
            node.set(ipv4__conf__all__accept_redirects=0, ipv4__conf__eth0__forwarding=1,
                     ipv6__conf__eth0__forwarding=1, ipv4__conf__default__forwarding=1,
                     ipv6__conf__default__forwarding=1, ipv6__conf__eth0__accept_ra=0)
            before = node.sysctls()
            node.start()
            self.assertEqual(node.run("sysctl", "-n", "net.ipv4.conf.all.accept_redirects"), "0\n")
            node.uninstall()
            self.assertEqual(node.sysctls(), before)
    def test_pod_does_not_become_its_nodes_router(self):
        with Lab("--nodes", 1, "--ip-family", "ipv4") as lab:
            lab.apply(idle_pod("pod", "node1"))
            node, pod = lab.node("node1")["netns"], lab.pod("pod")["netns"]
            in_netns(pod, "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=0")
            in_netns(pod, "ip", "address", "add", "fe80::bad/64", "dev", "eth0", "nodad")
            with Capture(node, "cni0", "icmp6") as wire:
                def heard():
                    advertise(pod, "eth0")
                    return "router advertisement" in wire.text()
                wait_for("the pod's router advertisement on cni0", heard, 5)
            self.assertEqual(in_netns(node, "ip", "-6", "route", "show", "default").stdout, "")


class Routes(unittest.TestCase):
    def test_anothers_route_stays_and_is_named(self):
        with Lab("--nodes", 2, "--ip-family", "dual") as lab:
            node = Node(lab)
            taken = lab.node("node2")["podCIDRs"]
            for cidr in taken:
                node.run("ip", "route", "add", cidr, "dev", "eth0", "proto", "static")
            routes = node.run("ip", "route") + node.run("ip", "-6", "route")
            node.start("--timeout", 1, check=False)  # it cannot settle
            for cidr in taken:
                named = f"{cidr}: somebody else's route is there (protocol static)"
                wait_for(named, lambda: named in weft("status", "--socket", node.socket).stdout)
            node.uninstall()
            self.assertEqual(node.run("ip", "route") + node.run("ip", "-6", "route"), routes)


if __name__ == "__main__":
    main()
