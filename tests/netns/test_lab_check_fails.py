#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`weft lab check` must be able to fail: one node's Services are taken away, with nobody there to mend it."""
import os
import signal
import unittest

from weft_test import Lab, in_netns, main


class LabCheckFails(unittest.TestCase):
    def test_missing_services_table_is_seen(self):
        with Lab("--nodes", 2) as lab:
            node = lab.node("node1")
            os.kill(node["agentPid"], signal.SIGKILL)
            lab.ended.add("node1")
            in_netns(node["netns"], "nft", "delete", "table", "ip", "weft-services")
            check = lab.weft("check", check=False, timeout=300)
            said = check.stdout + check.stderr
            self.assertEqual(check.returncode, 1, said)
            self.assertRegex(said, r"FAILED  pod to ClusterIP\n  from +client-node1\n  to +probe \S+\n"
                                   r"  expected  an answer of .+\n  seen      .+\n")
            self.assertNotRegex(said, r"FAILED  pod to pod")
            self.assertNotIn("Traceback", said)


if __name__ == "__main__":
    main()
