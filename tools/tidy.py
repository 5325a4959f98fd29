#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the tree, as many at a time as there are cores, each file only when it or a header it reads has changed.

Usage: tools/tidy.py BUILD_DIR     (a built tree: ninja's dependency log says which headers a file reads)
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def header_times(build):
    """The newest change among each object's project headers, by object."""
    log = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True)
    newest, target = {}, ""
    for line in log.stdout.splitlines():
        if line.startswith("    "):
            path = os.path.normpath(build / line.strip())
            if path.startswith(str(ROOT)) and os.path.exists(path):
                newest[target] = max(newest.get(target, 0), os.path.getmtime(path))
        else:
            target = line.split(":")[0]
    return newest


def without_precompiled_headers(command):
    """The command as clang understands it: GCC's precompiled headers are GCC's."""
    return command | {"command": re.sub(r" -Winvalid-pch -include \S+| -fpch-preprocess", "", command["command"])}


def object_of(command):
    words = command["command"].split()
    return words[words.index("-o") + 1]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    newest = header_times(build)
    commands = [without_precompiled_headers(command)
                for command in json.loads((build / "compile_commands.json").read_text())
                if not pathlib.Path(command["file"]).is_relative_to(build)]  # CMake's own
    database = build / "tidy"
    database.mkdir(exist_ok=True)
    (database / "compile_commands.json").write_text(json.dumps(commands))
    rules = os.path.getmtime(ROOT / ".clang-tidy")

    def tidy(command):
        source = pathlib.Path(command["file"])
        stamp = database / source.relative_to(ROOT)
        changed = max(rules, os.path.getmtime(source), newest.get(object_of(command), float("inf")))
        if stamp.exists() and os.path.getmtime(stamp) > changed:
            return ""
        run = subprocess.run(["clang-tidy-14", "--quiet", "-p", database, source], capture_output=True, text=True)
        if run.returncode != 0:
            return run.stdout or run.stderr
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        return ""

    found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for output in pool.map(tidy, commands):
            found += bool(output)
            print(output, end="", flush=True)
    print(f"clang-tidy: {found} of {len(commands)} files with findings" if found else
          f"clang-tidy: {len(commands)} files clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
