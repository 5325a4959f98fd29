# SPDX-License-Identifier: Apache-2.0
"""The kernel's state of one node as text, by the standard tools: the oracle the drift tests compare with."""
import json

from weft_test import in_netns

SYSCTLS = ["net.ipv4.ip_forward", "net.ipv4.conf.default.forwarding", "net.ipv4.conf.all.accept_redirects",
           "net.ipv4.conf.all.send_redirects", "net.ipv6.conf.all.forwarding", "net.ipv6.conf.default.forwarding",
           "net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables"]


def snapshot(netns):
    """What of the node is ours, canonical: the same state gives the same lines, whatever order it came in."""
    def lines(*command):
        return in_netns(netns, *command, check=False).stdout.splitlines()

    state = []
    for link in json.loads(in_netns(netns, "ip", "-j", "-d", "address").stdout):
        if link.get("master") == "cni0":
            state.append(f"port {link['ifname']}")
        if link["ifname"] not in ("cni0", "weft.1"):
            continue
        info = link.get("linkinfo", {}).get("info_data", {})
        kept = {key: info[key] for key in ("id", "port", "local", "learning", "link") if key in info}
        state.append(f"link {link['ifname']} up={'UP' in link['flags']} mtu={link['mtu']} {kept}")
        state += [f"address {link['ifname']} {a['local']}/{a['prefixlen']}" for a in link["addr_info"]
                  if a["scope"] == "global"]
    for family in ("-4", "-6"):
        state += [f"route {line}" for line in lines("ip", family, "route", "show", "table", "all", "proto", "87")]
        state += [f"neighbor {line}" for line in lines("ip", family, "neigh", "show", "nud", "permanent")]
    state += [f"fdb {line}" for line in lines("bridge", "fdb", "show", "dev", "weft.1") if "dst" in line]
    state += lines("sysctl", *SYSCTLS, "net.ipv4.conf.eth0.send_redirects",
                   *(f"net/ipv{version}/conf/{link}/forwarding" for version in (4, 6) for link in ("cni0", "weft.1")))
    for family in ("ip", "ip6"):
        for table in ("weft-podnet", "weft-services"):
            state += nft_lines(in_netns(netns, "nft", "-j", "-s", "list", "table", family, table, check=False).stdout)
    return sorted(line.rstrip() for line in state)


def nft_lines(text):
    """A table as sorted lines: handles dropped, elements of a set or map one by one (their order is a hash's)."""
    for entry in json.loads(text)["nftables"] if text.startswith("{") else []:
        kind, body = next(iter(entry.items()))
        if kind == "metainfo":
            continue
        body.pop("handle", None)
        elements = body.pop("elem", [])
        if "dynamic" in body.get("flags", []):
            elements = []
        yield f"nft {kind} {json.dumps(body, sort_keys=True)}"
        for element in elements:
            yield f"nft element {body['family']} {body['table']} {body['name']} {json.dumps(element, sort_keys=True)}"
