// SPDX-License-Identifier: Apache-2.0
#include "linux/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/unique_fd.h"

namespace weft {

namespace {

// Hidden, and without an extension that a runtime which scans the directory would read.
std::string beside(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;
  return path.substr(0, name) + "." + path.substr(name) + ".new";
}

Result<> write_new(const std::string& path, std::string_view text, mode_t mode, Durable durable) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file) return fail_errno("create " + path);
  WEFT_TRY(write_all(file.get(), text, path));
  if (::fchmod(file.get(), mode) != 0) return fail_errno("change mode of " + path);
  if (durable == Durable::kYes && ::fsync(file.get()) != 0) return fail_errno("sync " + path);
  return {};
}

}  // namespace

Result<std::string> read_all(int fd, std::string_view name, std::size_t most) {
  std::string text;
  std::array<char, 16384> block{};
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(std::string("read ").append(name));
    if (got == 0) return text;
    if (static_cast<std::size_t>(got) > most - text.size())
      return fail_errno(std::string("read ").append(name), EFBIG);
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> read_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("open " + path);
  return read_all(file.get(), path);
}

Result<std::optional<std::string>> read_if_there(const std::string& path) {
  Result<std::string> text = read_file(path);
  if (text) return std::move(*text);
  if (text.error().code == ENOENT || text.error().code == ENOTDIR) return std::nullopt;
  return Failure(std::move(text.error()));
}

Result<> write_all(int fd, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(std::string("write ").append(name));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> write_atomically(const std::string& path, std::string_view text, mode_t mode,
                          Durable durable) {
  const std::string unfinished = beside(path);
  Result<> done = write_new(unfinished, text, mode, durable);
  if (done && ::rename(unfinished.c_str(), path.c_str()) != 0)
    done = fail_errno("rename to " + path);
  if (!done) ::unlink(unfinished.c_str());
  return done;
}

Result<> remove_file(const std::string& path) {
  for (const std::string& name : {beside(path), path})
    if (::unlink(name.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
      return fail_errno("remove " + name);
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory && errno == ENOENT) return {};
  if (!directory) return fail_errno("open directory " + path);
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(directory.get()); errno = 0)
    if (const std::string_view name = entry->d_name; name != "." && name != "..")
      names.emplace_back(name);
  if (errno != 0) return fail_errno("read directory " + path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<> make_directories(const std::string& path, mode_t mode) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST)
      return fail_errno("make directory " + part);
    if (end == std::string::npos) return {};
  }
}

}  // namespace weft
