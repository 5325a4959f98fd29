// SPDX-License-Identifier: Apache-2.0
//
// Calls back with the names of the entries of a directory that came, went or were written to their
// end: inotify's IN_CLOSE_WRITE, IN_MOVED_TO, IN_MOVED_FROM, IN_DELETE and IN_CREATE. An own
// inotify descriptor and not libuv's uv_fs_event, because that one reports every write (so that a
// file is read half-written) and loses overflows. The empty name among them means: anything may
// have changed (events were lost, or the directory itself has gone or moved). Not recursive.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "base/unique_fd.h"
#include "loop/fd_watcher.h"
#include "loop/loop.h"

namespace weft::loop {

class DirectoryWatch {
 public:
  using Callback = std::function<void(const std::set<std::string>& names)>;

  // Fails when the directory does not exist.
  static Result<DirectoryWatch> watch(Loop& loop, const std::string& path, Callback callback);

 private:
  DirectoryWatch(UniqueFd inotify, FdWatcher watcher)
      : inotify_(std::move(inotify)), watcher_(std::move(watcher)) {}

  UniqueFd inotify_;
  FdWatcher watcher_;  // gone before the descriptor it watches
};

}  // namespace weft::loop
