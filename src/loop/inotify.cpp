// SPDX-License-Identifier: Apache-2.0
#include "loop/inotify.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace weft::loop {
namespace {

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr int kEvery = -1;  // the watch descriptor of IN_Q_OVERFLOW

}  // namespace

Result<std::shared_ptr<Inotify>> Inotify::open(Loop& loop) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd) return fail_errno("inotify");
  const std::shared_ptr<Inotify> made(new Inotify(std::move(fd)));
  WEFT_ASSIGN(made->watcher_, FdWatcher::readable(loop, made->fd_.get(),
                                                  [inotify = made.get()] { inotify->tell(); }));
  return made;
}

Result<std::uint64_t> Inotify::add(const std::string& path, Callback callback) {
  const int descriptor = ::inotify_add_watch(fd_.get(), path.c_str(), kMask);
  if (descriptor < 0) return fail_errno(path);
  watches_.emplace(next_, std::make_shared<Watch>(Watch{descriptor, path, std::move(callback)}));
  return next_++;
}

void Inotify::remove(std::uint64_t watch) {
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  const int descriptor = found->second->descriptor;
  watches_.erase(found);
  const bool shared = std::any_of(watches_.begin(), watches_.end(), [&](const auto& other) {
    return other.second->descriptor == descriptor;
  });
  if (!shared) ::inotify_rm_watch(fd_.get(), descriptor);  // fails where the directory has gone
}

// A regular file that came into being is about to be written, and IN_CLOSE_WRITE ends that; but one
// that has other names was linked, and is told of no more. So is a symlink, a directory, a FIFO.
bool Inotify::is_unfinished(int descriptor, const char* name) const {
  const auto watch = std::find_if(watches_.begin(), watches_.end(), [&](const auto& other) {
    return other.second->descriptor == descriptor;
  });
  if (watch == watches_.end()) return false;
  struct stat status {};
  return ::lstat((watch->second->path + "/" + name).c_str(), &status) == 0 &&
         S_ISREG(status.st_mode) && status.st_nlink == 1;
}

// The names in all events that are there; one name is told once.
Inotify::Names Inotify::read_names() {
  Names names;
  alignas(inotify_event) std::array<char, 16384> buffer;
  ssize_t size = 0;
  while ((size = ::read(fd_.get(), buffer.data(), buffer.size())) > 0) {
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      const char* name = event->len == 0 ? "" : event->name;
      if ((event->mask & IN_CREATE) == 0 || !is_unfinished(event->wd, name))
        names[event->wd].emplace(name);
      at += sizeof(inotify_event) + event->len;
    }
  }
  return names;
}

void Inotify::tell() {
  const auto self = shared_from_this();  // a callback may drop the last watch
  const Names names = read_names();
  for (const auto& [id, watch] : std::map(watches_)) {
    if (!watches_.contains(id)) continue;  // dropped by a callback before it
    if (names.contains(kEvery))
      watch->callback({""});
    else if (const auto found = names.find(watch->descriptor); found != names.end())
      watch->callback(found->second);
  }
}

}  // namespace weft::loop
