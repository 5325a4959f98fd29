// SPDX-License-Identifier: Apache-2.0
//
// Calls back with the names of the entries of a directory that came, went or were written to their
// end: inotify's IN_CLOSE_WRITE, IN_MOVED_TO, IN_MOVED_FROM, IN_DELETE, and IN_CREATE of what is
// not yet to be written (links, directories). Inotify itself and not libuv's uv_fs_event, because
// that one reports every write (so that a file is read half-written) and loses overflows. A hard
// link is told only if the file still has another name: link(2) and at once unlink(2) look like a
// file that is being written (rename(2) does not). The empty name among them means: anything may
// have changed (events were lost, or the directory itself has gone or moved). Not recursive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "loop/inotify.h"

namespace weft::loop {

class DirectoryWatch {
 public:
  using Callback = Inotify::Callback;

  // Fails when the directory does not exist.
  static Result<DirectoryWatch> watch(Loop& loop, const std::string& path, Callback callback);

  DirectoryWatch(DirectoryWatch&& other) noexcept = default;
  DirectoryWatch& operator=(DirectoryWatch&& other) noexcept {
    std::swap(inotify_, other.inotify_);
    std::swap(watch_, other.watch_);
    return *this;
  }
  ~DirectoryWatch() {
    if (inotify_) inotify_->remove(watch_);
  }

 private:
  DirectoryWatch(std::shared_ptr<Inotify> inotify, std::uint64_t watch)
      : inotify_(std::move(inotify)), watch_(watch) {}

  std::shared_ptr<Inotify> inotify_;  // none: moved from
  std::uint64_t watch_;
};

}  // namespace weft::loop
