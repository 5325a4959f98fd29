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


if __name__ == "__main__":
    main()
