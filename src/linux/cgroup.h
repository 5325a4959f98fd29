// SPDX-License-Identifier: Apache-2.0
//
// cgroup2 directories as a way to hold on to processes: what is started in one
// (ProcessSpec::cgroup) stays in it whatever it forks, and all of it ends by one write to
// cgroup.kill (since Linux 5.14; Documentation/admin-guide/cgroup-v2.rst). No controllers are used,
// so a host that mounts cgroup2 beside the older hierarchies (/sys/fs/cgroup/unified) does as well
// as one that has only cgroup2. Paths are absolute, below the mount.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft {

// Where cgroup2 is mounted, as /proc/self/mountinfo says. Fails where there is none to see, which
// is also so under `ip netns exec` (it mounts a new /sys; nsenter --net does not).
Result<std::string> cgroup2_mount();

// Makes the directory and those above it; one that is there already is success.
Result<> create_cgroup(const std::string& path);

// The processes in `path` itself and everything below it. Not there: none.
std::vector<pid_t> cgroup_processes(const std::string& path);

// Kills every process in and below `path` (SIGKILL) and waits until none is left. Not there:
// success.
Result<> kill_cgroup(const std::string& path, std::chrono::milliseconds timeout);

// Removes `path` and everything below it, which holds no process any more. Not there: success.
Result<> remove_cgroup(const std::string& path);

}  // namespace weft
