#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`weft wait`: once it returns, the kernel has what the manifests said when it was called."""
import json
import subprocess
import unittest

from weft_test import Lab, in_netns, main, service, wait_for, weft

# Holds a table of its name for as long as it runs.
HOLDER = "delete table ip weft-services; add table ip weft-services { flags owner; }\n"


def write(lab, name, address):
    """A Service as the API server has it, straight to where the agents look."""
    spec = service(name, "web", clusterIP=address)
    (lab.directory / "manifests" / f"{name}.json").write_text(json.dumps(spec))


class Wait(unittest.TestCase):
    def test_what_was_written_before_is_in_the_kernel(self):
        with Lab("--nodes", 1) as lab:
            node = lab.node("node1")
            for number in range(1, 6):
                write(lab, f"web-{number}", f"10.96.7.{number}")
                weft("wait", "--socket", node["socket"])
                listed = in_netns(node["netns"], "nft", "list", "set", "ip", "weft-services", "cluster-ips").stdout
                self.assertIn(f"10.96.7.{number}", listed)

    def test_it_says_why_not(self):
        with Lab("--nodes", 1) as lab:
            node = lab.node("node1")
            lab.sync()
            holder = subprocess.Popen(["nsenter", f"--net={node['netns']}", "nft", "-i"], stdin=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL, text=True)
            try:
                holder.stdin.write(HOLDER)
                holder.stdin.flush()
                wait_for("the held table", lambda: "flags owner" in in_netns(
                    node["netns"], "nft", "list", "table", "ip", "weft-services", check=False).stdout, 5)
                write(lab, "late", "10.96.7.9")
                refused = weft("wait", "--timeout", 1, "--socket", node["socket"], check=False)
                self.assertEqual(refused.returncode, 1)
                self.assertIn("weft-services", refused.stderr)
            finally:
                holder.communicate("quit\n")
            weft("wait", "--socket", node["socket"])

    def test_time_has_bounds(self):
        with Lab("--nodes", 1) as lab:
            socket = lab.node("node1")["socket"]
            self.assertEqual(weft("wait", "--timeout", -1, "--socket", socket, check=False).returncode, 2)


if __name__ == "__main__":
    main()
