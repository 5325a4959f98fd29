// SPDX-License-Identifier: Apache-2.0
// An exclusive flock(2) on a file (made if missing), held until the object goes. The holder may
// remove the file: whoever waited for it starts anew.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft {

class FileLock {
 public:
  static Result<FileLock> acquire(const std::string& path);  // blocks
  // Nothing where another holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::string& path);

 private:
  static Result<FileLock> take(const std::string& path, int operation);

  UniqueFd fd_{};
};

}  // namespace weft
