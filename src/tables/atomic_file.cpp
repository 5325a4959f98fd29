// SPDX-License-Identifier: Apache-2.0
#include "tables/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/unique_fd.h"

namespace weft::tables {

namespace {

// Hidden, and without an extension that a runtime which scans the directory would read.
std::string beside(const std::string& path) {
  const std::filesystem::path target(path);
  return (target.parent_path() / ("." + target.filename().string() + ".new")).string();
}

Result<> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("write " + path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> write_synced(const std::string& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return fail_errno("create " + path);
  WEFT_TRY(write_all(fd.get(), content, path));
  if (::fchmod(fd.get(), 0644) != 0) return fail_errno("change mode of " + path);  // past the umask
  if (::fsync(fd.get()) != 0) return fail_errno("sync " + path);
  return {};
}

}  // namespace

Result<> write_atomically(const std::string& path, std::string_view content) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail_errno("create directory " + directory.string(), error.value());
  const std::string temporary = beside(path);
  WEFT_TRY(write_synced(temporary, content));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("rename to " + path);
  return {};
}

Result<> remove_file(const std::string& path) {
  for (const std::string& name : {beside(path), path})
    if (::unlink(name.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
      return fail_errno("remove " + name);
  return {};
}

}  // namespace weft::tables
