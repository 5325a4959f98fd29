// SPDX-License-Identifier: Apache-2.0
// An exclusive flock(2) on a file (made if missing), held until the object goes. Blocks. The holder
// may remove the file: whoever waited for it starts anew.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft {

class FileLock {
 public:
  static Result<FileLock> acquire(const std::string& path);

 private:
  UniqueFd fd_{};
};

}  // namespace weft
