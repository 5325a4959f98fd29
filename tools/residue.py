#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What on this machine still carries a lab's name: namespaces, links, cgroups, mounts, processes, files.

Usage: tools/residue.py LAB     prints a line each and exits 1, or prints nothing and exits 0
"""
import contextlib
import os
import pathlib
import subprocess
import sys


def residue(lab):
    return [*namespaces(lab), *links(lab), *mounts_and_cgroups(lab), *processes(lab), *files(lab)]


def namespaces(lab):
    directory = pathlib.Path("/run/netns")
    for entry in sorted(directory.iterdir()) if directory.is_dir() else []:
        if entry.name.startswith(f"weft-{lab}-"):
            yield f"namespace {entry}"


def links(lab):
    shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    for line in shown.splitlines():
        if f"weft-{lab}-" in line:
            yield f"link {line}"


def mounts_and_cgroups(lab):
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        mount, kind = line.split()[1:3]
        if f"/weft-{lab}-" in mount or f"/weft/lab/{lab}/" in mount:
            yield f"mount {mount}"
        if kind == "cgroup2" and os.path.isdir(f"{mount}/weft-{lab}"):
            yield f"cgroup {mount}/weft-{lab}"


def processes(lab):
    """Processes in the lab's cgroup, or started with its name in their arguments."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it ended while we looked
            arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            text = " ".join(arguments)
            if (f"/weft-{lab}/" in (entry / "cgroup").read_text() + "/" or f"weft-{lab}-" in text or
                    f"/weft/lab/{lab}/" in text):
                yield f"process {entry.name} {text}"


def files(lab):
    directory = pathlib.Path("/run/weft/lab")
    for entry in sorted(directory.iterdir()) if directory.is_dir() else []:
        if lab in entry.name:
            yield f"file {entry}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    left = residue(sys.argv[1])
    print("\n".join(left), end="\n" if left else "")
    sys.exit(1 if left else 0)
