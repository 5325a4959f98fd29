// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/neighbor_groups.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "cni/plugins/wait.h"

namespace weft::cni {
namespace {

Result<std::set<IpAddress>> read_groups(netlink::Socket& socket) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET6;
  netlink::Batch request;
  request.add(RTM_GETMULTICAST, 0).header(header);
  std::set<IpAddress> groups;
  const auto take = [&](const netlink::MessageView& message) {
    for (const netlink::Attribute attribute : message.attributes<ifaddrmsg>()) {
      if (attribute.type() == IFA_MULTICAST) groups.insert(attribute.address());
    }
  };
  WEFT_TRY(socket.dump(request, take, [&] { groups.clear(); }));
  return groups;
}

}  // namespace

IpAddress solicited_node_group(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff};
  const auto own = address.bytes();
  std::copy(own.end() - 3, own.end(), bytes.end() - 3);
  return IpAddress::from_bytes(bytes);
}

Outcome<> wait_for_neighbor_groups(netlink::Socket& socket,
                                   const std::vector<IpAddress>& addresses) {
  std::set<IpAddress> wanted;
  for (const IpAddress& address : addresses) {
    if (address.is_v6()) wanted.insert(solicited_node_group(address));
  }
  if (wanted.empty()) return {};
  return wait_until([&]() -> Outcome<bool> {
    CNI_ASSIGN(const std::set<IpAddress> joined, read_groups(socket));
    return std::includes(joined.begin(), joined.end(), wanted.begin(), wanted.end());
  });
}

}  // namespace weft::cni
