#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each of our kernel objects, deleted or altered by hand: verify names it, --repair mends it; the agent does so
by itself within a second; and objects that are not ours stay as they are, byte for byte."""
import contextlib
import json
import re
import signal
import subprocess
import os
import unittest

from kernel_state import snapshot
from weft_test import (PATIENCE, WEFT, Lab, ask, echo_pod, idle_pod, in_netns, main, run, service, verify, wait_for,
                       weft)

# What is done to node1 (a shell script in its namespace), and a word verify must say of it.
# {vip}: the Service's ClusterIP; {mac}: node2's VTEP MAC.
DRIFTS = {
    "route deleted": ("ip route del 10.244.2.0/24", "10.244.2.0/24"),
    "route altered": ("ip route replace 10.244.2.0/24 via 172.31.0.12 dev eth0 proto 87", "10.244.2.0/24"),
    "IPv6 route deleted": ("ip -6 route del fd00:10:244:2::/64", "fd00:10:244:2::/64"),
    "neighbor deleted": ("ip neigh del 10.244.2.0 dev weft.1", "10.244.2.0"),
    "neighbor altered": ("ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:09 dev weft.1 nud permanent",
                         "10.244.2.0"),
    "FDB entry deleted": ("bridge fdb del {mac} dev weft.1", "{mac}"),
    "FDB entry altered": ("bridge fdb replace {mac} dev weft.1 dst 172.31.9.9", "{mac}"),
    "map element deleted": ("nft delete element ip weft-services services '{{ {vip} . tcp . 80 }}'", "{vip}"),
    "chain flushed": ("nft flush chain ip weft-services pre-nat", "pre-nat"),
    "rule added": ("nft add rule ip weft-services pre-nat counter", "pre-nat"),
    "table deleted": ("nft delete table ip weft-services", "weft-services"),
    "masquerade table deleted": ("nft delete table ip6 weft-podnet", "weft-podnet"),
    "sysctl altered": ("sysctl -qw net.ipv4.ip_forward=0", "ip_forward"),
    "IPv6 sysctl altered": ("sysctl -qw net.ipv6.conf.all.forwarding=0", "forwarding"),
    "bridge sysctl altered": ("sysctl -qw net.bridge.bridge-nf-call-iptables=0", "bridge-nf-call-iptables"),
    "address deleted": ("ip addr del 10.244.1.1/24 dev cni0", "10.244.1.1"),
    "IPv6 address deleted": ("ip addr del fd00:10:244:1::1/64 dev cni0", "fd00:10:244:1::1"),
    "foreign address on our link": ("ip addr add 192.0.2.9/24 dev cni0", "192.0.2.9"),
    "bridge down": ("ip link set cni0 down", "cni0"),
    "bridge MTU altered": ("ip link set cni0 mtu 1300", "cni0"),
    "VXLAN down": ("ip link set weft.1 down", "weft.1"),
    "VXLAN deleted": ("ip link del weft.1", "weft.1"),
}

# Objects of somebody else in the node's namespace, of every kind that is ours too.
FOREIGN = """
ip link add br-other type bridge; ip link set br-other up
ip addr add 192.168.77.1/24 dev br-other; ip addr add fd77::1/64 dev br-other nodad
ip link add vx-other type vxlan id 77 dstport 4789 local 172.31.0.11 nolearning; ip link set vx-other up
ip neigh add 192.168.77.9 lladdr 02:00:00:00:77:09 dev br-other nud permanent
bridge fdb append 02:00:00:00:77:0a dev vx-other dst 192.168.77.10
ip route add 198.51.100.0/24 via 192.168.77.9; ip route add 198.51.101.0/24 via 192.168.77.9 proto bird
ip -6 route add fd78::/64 via fd77::9
ip rule add from 198.51.100.0/24 table 77 priority 7700
nft -f - <<END
table ip other { map services { type ipv4_addr : verdict; elements = { 192.0.2.1 : accept }; }
 chain pre { type nat hook prerouting priority dstnat; ip daddr vmap @services; }
 chain post { type nat hook postrouting priority srcnat; ip saddr 198.51.100.0/24 masquerade; }
}
table inet weft-other { set s { type ipv6_addr; elements = { fd77::5 }; }
}
END
sysctl -qw net.ipv4.conf.br-other.rp_filter=2
"""
FOREIGN_STATE = """
for link in br-other vx-other; do ip -d link show $link; ip address show dev $link; ip neigh show dev $link nud permanent
bridge fdb show dev $link; done
ip route show root 198.51.100.0/23; ip -6 route show fd78::/64; ip rule; ip -6 rule
nft -a list table ip other; nft -a list table inet weft-other; sysctl net.ipv4.conf.br-other.rp_filter
"""


def shell(netns, script):
    return in_netns(netns, "bash", "-ec", script).stdout


def without_self_repair(config):
    """The agent's configuration with resyncPeriod 0 and watchKernel false, as JSON or as YAML."""
    if config.lstrip().startswith("{"):
        document = json.loads(config)
        document["spec"].update(resyncPeriod="0", watchKernel=False)
        return json.dumps(document)
    config = re.sub(r"(?m)^  (resyncPeriod|watchKernel):.*\n", "", config)
    return re.sub(r"(?m)^spec:\n", "spec:\n  resyncPeriod: 0\n  watchKernel: false\n", config)


class Drift(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab("--nodes", 2, "--ip-family", "dual"))
        cls.lab.apply(idle_pod("client", "node1"), echo_pod("web", "node2", "web"),
                      service("web", "web", ipFamilyPolicy="RequireDualStack"))
        cls.lab.sync()
        cls.node = cls.lab.node("node1")
        cls.netns = cls.node["netns"]
        fdb = in_netns(cls.netns, "bridge", "fdb", "show", "dev", "weft.1").stdout
        cls.words = {"vip": cls.lab.service("web")["clusterIPs"][0],
                     "mac": re.search(r"(\S+) dst 172\.31\.0\.12", fdb).group(1)}
        shell(cls.netns, FOREIGN)
        cls.foreign = shell(cls.netns, FOREIGN_STATE)
        cls.expected = snapshot(cls.netns)

    def served(self):
        return ask(self.lab.pod("client")["netns"], self.words["vip"], 80)

    def tearDown(self):
        self.assertEqual(shell(self.netns, FOREIGN_STATE), self.foreign, "objects that are not ours have changed")

    def test_agent_mends_by_itself_within_a_second(self):
        for name, (script, _) in DRIFTS.items():
            with self.subTest(name):
                shell(self.netns, script.format(**self.words))
                wait_for(lambda: difference(self.expected, snapshot(self.netns)),
                         lambda: snapshot(self.netns) == self.expected, 1.5)  # a second, and the time to look
        self.assertEqual(self.served(), self.lab.pod("web")["ips"][0])

    def test_verify_names_it_and_repair_mends_it(self):
        with self.agent_without_self_repair():
            for name, (script, word) in DRIFTS.items():
                with self.subTest(name):
                    shell(self.netns, script.format(**self.words))
                    said = verify(self.node)
                    self.assertEqual(said.returncode, 1, said.stdout + said.stderr)
                    self.assertIn(word.format(**self.words), said.stdout)
                    verify(self.node, "--repair")
                    self.assertEqual(verify(self.node).returncode, 0, verify(self.node).stdout)
                    self.assertEqual(difference(self.expected, snapshot(self.netns)), "")
            self.assertEqual(self.served(), self.lab.pod("web")["ips"][0])

    @contextlib.contextmanager
    def agent_without_self_repair(self):
        """node1's agent, replaced by one that only looks when it is told to, and put back afterwards."""
        config = self.lab.directory / "nodes/node1/agent.yaml"
        kept = config.read_text()
        os.kill(self.lab.node("node1")["agentPid"], signal.SIGKILL)
        config.write_text(without_self_repair(kept))
        agent = self.start_agent(config)
        try:
            yield
        finally:
            agent.kill()
            agent.wait()
            config.write_text(kept)
            type(self).agent = self.start_agent(config)
            type(self).addClassCleanup(self.stop_agent)

    def start_agent(self, config):
        agent = subprocess.Popen(["nsenter", f"--net={self.netns}", WEFT, "agent", "--config", config],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the agent answers and agrees", lambda: verify(self.node).returncode == 0, 10)
        return agent

    @classmethod
    def stop_agent(cls):
        cls.agent.kill()
        cls.agent.wait()


def difference(expected, actual):
    return "\n".join([f"- {line}" for line in expected if line not in actual] +
                     [f"+ {line}" for line in actual if line not in expected])


if __name__ == "__main__":
    main()
