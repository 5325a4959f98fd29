#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each of our kernel objects, deleted or altered by hand: verify names it, --repair mends it; the agent does so
by itself within a second; and objects that are not ours stay as they are, byte for byte."""
import json
import re
import tempfile
import unittest

from kernel_state import snapshot
from weft_test import Lab, ask, echo_pod, idle_pod, in_netns, main, service, verify, wait_for

# What is done to node1 (a shell script in its namespace), and a word verify must say of it.
# {vip}: the Service's ClusterIP; {mac}: node2's VTEP MAC; {port}: the node's one pod's link.
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
    "underlay's sysctl altered": ("sysctl -qw net.ipv4.conf.eth0.send_redirects=1", "conf/eth0/send_redirects"),
    "bridge sysctl altered": ("sysctl -qw net.bridge.bridge-nf-call-iptables=0", "bridge-nf-call-iptables"),
    "address deleted": ("ip addr del 10.244.1.1/24 dev cni0", "10.244.1.1"),
    "IPv6 address deleted": ("ip addr del fd00:10:244:1::1/64 dev cni0", "fd00:10:244:1::1"),
    "IPv6 address with another prefix length": (
        "ip addr del fd00:10:244:1::1/64 dev cni0; ip addr add fd00:10:244:1::1/128 dev cni0 || true",  # the agent may be faster
        "fd00:10:244:1::1"),
    "foreign address on our link": ("ip addr add 192.0.2.9/24 dev cni0", "192.0.2.9"),
    "bridge down": ("ip link set cni0 down", "cni0"),
    "bridge MTU altered": ("ip link set cni0 mtu 1300", "cni0"),
    "pod detached": ("ip link set {port} nomaster", "without port {port}"),
    "VXLAN down": ("ip link set weft.1 down", "weft.1"),
    "VXLAN deleted": ("ip link del weft.1", "weft.1"),
    "bridge deleted": ("ip link del cni0", "cni0"),
}

# What is found when everything is read: by verify, or when the resync period is over.
UNNOTICED = {
    "forwarding of the bridge turned off": ("sysctl -qw net.ipv4.conf.cni0.forwarding=0", "conf/cni0/forwarding"),
    "IPv6 forwarding of the VXLAN link turned off": (
        "sysctl -qw net/ipv6/conf/weft.1/forwarding=0", "conf/weft.1/forwarding"),
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
table inet other { set s { type ipv6_addr; elements = { fd77::5 }; }
}
END
sysctl -qw net.ipv4.conf.br-other.rp_filter=2
"""
FOREIGN_STATE = """
ip -d link show vx-other
for link in br-other vx-other; do ip link show $link; ip address show dev $link; ip neigh show dev $link nud permanent
done
bridge fdb show dev vx-other | grep dst
ip route show root 198.51.100.0/23; ip -6 route show fd78::/64; ip rule; ip -6 rule
nft -a list table ip other; nft -a list table inet other; sysctl net.ipv4.conf.br-other.rp_filter
"""


def shell(netns, script):
    return in_netns(netns, "bash", "-ec", script).stdout


class Drift:
    """A node with everything of ours and everything of somebody else's; each case starts and ends right."""

    @classmethod
    def setUpClass(cls):
        config = cls.enterClassContext(tempfile.NamedTemporaryFile("w", suffix=".yaml"))
        config.write(cls.agent_config)
        config.flush()
        cls.lab = cls.enterClassContext(
            Lab("--nodes", 2, "--ip-family", "dual", "--agent-config", config.name))
        cls.lab.apply(idle_pod("client", "node1"), echo_pod("web", "node2", "web"),
                      service("web", "web", ipFamilyPolicy="RequireDualStack"))
        cls.lab.sync()
        cls.node = cls.lab.node("node1")
        cls.netns = cls.node["netns"]
        fdb = in_netns(cls.netns, "bridge", "fdb", "show", "dev", "weft.1").stdout
        links = json.loads(in_netns(cls.netns, "ip", "-j", "link", "show", "master", "cni0").stdout)
        cls.words = {"vip": cls.lab.service("web")["clusterIPs"][0],
                     "mac": re.search(r"(\S+) dst 172\.31\.0\.12", fdb).group(1),
                     "port": links[0]["ifname"]}
        shell(cls.netns, FOREIGN)
        cls.foreign = wait_for(lambda: shell(cls.netns, FOREIGN_STATE), cls.settled_foreign_state, 10, 0.1)
        cls.expected = snapshot(cls.netns)

    @classmethod
    def settled_foreign_state(cls):
        state = shell(cls.netns, FOREIGN_STATE)
        return state if "tentative" not in state and state.count("inet6 fe80") == 2 else None

    def drift(self, script):
        shell(self.netns, script.format(**self.words))
        self.assertNotEqual(snapshot(self.netns), self.expected, "nothing has drifted")

    def difference(self):
        actual = snapshot(self.netns)
        return "\n".join([f"- {line}" for line in self.expected if line not in actual] +
                         [f"+ {line}" for line in actual if line not in self.expected])

    def tearDown(self):
        self.assertEqual(ask(self.lab.pod("client")["netns"], self.words["vip"], 80), self.lab.pod("web")["ips"][0])
        self.assertEqual(shell(self.netns, FOREIGN_STATE), self.foreign, "objects that are not ours have changed")


class SelfRepair(Drift, unittest.TestCase):
    agent_config = "resyncPeriod: 30s\n"

    def test_agent_mends_by_itself_within_a_second(self):
        for name, (script, _) in DRIFTS.items():
            with self.subTest(name):
                shell(self.netns, script.format(**self.words))
                wait_for(self.difference, lambda: not self.difference(), 1.5)  # a second, and the time to look


class Verify(Drift, unittest.TestCase):
    agent_config = "resyncPeriod: 0\nwatchKernel: false\n"

    def test_verify_names_it_and_repair_mends_it(self):
        for name, (script, word) in (DRIFTS | UNNOTICED).items():
            with self.subTest(name):
                self.drift(script)
                said = verify(self.node)
                self.assertEqual(said.returncode, 1, said.stdout + said.stderr)
                self.assertIn(word.format(**self.words), said.stdout)
                self.assertNotEqual(self.difference(), "", "verify must not write")
                verify(self.node, "--repair")
                self.assertEqual(verify(self.node).returncode, 0, verify(self.node).stdout)
                self.assertEqual(self.difference(), "")


if __name__ == "__main__":
    main()
