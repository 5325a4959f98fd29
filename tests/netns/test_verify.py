#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`weft verify` writes nothing at all, as strace sees the agent: no file, no kernel object. Not even where there is
something to tidy up."""
import re
import signal
import subprocess
import tempfile
import unittest

from weft_test import Lab, in_netns, main, verify, wait_for

# What changes a file or a directory, whatever becomes of it.
CHANGES = re.compile(r"^\d+ +(rename|renameat2?|unlink|unlinkat|mkdir|mkdirat|rmdir|link|linkat|symlink|symlinkat|truncate"
                     r"|ftruncate|fallocate|chmod|fchmod|fchmodat|chown|fchown|fchownat|utimensat|mknod|mknodat)\(")
OPENED_TO_WRITE = re.compile(r"^\d+ +(creat\(|open(at)?2?\(.*O_(WRONLY|RDWR|CREAT|TRUNC|APPEND))")
WRITTEN_TO_A_FILE = re.compile(r"^\d+ +(write|writev|pwrite64|pwritev)\(\d+</")
REQUEST = re.compile(r"nlmsg_type=([^,]+)")


def changes(trace):
    found = []
    for line in trace.splitlines():
        if CHANGES.match(line) or OPENED_TO_WRITE.match(line) or WRITTEN_TO_A_FILE.match(line):
            found.append(line)
        elif "<NETLINK:" in line and re.match(r"^\d+ +send(to|msg)\(", line):
            found += [line for kind in REQUEST.findall(line) if "GET" not in kind]
    return found


class Verify(unittest.TestCase):
    def traced(self, node, action):
        """What the agent's system calls are while `action` runs."""
        with tempfile.NamedTemporaryFile("r") as output:
            # From inside the namespace, whose sockets it cannot name from elsewhere.
            tracer = subprocess.Popen(["nsenter", f"--net=/proc/{node['agentPid']}/ns/net", "strace", "-f", "-yy",
                                       "-o", output.name, "-p", str(node["agentPid"])],
                                      stderr=subprocess.PIPE, text=True)
            try:
                self.assertIn("attached", tracer.stderr.readline())
                action()
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.communicate()
            return output.read()

    def test_verify_writes_nothing(self):
        with Lab("--nodes", 1) as lab:
            lab.sync()
            node = lab.node("node1")
            state = wait_for("the state directory", lambda: next(lab.directory.glob("**/sysctl"), None)).parent
            # Of an earlier boot, half written, and written by an agent with another configuration but gone since.
            litter = {"sysctl/net:ipv4:ip_default_ttl": "boot another\nprevious 64\nours 70\n",
                      "sysctl/.net:ipv4:ip_forward.new": "bo"}
            for name, text in litter.items():
                (state / name).write_text(text)
            record = state / "files"
            record.write_text(record.read_text() + "/nonexistent/10-weft.conflist\n")
            before = {path: path.stat().st_mtime_ns for path in state.rglob("*")}

            trace = self.traced(node, lambda: self.assertEqual(verify(node).returncode, 0))

            self.assertIn("RTM_GETLINK", trace, "nothing was seen of a verify")
            self.assertEqual(changes(trace), [])
            self.assertEqual({path: path.stat().st_mtime_ns for path in state.rglob("*")}, before)
            # The same eyes see a repair.
            netns = f"/proc/{node['agentPid']}/ns/net"
            trace = self.traced(node, lambda: (
                in_netns(netns, "ip", "link", "set", "cni0", "mtu", "1300"), lab.sync()))
            self.assertTrue(any("RTM_NEWLINK" in line for line in changes(trace)), "a write goes unseen")


if __name__ == "__main__":
    main()
