// SPDX-License-Identifier: Apache-2.0
//
// Neighbors (ARP, NDP) over rtnetlink: the permanent ones.
// Source: include/uapi/linux/neighbour.h, net/core/neighbour.c.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

struct Neighbor {
  std::uint32_t link = 0;  // index
  IpAddress address{};
  MacAddress mac{};
  std::uint16_t state = 0;  // as read: NUD_PERMANENT, NUD_REACHABLE …
};

void put_neighbor(Batch& batch, const Neighbor& neighbor);          // permanent; replaces
void put_neighbor_removal(Batch& batch, const Neighbor& neighbor);  // ENOENT where there is none

// Of both families on the link with this index, or on all links (0).
Result<std::vector<Neighbor>> list_neighbors(Socket& socket, std::uint32_t link);

Neighbor parse_neighbor(const MessageView& message);  // an RTM_NEWNEIGH or RTM_DELNEIGH

}  // namespace weft::netlink
