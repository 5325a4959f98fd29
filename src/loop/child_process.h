// SPDX-License-Identifier: Apache-2.0
//
// A command run beside the loop: its input given whole, its output collected, its end an event. How
// iptables-restore is run. The child is made by linux/process (namespaces, cgroup) and leads a
// session and process group of its own; the loop watches its pidfd, so no SIGCHLD handler is needed
// and nobody else's children are reaped.
//
// Invariants: `done` is called once, from the loop and never from start(), unless this object goes
// before; it may destroy it. By then, and once the object has gone, no process of the child's group
// is left (one that made a session of its own is not in it). So destruction kills, and waits: a
// process inside a system call ends when that returns. The input is a file in memory: a child that
// does not read it holds up nobody. One thread, the loop's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "linux/process.h"
#include "loop/loop.h"

namespace weft::loop {

class ChildProcess {
 public:
  // Status as a shell gives it, and what it printed; or why that is not known. One that printed
  // more than it may is killed, and an error.
  using Done = std::function<void(Result<Output> result)>;

  static constexpr std::size_t kMostOutput = 16 * 1024 * 1024;  // bytes, of each of both streams

  // Fails, as start_process() does, with what went wrong up to its execve. The session and the
  // three descriptors of `spec` are set here.
  static Result<ChildProcess> start(Loop& loop, ProcessSpec spec, std::string_view input, Done done,
                                    std::size_t most_output = kMostOutput);

  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;
  ~ChildProcess();

  pid_t pid() const;
  // SIGKILL to its group; `done` is told 128 + 9. Nothing when it has ended.
  void kill();

 private:
  class Running;
  explicit ChildProcess(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace weft::loop
