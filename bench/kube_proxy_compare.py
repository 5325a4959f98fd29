#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The claim: Services are programmed many times faster than kube-proxy's nftables layout by `nft -f`, at a load of
1,000 Services with ten endpoints (10,000 with --full, which takes minutes) and for one endpoint changed.

Usage: kube_proxy_compare.py BENCH_SERVICES [--full]
"""
import pathlib
import re
import subprocess
import sys
import tempfile

LAYOUT = pathlib.Path(__file__).resolve().parent / "kube_proxy_layout.py"
ENDPOINTS = 10
ROUNDS = 5


def kube_proxy(services):
    """Milliseconds to load the layout into an empty namespace, and to change one endpoint in it."""
    with tempfile.TemporaryDirectory() as directory:
        load, change = pathlib.Path(directory, "load"), pathlib.Path(directory, "change")
        for path, options in ((load, []), (change, ["--change"])):
            with path.open("w") as file:
                subprocess.run([sys.executable, LAYOUT, str(services), str(ENDPOINTS), *options], stdout=file, check=True)
        script = f"TIMEFORMAT=%R; time nft -f {load}; time nft -f {change}"
        done = subprocess.run(["unshare", "--net", "bash", "-ec", script], capture_output=True, text=True, check=True)
        return [1e3 * float(seconds) for seconds in done.stderr.split()]


def weft(program, services):
    """The same two of ours, as bench_services measures them."""
    done = subprocess.run([program, "--terse", str(services)], capture_output=True, text=True, check=True)
    return [float(microseconds) / 1e3 for microseconds in re.findall(r"[\d.]+", done.stdout)[:2]]


def main():
    program, full = sys.argv[1], "--full" in sys.argv
    for services, rounds in [(1000, ROUNDS)] + ([(10000, 1)] if full else []):
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(kube_proxy(services))
            ours.append(weft(program, services))
        print(f"{services} Services x {ENDPOINTS} endpoints, {rounds} rounds in turn (minimum, ms)")
        for index, what in enumerate(("full load", "one endpoint changed")):
            kube, own = min(sample[index] for sample in theirs), min(sample[index] for sample in ours)
            print(f"  {what:24} kube-proxy layout by nft -f {kube:10.2f}   weft {own:10.3f}   {kube / own:8.1f} x faster")


if __name__ == "__main__":
    main()
