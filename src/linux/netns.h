// SPDX-License-Identifier: Apache-2.0
//
// Network namespaces: opened by path, entered for a scope, made and removed by name under
// /run/netns (as `ip netns` does, so its tools see them). Only the network namespace changes: no
// new mount namespace, no new /sys (unlike `ip netns exec`, which hides cgroupfs and bpffs).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft {

class Netns {
 public:
  static Result<Netns> open(const std::string& path);
  static Result<Netns> current();  // the calling thread's
  static Result<Netns> of_socket(int fd);

  int fd() const { return fd_.get(); }
  // Device and inode of the nsfs file: equal exactly when two paths name the same namespace.
  Result<std::pair<std::uint64_t, std::uint64_t>> identity() const;

 private:
  UniqueFd fd_{};
};

// The calling thread is in `netns` until the guard goes; then back where it was.
class NetnsGuard {
 public:
  static Result<NetnsGuard> enter(const Netns& netns);
  NetnsGuard(NetnsGuard&&) = default;
  NetnsGuard& operator=(NetnsGuard&&) = delete;
  ~NetnsGuard();

 private:
  explicit NetnsGuard(UniqueFd back) : back_(std::move(back)) {}
  UniqueFd back_;
};

// /run/netns/NAME: creates an empty namespace (lo down) bound there, or removes it. Removing one
// that is not there is success; the namespace itself lives on while processes are in it.
Result<Netns> create_named_netns(std::string_view name);
Result<> remove_named_netns(std::string_view name);
std::string named_netns_path(std::string_view name);

}  // namespace weft
