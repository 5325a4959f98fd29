// SPDX-License-Identifier: Apache-2.0
#include "loop/directory_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace weft::loop {
namespace {

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// The names in all events that are there; one name is told once.
std::set<std::string> read_names(int inotify) {
  std::set<std::string> names;
  alignas(inotify_event) std::array<char, 16384> buffer;
  ssize_t size = 0;
  while ((size = ::read(inotify, buffer.data(), buffer.size())) > 0) {
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      names.emplace(event->len == 0 ? "" : event->name);
      at += sizeof(inotify_event) + event->len;
    }
  }
  return names;
}

}  // namespace

Result<DirectoryWatch> DirectoryWatch::watch(Loop& loop, const std::string& path,
                                             Callback callback) {
  UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) return fail_errno("inotify");
  if (::inotify_add_watch(inotify.get(), path.c_str(), kMask) < 0) return fail_errno(path);
  WEFT_ASSIGN(FdWatcher watcher,
              FdWatcher::readable(loop, inotify.get(),
                                  [fd = inotify.get(), callback = std::move(callback)] {
                                    const std::set<std::string> names = read_names(fd);
                                    if (!names.empty()) callback(names);
                                  }));
  return DirectoryWatch(std::move(inotify), std::move(watcher));
}

}  // namespace weft::loop
