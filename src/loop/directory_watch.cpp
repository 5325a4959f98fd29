// SPDX-License-Identifier: Apache-2.0
#include "loop/directory_watch.h"

namespace weft::loop {

Result<DirectoryWatch> DirectoryWatch::watch(Loop& loop, const std::string& path,
                                             Callback callback) {
  WEFT_ASSIGN(std::shared_ptr<Inotify> inotify, loop.inotify());
  WEFT_ASSIGN(const std::uint64_t watch, inotify->add(path, std::move(callback)));
  return DirectoryWatch(std::move(inotify), watch);
}

}  // namespace weft::loop
