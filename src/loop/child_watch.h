// SPDX-License-Identifier: Apache-2.0
//
// Calls back once when a child process ends, and reaps it, by a pidfd: no SIGCHLD, so children that
// others start and wait for are left alone. A watch that is destroyed before leaves its child
// unreaped. Source: pidfd_open(2).
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>

#include "base/unique_fd.h"
#include "loop/fd_watcher.h"
#include "loop/loop.h"

namespace weft::loop {

class ChildWatch {
 public:
  // `callback` gets the status as a shell gives it: 0–255, or 128 + signal.
  static Result<ChildWatch> watch(Loop& loop, pid_t child, std::function<void(int)> callback);

 private:
  struct State {
    UniqueFd pidfd{};
    std::optional<FdWatcher> watcher{};  // gone before the descriptor it watches
  };
  explicit ChildWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}

  std::unique_ptr<State> state_;
};

}  // namespace weft::loop
