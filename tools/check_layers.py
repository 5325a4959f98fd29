#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layer rule: an #include points downward, and feature folders never include each other.

    base < {document, log, linux, model, reconcile};  linux < {loop, control};  {linux, reconcile} < tables
    < ipam;  {linux, model} < traffic;  {ipam, control, traffic} < {cni, podnet, bgp, service, policy, cluster} < explain < {agent, lab} < cmd
"""
import os
import pathlib
import re
import sys

LAYERS = [["base"], ["document", "log", "linux", "model", "reconcile"], ["loop", "control", "tables", "traffic"],
          ["ipam"], ["cni", "podnet", "bgp", "service", "policy", "cluster"],
          ["explain"], ["agent", "lab"], ["cmd"]]
RANK = {folder: rank for rank, folders in enumerate(LAYERS) for folder in folders}
LEAN = {"base", "linux", "tables", "cni", "ipam"}  # what the CNI plugins are made of
HEAVY = re.compile(r"fmt/|spdlog/|uv\.h|iostream|log/|loop/")
INCLUDE = re.compile(r'^\s*#\s*include\s+(<|")([^">]+)')


def faults(path, folder):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not (match := INCLUDE.match(line)):
            continue
        quote, header = match.groups()
        target = header.split("/")[0] if quote == '"' and "/" in header else folder
        if folder in LEAN and HEAVY.match(header):
            yield f"{path}:{number}: {folder} includes {header}: the CNI plugins stay free of it"
        elif target not in RANK:
            yield f"{path}:{number}: {header}: {target} is no folder of src"
        elif target != folder and RANK[target] >= RANK[folder]:
            yield f"{path}:{number}: {folder} includes {header}: not a lower layer"


def main():
    os.chdir(pathlib.Path(__file__).resolve().parent.parent)
    found = []
    for top in ("src", "cmd"):
        for path in sorted([*pathlib.Path(top).glob("**/*.h"), *pathlib.Path(top).glob("**/*.cpp")]):
            found += faults(path, "cmd" if top == "cmd" else path.parts[1])
    print("\n".join(found) or "layers: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
