// SPDX-License-Identifier: Apache-2.0
//
// Names of links to the kernel's indexes and back, for one read or write: a link that is made anew
// has another index, so nothing is remembered beyond. Also keeps open what a batch refers to until
// it is sent. One namespace (the socket's), one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "linux/netlink/link.h"
#include "linux/netlink/socket.h"
#include "linux/netns.h"

namespace weft::tables {

class LinkIndex {
 public:
  explicit LinkIndex(netlink::Socket& socket) : socket_(socket) {}

  // "link cni0: No such device" (ENODEV) where there is none.
  Result<std::uint32_t> index_of(const std::string& name);
  Result<std::optional<std::uint32_t>> find(const std::string& name);
  // "" for 0 and for a link that is gone.
  Result<std::string> name_of(std::uint32_t index);
  Result<std::optional<netlink::Link>> read(const std::string& name);
  Result<std::vector<netlink::Link>> read_all() { return netlink::list_links(socket_); }

  // The file of the namespace at `path`, open as long as this object lives.
  Result<int> open_netns(const std::string& path);

 private:
  netlink::Socket& socket_;
  std::map<std::string, std::optional<std::uint32_t>> indexes_{};
  std::map<std::uint32_t, std::string> names_{};
  std::vector<Netns> open_{};
};

}  // namespace weft::tables
