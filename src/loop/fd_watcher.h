// SPDX-License-Identifier: Apache-2.0
//
// Calls back while a descriptor is readable or writable (level-triggered, so reading a part is
// enough). The descriptor stays the caller's and must outlive the watcher; it is made non-blocking.
// One watcher a descriptor: epoll knows each only once.
#pragma once

#include <functional>

#include "loop/handle.h"
#include "loop/loop.h"

namespace weft::loop {

struct Ready {
  // Also: hung up, or an error that a read will tell; after an error nothing is waited for until
  // set_interest().
  bool readable = false;
  bool writable = false;
};

class FdWatcher {
 public:
  using Callback = std::function<void(Ready)>;

  static Result<FdWatcher> watch(Loop& loop, int fd, Ready interest, Callback callback);
  static Result<FdWatcher> readable(Loop& loop, int fd, std::function<void()> callback);

  // Changes what is waited for; neither: nothing, until the next call.
  Result<> set_interest(Ready interest);

 private:
  using Poll = OwnedHandle<uv_poll_t, Ready>;
  explicit FdWatcher(Poll poll) : poll_(std::move(poll)) {}

  Poll poll_;
};

}  // namespace weft::loop
