// SPDX-License-Identifier: Apache-2.0
#include "loop/child_watch.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weft::loop {

Result<ChildWatch> ChildWatch::watch(Loop& loop, pid_t child, std::function<void(int)> callback) {
  auto state = std::make_unique<State>();
  state->pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!state->pidfd) return fail_errno("pidfd_open");
  auto on_exit = [child, state = state.get(), callback = std::move(callback)] {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) != child) return;
    // A pidfd stays readable for ever.
    static_cast<void>(state->watcher->set_interest({}));
    callback(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  };
  WEFT_ASSIGN(state->watcher, FdWatcher::readable(loop, state->pidfd.get(), std::move(on_exit)));
  return ChildWatch(std::move(state));
}

}  // namespace weft::loop
