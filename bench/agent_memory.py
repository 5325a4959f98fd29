#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The claim: an agent that serves 10,000 Services with 10 endpoints each stays small. Starts one in a network namespace
of its own, with the Services as JSON manifests, and prints its memory once everything is in the kernel.

Usage: agent_memory.py [--files N] [SERVICES]      N: over how many files they are spread, 100
"""
import argparse
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile
import time

WEFT = os.environ.get("WEFT", str(pathlib.Path(__file__).resolve().parents[1] / "build/bin/weft"))
ENDPOINTS = 10
MOST_MIB = 70  # promised, for 10,000 Services
PATIENCE = 120  # seconds


def address(first, number):
    return f"10.{first + number // 65536}.{number // 256 % 256}.{number % 256}"


def objects(number):
    name = f"service-{number}"
    yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
           "spec": {"clusterIP": address(96, number + 1), "selector": {"app": name},
                    "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}
    yield {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
           "metadata": {"name": name + "-abcde", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
           "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
           "endpoints": [{"addresses": [address(244, number * ENDPOINTS + n)], "conditions": {"ready": True},
                          "nodeName": f"node-{2 + n % 20}.example.internal",
                          "targetRef": {"kind": "Pod", "namespace": "default", "name": f"{name}-7d4b9c-{n:05}"}}
                         for n in range(ENDPOINTS)]}


def write_manifests(directory, services, files):
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {"podCIDRs": ["10.244.1.0/24"]},
            "status": {"addresses": [{"type": "InternalIP", "address": "172.31.0.11"}]}}
    (directory / "node.json").write_text(json.dumps(node))
    for file in range(files):
        items = [made for number in range(file, services, files) for made in objects(number)]
        (directory / f"services-{file}.json").write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def configuration(directory):
    return {"apiVersion": "weft.dev/v1alpha1", "kind": "AgentConfiguration", "spec": {
        "nodeName": "node-1", "stateDirectory": f"{directory}/state", "controlSocket": f"{directory}/run/agent.sock",
        "manifestDirectory": f"{directory}/manifests", "clusterCIDRs": ["10.244.0.0/14"],
        "serviceCIDRs": ["10.96.0.0/16"],
        "cni": {"configurationDirectory": f"{directory}/cni", "dataDirectory": f"{directory}/networks"}}}


def memory(pid, what):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+)", status).group(1)) / 1024


def wait_until_served(agent, directory, services):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done = subprocess.run([WEFT, "status", "--socket", f"{directory}/run/agent.sock", "-o", "json"],
                              capture_output=True, text=True)
        if done.returncode == 0:
            status = json.loads(done.stdout)
            if status.get("settled") and status["services"]["frontends"] == services:
                return
        if agent.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"bench: the agent does not settle\n{(directory / 'log').read_text()[-2000:]}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=100)
    options.add_argument("services", type=int, nargs="?", default=10000)
    options = options.parse_args()
    netns = "bench-" + secrets.token_hex(3)
    command = ["ip", "netns", "exec", netns]
    subprocess.run(["ip", "netns", "add", netns], check=True)
    try:
        for words in ("link add eth0 type veth peer name far", "link set eth0 up",
                      "link set far up", "address add 172.31.0.11/24 dev eth0"):
            subprocess.run([*command, "ip", *words.split()], check=True)
        with tempfile.TemporaryDirectory() as made:
            directory = pathlib.Path(made)
            (directory / "manifests").mkdir()
            write_manifests(directory / "manifests", options.services, options.files)
            (directory / "agent.json").write_text(json.dumps(configuration(directory)))
            with (directory / "log").open("w") as log:
                agent = subprocess.Popen([*command, *os.environ.get("UNDER", "").split(), WEFT, "agent", "--config",
                                          f"{directory}/agent.json"], stderr=log)
                try:
                    start = time.monotonic()
                    wait_until_served(agent, directory, options.services)
                    took = time.monotonic() - start
                    held, peak = memory(agent.pid, "VmRSS"), memory(agent.pid, "VmHWM")
                finally:
                    agent.terminate()
                    agent.wait()
    finally:
        subprocess.run(["ip", "netns", "delete", netns], check=True)
    print(f"{options.services} Services x {ENDPOINTS} endpoints from {options.files} JSON manifests, in the kernel after "
          f"{took:.1f} s")
    promise = f"    promised <= {MOST_MIB}: {'kept' if held <= MOST_MIB else 'NOT KEPT'}"
    print(f"  agent memory (RSS) {held:.1f} MiB, at most {peak:.1f} MiB" + (promise if options.services == 10000 else ""))


if __name__ == "__main__":
    main()
