#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""50 nodes with 2 pods each on a router fabric: up, check passes, down; prints the time a node and the agents' memory.
12 nodes in the emulated machine (tests/vm).

Usage: large_lab.py [NODES]
"""
import os
import pathlib
import re
import sys
import time

from weft_test import Lab, echo_pod, service


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def main():
    emulated = "WEFT_VM" in os.environ  # some ten times as slow, and what waits has its time limit
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12 if emulated else 50
    times = {}
    start = time.monotonic()

    def lap(what):
        nonlocal start
        times[what] = time.monotonic() - start
        print(f"  {what:28} {times[what]:6.2f} s", flush=True)
        start = time.monotonic()

    with Lab("--nodes", count, "--fabric", "router") as lab:
        lap(f"{count} nodes up")
        nodes = lab.status()["nodes"]
        lab.apply(*[echo_pod(f"pod-{node['name']}-{index}", node["name"], "web") for node in nodes
                    for index in range(2)], service("web", "web"))
        lap(f"{2 * count} pods ready")
        lab.sync()
        lap("every agent in sync")
        memory = sorted(resident_kib(node["agentPid"]) for node in nodes)
        check = lab.weft("check", check=False, timeout=300)
        lap("lab check")
        if check.returncode != 0:
            sys.exit(check.stdout + check.stderr)
    lap("down, nothing left")
    print(f"  {sum(times.values()) / count * 1000:.0f} ms a node in all; agent memory (RSS): "
          f"median {memory[count // 2] / 1024:.1f} MiB, largest {memory[-1] / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
