// SPDX-License-Identifier: Apache-2.0
//
// Starts a process in given namespaces and a given cgroup (libuv has no hook for either): pods,
// node agents, CNI plugins. The child is created directly in its cgroup (clone3 CLONE_INTO_CGROUP,
// since Linux 5.7), so that nothing it forks can be missed by cgroup.kill.
//
// Invariants: of our descriptors the child has the three it was given; its signals are at their
// defaults; it outlives us (no parent-death signal). With a new pid namespace the command is that
// namespace's PID 1, as in a container. Source: man 2 clone3, setns, pidfd_open.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft {

struct ProcessSpec {
  std::vector<std::string>
      argv{};  // argv[0] with a slash is a path; else looked up in PATH of `env`
  std::vector<std::string> env{};    // "NAME=value", the whole environment
  std::string netns{};               // path; "" = ours
  std::string cgroup{};              // cgroup2 directory; "" = ours
  pid_t namespaces_of = 0;           // enters that process's mount, UTS, pid and network namespaces
  std::string working_directory{};   // "" = ours
  bool new_mount_namespace = false;  // private; `tmpfs` is mounted in it
  bool new_pid_namespace = false;    // with a fresh /proc (needs new_mount_namespace)
  bool new_session = false;          // setsid: survives us and our terminal
  std::vector<std::string> tmpfs{};  // directories that get an empty tmpfs of the same mode
  std::string hostname{};            // "" = ours; else a new UTS namespace
  int stdin_fd = -1;                 // -1 = /dev/null
  int stdout_fd = -1;                // -1 = /dev/null
  int stderr_fd = -1;                // -1 = /dev/null
};

struct Process {
  pid_t pid = -1;
  UniqueFd pidfd{};  // readable once it has ended
};

// Fails with what went wrong in the child up to its execve ("exec /usr/bin/x: No such file or
// directory"). The caller reaps it (wait_for, or waitpid). Any thread.
Result<Process> start_process(const ProcessSpec& spec);

// Exit status as a shell gives it: 0–255, or 128 + signal.
Result<int> wait_for(const Process& process);
// Nothing when it still runs at the deadline.
Result<std::optional<int>> wait_for(const Process& process, std::chrono::milliseconds timeout);

// Started with `input` on stdin, a file in memory and not a pipe: nobody has to feed it. What it
// prints waits in the two pipes.
struct PipedProcess {
  Process process{};
  UniqueFd out{};
  UniqueFd err{};
};
Result<PipedProcess> start_piped(ProcessSpec spec, std::string_view input);

struct Output {
  int status = 0;
  std::string out{};
  std::string err{};
};
// Runs it to its end with `input` on stdin, collecting stdout and stderr.
Result<Output> run_process(ProcessSpec spec, std::string_view input = {});

}  // namespace weft
