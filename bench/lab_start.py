#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The claim: a lab's nodes start in milliseconds each. Starts labs of growing size and prints the time a node."""
import os
import pathlib
import secrets
import subprocess
import sys
import time

WEFT = os.environ.get("WEFT", str(pathlib.Path(__file__).resolve().parents[1] / "build/bin/weft"))


def lab(verb, name, *words):
    start = time.monotonic()
    done = subprocess.run([WEFT, "lab", verb, "--name", name, *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: lab {verb}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - start


def main():
    print("weft lab up until every agent is in sync, and down; router fabric, no pods")
    for nodes in (3, 10, 30):
        name = "b" + secrets.token_hex(3)
        try:
            up = lab("up", name, "--nodes", str(nodes), "--fabric", "router")
        finally:
            down = lab("down", name)
        print(f"  {nodes:3} nodes: up {up:6.2f} s = {up / nodes * 1000:4.0f} ms a node"
              f"   down {down:6.2f} s = {down / nodes * 1000:4.0f} ms a node", flush=True)


if __name__ == "__main__":
    main()
