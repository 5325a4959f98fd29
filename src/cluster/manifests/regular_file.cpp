// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/regular_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "linux/file.h"

namespace weft::cluster {
namespace {

// Four times what a list of 10,000 Services with 10 endpoints each takes.
constexpr std::size_t kLargestFile = std::size_t{64} << 20;

Result<> check_regular(const struct stat& status, const std::string& name) {
  if (S_ISDIR(status.st_mode)) return fail_errno(name, EISDIR);
  if (!S_ISREG(status.st_mode)) return fail(name + ": is not a regular file");
  return {};
}

}  // namespace

// Looked at before it is opened, because to open a device or a FIFO is to do something to it; and
// after, because it may have been replaced.
Result<std::string> read_regular_file(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail_errno(name);
  WEFT_TRY(check_regular(status, name));
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail_errno(name);
  WEFT_TRY(check_regular(status, name));
  auto text = read_all(fd.get(), name, kLargestFile);
  if (!text && text.error().code == EFBIG)
    return fail(fmt::format("{}: is larger than {} MiB", name, kLargestFile >> 20), EFBIG);
  if (!text) return fail_errno(name, text.error().code);
  return text;
}

}  // namespace weft::cluster
