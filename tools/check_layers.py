#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layer rule: an #include points downward, and only where this table says so."""
import os
import pathlib
import re
import sys

# What each folder may include, beside itself. Bottom up: each names only folders above its own line.
MAY_INCLUDE = {
    "base": "",
    "document": "base",
    "log": "base",
    "linux": "base",
    "model": "base",
    "reconcile": "base",
    "loop": "base linux",
    "control": "base linux",
    "ipam": "base linux",
    "tables": "base linux reconcile",
    "traffic": "base linux model",
    "cni": "base linux tables ipam",
    "podnet": "base model tables",
    "service": "base linux model tables",
    "cluster": "base document linux loop model",
    "explain": "base reconcile",
    "agent": "base document log linux model reconcile loop control tables podnet service cluster explain",
    "lab": "base document linux model control traffic cni",
    "cmd": "base control traffic cni agent lab",
}
# And what its tests may as well.
TESTS_MAY_INCLUDE = {"service": "reconcile traffic"}
TEST = re.compile(r"(^|_)(test|fixture)\.(cpp|h)$")

LEAN = {"base", "linux", "reconcile", "tables", "cni", "ipam"}  # what the CNI plugins are made of
HEAVY = re.compile(r"fmt/|spdlog/|uv\.h|iostream|log/|loop/")
INCLUDE = re.compile(r'^\s*#\s*include\s+(<|")([^">]+)')


def allowed(path, folder):
    words = MAY_INCLUDE[folder].split()
    if TEST.search(path.name):
        words += TESTS_MAY_INCLUDE.get(folder, "").split()
    return {folder, *words}


def faults(path, folder):
    may = allowed(path, folder)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not (match := INCLUDE.match(line)):
            continue
        quote, header = match.groups()
        target = header.split("/")[0] if quote == '"' and "/" in header else folder
        if folder in LEAN and HEAVY.match(header):
            yield f"{path}:{number}: {folder} includes {header}: the CNI plugins stay free of it"
        elif target not in may:
            yield f"{path}:{number}: {folder} includes {header}: it may include {', '.join(sorted(may))}"


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
