// SPDX-License-Identifier: Apache-2.0
#include "linux/netns.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace weft {
namespace {

constexpr const char* kNamedDirectory = "/run/netns";
constexpr const char* kThisThread = "/proc/thread-self/ns/net";

Result<> make_named_directory() {
  if (::mkdir(kNamedDirectory, 0755) != 0 && errno != EEXIST) return fail_errno(kNamedDirectory);
  return {};
}

// Binds a fresh namespace to `path`; the calling thread is in it only while this runs.
Result<> bind_new_namespace(const std::string& path) {
  WEFT_ASSIGN(const Netns home, Netns::current());
  if (::unshare(CLONE_NEWNET) != 0) return fail_errno("unshare network namespace");
  const int bound = ::mount(kThisThread, path.c_str(), "none", MS_BIND, nullptr);
  const int error = errno;
  // Going on in a namespace that nobody asked for would be worse than ending.
  if (::setns(home.fd(), CLONE_NEWNET) != 0) std::abort();
  if (bound != 0) return fail_errno("bind to " + path, error);
  return {};
}

}  // namespace

Result<Netns> Netns::open(const std::string& path) {
  Netns netns;
  netns.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!netns.fd_) return fail_errno("network namespace " + path);
  return netns;
}

Result<Netns> Netns::current() { return open(kThisThread); }

Result<Netns> Netns::of_socket(int fd) {
  Netns netns;
  netns.fd_.reset(::ioctl(fd, SIOCGSKNS));
  if (!netns.fd_) return fail_errno("network namespace of a socket");
  return netns;
}

Result<std::pair<std::uint64_t, std::uint64_t>> Netns::identity() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return fail_errno("stat network namespace");
  return std::pair<std::uint64_t, std::uint64_t>{status.st_dev, status.st_ino};
}

Result<NetnsGuard> NetnsGuard::enter(const Netns& netns) {
  UniqueFd back(::open(kThisThread, O_RDONLY | O_CLOEXEC));
  if (!back) return fail_errno(kThisThread);
  if (::setns(netns.fd(), CLONE_NEWNET) != 0) return fail_errno("enter network namespace");
  return NetnsGuard(std::move(back));
}

NetnsGuard::~NetnsGuard() {
  if (back_ && ::setns(back_.get(), CLONE_NEWNET) != 0) std::abort();
}

std::string named_netns_path(std::string_view name) {
  return std::string(kNamedDirectory) + "/" + std::string(name);
}

Result<Netns> create_named_netns(std::string_view name) {
  const std::string path = named_netns_path(name);
  WEFT_TRY(make_named_directory());
  const UniqueFd mount_point(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!mount_point) return fail_errno("create network namespace " + path);
  if (auto bound = bind_new_namespace(path); !bound) {
    ::unlink(path.c_str());
    return Failure(std::move(bound.error()));
  }
  return Netns::open(path);
}

Result<> remove_named_netns(std::string_view name) {
  const std::string path = named_netns_path(name);
  // EINVAL: a name whose namespace was never bound, or is already unmounted.
  if (::umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT) {
    return fail_errno("unmount " + path);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove " + path);
  return {};
}

}  // namespace weft
