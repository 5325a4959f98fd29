// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/proc_sys.h"

#include <fcntl.h>

#include "base/unique_fd.h"
#include "linux/file.h"

namespace weft::cni {

Result<> write_proc_sys(const std::string& key, std::string_view value) {
  const std::string path = "/proc/sys/" + key;
  WEFT_ASSIGN(const std::string present, read_file(path));
  if (present == std::string(value) + "\n") return {};
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return fail_errno("open " + path);
  return write_all(file.get(), value, path);
}

}  // namespace weft::cni
