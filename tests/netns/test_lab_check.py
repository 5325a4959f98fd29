#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`weft lab check` in one kind of lab. Usage: test_lab_check.py FAMILY TRANSPORT FABRIC [NODES]"""
import sys
import unittest

from weft_test import Lab, main, verify

FAMILY, TRANSPORT, FABRIC = sys.argv[1:4]
NODES = int(sys.argv[4]) if len(sys.argv) > 4 else 2
del sys.argv[1:]


class LabCheck(unittest.TestCase):
    def test_every_path(self):
        with Lab("--nodes", NODES, "--ip-family", FAMILY, "--transport", TRANSPORT, "--fabric", FABRIC) as lab:
            before = lab.status()
            check = lab.weft("check", check=False)
            self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
            for node in before["nodes"]:
                said = verify(node)
                self.assertEqual(said.returncode, 0, said.stdout)
            after = lab.status()  # the probes are gone again
            self.assertEqual((after["pods"], after["services"]), (before["pods"], before["services"]))

    def test_check_can_fail(self):
        with Lab("--nodes", NODES, "--ip-family", FAMILY, "--transport", TRANSPORT, "--fabric", FABRIC) as lab:
            node = lab.status()["nodes"][0]
            import os, signal
            from weft_test import in_netns
            os.kill(node["agentPid"], signal.SIGKILL)
            table = "ip6" if FAMILY == "ipv6" else "ip"
            in_netns(node["netns"], "nft", "delete", "table", table, "weft-services")
            check = lab.weft("check", check=False, timeout=300)
            self.assertEqual(check.returncode, 1, check.stdout + check.stderr)


if __name__ == "__main__":
    main()
