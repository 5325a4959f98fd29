// SPDX-License-Identifier: Apache-2.0
#include "linux/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "linux/file.h"

namespace weft {

namespace {

std::string kernel_path(const std::string& key) { return "/proc/sys/" + key; }

}  // namespace

Result<std::optional<std::string>> read_sysctl(const std::string& key) {
  WEFT_ASSIGN(auto value, read_if_there(kernel_path(key)));
  if (value && value->ends_with('\n')) value->pop_back();
  return value;
}

// One write call: the kernel takes each as a whole value.
Result<> write_sysctl(const std::string& key, std::string_view value) {
  const UniqueFd fd(::open(kernel_path(key).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return fail_errno("open " + kernel_path(key));
  if (::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size()))
    return fail_errno("write '" + std::string(value) + "' to " + kernel_path(key));
  return {};
}

Result<> ensure_sysctl(const std::string& key, std::string_view value) {
  WEFT_ASSIGN(const auto present, read_sysctl(key));
  return present == value ? Result<>() : write_sysctl(key, value);
}

}  // namespace weft
