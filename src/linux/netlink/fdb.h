// SPDX-License-Identifier: Apache-2.0
//
// Forwarding entries of a VXLAN link itself ("self"): which remote VTEP has this MAC address.
// Source: net/core/rtnetlink.c (rtnl_fdb_add), drivers/net/vxlan/vxlan_core.c.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

struct FdbEntry {
  std::uint32_t link = 0;  // index
  MacAddress mac{};
  IpAddress remote{};
  std::uint16_t state = 0;  // as read: NUD_PERMANENT, NUD_NOARP (static), NUD_REACHABLE (learned)
  bool self = false;        // as read: the link's own, not its bridge's
};

void put_fdb_entry(Batch& batch, const FdbEntry& entry);    // permanent, self; replaces the remote
void put_fdb_removal(Batch& batch, const FdbEntry& entry);  // ENOENT where there is none

Result<std::vector<FdbEntry>> list_fdb(Socket& socket, std::uint32_t link);

FdbEntry parse_fdb_entry(const MessageView& message);  // an AF_BRIDGE RTM_NEWNEIGH or RTM_DELNEIGH

}  // namespace weft::netlink
