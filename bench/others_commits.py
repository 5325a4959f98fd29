#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The claim: what others commit to nf_tables costs an agent nothing. An agent that serves 10,000 Services with 10 endpoints
each reads its tables anew every ten seconds while another process commits to a table of its own 50 times a second. Printed:
how long a new Service takes from its manifest to the kernel (heard from the kernel's notifications), and how long the agent's loop lets a
request for its status wait.

Usage: others_commits.py [SERVICES [SECONDS]]
"""
import ctypes
import json
import os
import pathlib
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time

from agent_memory import WEFT, address, configuration, objects, wait_until_served, write_manifests

CLONE_NEWNET, NETLINK_NETFILTER, NFNLGRP_NFTABLES, SO_RCVBUFFORCE = 0x40000000, 12, 7, 33

COMMITS = 50  # a second
NEW_SERVICE_MS = 50  # promised, of 99 in 100
LOOP_MS = 20  # promised, at most


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def commit_as_another(command, stop):
    """One nft process that commits to `ip other` until told to stop."""
    with subprocess.Popen([*command, "nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, text=True) as nft:
        nft.stdin.write("add table ip other\nadd set ip other s { type ipv4_addr; }\n")
        number = 0
        while not stop.wait(1 / COMMITS):
            number += 1
            verb = "add" if number % 2 else "delete"
            nft.stdin.write(f"{verb} element ip other s {{ 192.0.2.1 }}\n")
            nft.stdin.flush()


def ask_for_status(path, stop, waits):
    """Asks the agent for its status over and over; how long each answer took, and whether it was failing."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(path)
        answers = control.makefile("r")
        while not stop.wait(0.005):
            began = time.monotonic()
            control.sendall(b'{"method":"status"}\n')
            status = json.loads(answers.readline())["result"]
            waits.append(((time.monotonic() - began) * 1000, status["failing"]))


def listen(netns):
    """A socket that hears what is committed to nf_tables in `netns`. For a thread of its own, which enters it."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{netns}", encoding="ascii") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            sys.exit(f"bench: setns: {os.strerror(ctypes.get_errno())}")
    heard = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    heard.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    heard.bind((0, 1 << (NFNLGRP_NFTABLES - 1)))
    heard.settimeout(0.1)
    return heard


def watch_kernel(netns, seen, stop):
    """Notes when each new ClusterIP turns up in a message of the kernel's."""
    with listen(netns) as heard:
        while not stop.is_set():
            try:
                message = heard.recv(1 << 20)
            except TimeoutError:
                continue
            for found in re.findall(rb"\x0a\x61(..)", message, re.DOTALL):
                seen.setdefault(f"10.97.{found[0]}.{found[1]}", time.monotonic())


def measure(netns, command, directory, services, seconds):
    stop, seen, waits = threading.Event(), {}, []
    path = f"{directory}/run/agent.sock"
    threads = [threading.Thread(target=commit_as_another, args=(command, stop)),
               threading.Thread(target=ask_for_status, args=(path, stop, waits)),
               threading.Thread(target=watch_kernel, args=(netns, seen, stop))]
    for thread in threads:
        thread.start()
    time.sleep(1)  # until all of them are under way
    took, missing = [], 0
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until:
        number += 1
        service, slices = objects(services + number)
        service["spec"]["clusterIP"] = address(97, number)
        new = directory / "manifests" / f"new-{number}.json"
        new.with_suffix(".part").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [service, slices]}))
        began = time.monotonic()
        new.with_suffix(".part").rename(new)
        while address(97, number) not in seen and time.monotonic() < began + 5:
            time.sleep(0.001)
        if address(97, number) in seen:
            took.append((seen[address(97, number)] - began) * 1000)
        else:
            missing += 1
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    return took, missing, waits


def main():
    services = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    netns = "bench-" + secrets.token_hex(3)
    command = ["ip", "netns", "exec", netns]
    subprocess.run(["ip", "netns", "add", netns], check=True)
    try:
        for words in ("link add eth0 type veth peer name far", "link set eth0 up", "link set far up",
                      "address add 172.31.0.11/24 dev eth0"):
            subprocess.run([*command, "ip", *words.split()], check=True)
        with tempfile.TemporaryDirectory() as made:
            directory = pathlib.Path(made)
            (directory / "manifests").mkdir()
            write_manifests(directory / "manifests", services, 100)
            config = configuration(directory)
            config["spec"]["serviceCIDRs"] = ["10.96.0.0/15"]
            config["spec"]["resyncPeriod"] = "10s"
            (directory / "agent.json").write_text(json.dumps(config))
            with (directory / "log").open("w") as log:
                agent = subprocess.Popen([*command, WEFT, "agent", "--config", f"{directory}/agent.json"], stderr=log)
                try:
                    wait_until_served(agent, directory, services)
                    took, missing, waits = measure(netns, command, directory, services, seconds)
                finally:
                    agent.terminate()
                    agent.wait()
    finally:
        subprocess.run(["ip", "netns", "delete", netns], check=True)
    longest = max(wait for wait, _ in waits)
    failing = sum(1 for _, why in waits if why)
    served = percentile(took, 0.99)
    print(f"{services} Services x 10 endpoints, read every 10 s, beside {COMMITS} commits/s of another's")
    print(f"  a new Service in the kernel  median {percentile(took, 0.5):.1f} ms, of 99 in 100 {served:.1f} ms, "
          f"at most {max(took):.1f} ms, {missing} missing, n={len(took)}    promised <= {NEW_SERVICE_MS}: "
          f"{'kept' if served <= NEW_SERVICE_MS and not missing else 'NOT KEPT'}")
    print(f"  the status is answered       median {percentile([w for w, _ in waits], 0.5):.1f} ms, of 99 in 100 "
          f"{percentile([w for w, _ in waits], 0.99):.1f} ms, at most {longest:.1f} ms, failing in {failing}, "
          f"n={len(waits)}    promised <= {LOOP_MS}: {'kept' if longest <= LOOP_MS else 'NOT KEPT'}")


if __name__ == "__main__":
    main()
