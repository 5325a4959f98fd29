// SPDX-License-Identifier: Apache-2.0
#include "linux/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "base/unique_fd.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// "… 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw" → the mount point.
std::string mount_point_of(const std::string& line) {
  const std::size_t separator = line.find(" - cgroup2 ");
  if (separator == std::string::npos) return {};
  std::istringstream fields(line.substr(0, separator));
  std::string id, parent, device, root, mount_point;
  fields >> id >> parent >> device >> root >> mount_point;
  return mount_point;
}

std::vector<fs::path> directories_below(const std::string& path) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(path, ignored), end; entry != end; entry.increment(ignored)) {
    if (entry->is_directory(ignored)) found.push_back(entry->path());
  }
  return found;
}

Result<bool> is_populated(int events) {
  char text[256];
  const ssize_t length = ::pread(events, text, sizeof text, 0);
  if (length < 0) {
    if (errno == ENODEV) return false;  // removed by somebody else meanwhile
    return fail_errno("read cgroup.events");
  }
  const std::string_view content(text, static_cast<std::size_t>(length));
  return content.find("populated 1") != std::string_view::npos;
}

Result<> wait_until_empty(const std::string& path, std::chrono::milliseconds timeout) {
  const UniqueFd events(::open((path + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  if (!events) return errno == ENOENT ? Result<>{} : Result<>(fail_errno(path + "/cgroup.events"));
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    WEFT_ASSIGN(const bool populated, is_populated(events.get()));
    if (!populated) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fail(path + ": processes are left in it", ETIMEDOUT);
    pollfd change{events.get(), POLLPRI, 0};
    if (::poll(&change, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) {
      return fail_errno("poll " + path + "/cgroup.events");
    }
  }
}

}  // namespace

Result<std::string> cgroup2_mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (std::string found = mount_point_of(line); !found.empty()) return found;
  }
  return fail(
      "no cgroup2 file system is mounted here (under `ip netns exec` it is hidden: use nsenter "
      "--net)");
}

Result<> create_cgroup(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail_errno("create cgroup " + path, error.value());
  return {};
}

std::vector<pid_t> cgroup_processes(const std::string& path) {
  std::vector<pid_t> pids;
  std::ifstream own(path + "/cgroup.procs");
  for (pid_t pid = 0; own >> pid;) pids.push_back(pid);
  for (const fs::path& child : directories_below(path)) {
    const std::vector<pid_t> below = cgroup_processes(child);
    pids.insert(pids.end(), below.begin(), below.end());
  }
  return pids;
}

Result<> kill_cgroup(const std::string& path, std::chrono::milliseconds timeout) {
  const UniqueFd kill(::open((path + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  if (!kill) {
    return errno == ENOENT ? Result<>{} : Result<>(fail_errno(path + "/cgroup.kill"));
  }
  if (::write(kill.get(), "1", 1) < 0 && errno != ENODEV) return fail_errno("kill cgroup " + path);
  return wait_until_empty(path, timeout);
}

Result<> remove_cgroup(const std::string& path) {
  for (const fs::path& child : directories_below(path)) WEFT_TRY(remove_cgroup(child));
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove cgroup " + path);
  return {};
}

}  // namespace weft
