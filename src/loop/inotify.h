// SPDX-License-Identifier: Apache-2.0
//
// A loop's one inotify descriptor, shared by all its directory watches: a user may have only 128
// of them (fs.inotify.max_user_instances), and a lab runs many agents. Made with the first watch
// and gone with the last. What DirectoryWatch is made of. Source: inotify(7).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "loop/fd_watcher.h"
#include "loop/loop.h"

namespace weft::loop {

class Inotify : public std::enable_shared_from_this<Inotify> {
 public:
  using Callback = std::function<void(const std::set<std::string>& names)>;

  static Result<std::shared_ptr<Inotify>> open(Loop& loop);  // the loop's own: Loop::inotify()

  // A directory may be watched more than once. Returns what remove() takes.
  Result<std::uint64_t> add(const std::string& path, Callback callback);
  void remove(std::uint64_t watch);

 private:
  using Names = std::map<int, std::set<std::string>>;  // by watch descriptor
  struct Watch {
    int descriptor = -1;
    std::string path{};
    Callback callback{};
  };

  explicit Inotify(UniqueFd fd) : fd_(std::move(fd)) {}
  Names read_names();
  bool is_unfinished(int descriptor, const char* name) const;
  void tell();

  UniqueFd fd_;
  std::optional<FdWatcher> watcher_{};  // gone before the descriptor it watches
  std::map<std::uint64_t, std::shared_ptr<Watch>> watches_{};
  std::uint64_t next_ = 1;
};

}  // namespace weft::loop
