// SPDX-License-Identifier: Apache-2.0
#include "tables/neighbor_driver.h"

#include <linux/neighbour.h>

#include "linux/netlink/neighbor.h"

namespace weft::tables {

Result<> read_entries(netlink::Socket& socket, LinkIndex& links, const Ownership& ownership,
                      NeighborKind::Table& table) {
  return each_link(links, ownership, [&](const std::string& name, std::uint32_t index) -> Result<> {
    WEFT_ASSIGN(const auto neighbors, netlink::list_neighbors(socket, index));
    for (const netlink::Neighbor& neighbor : neighbors)
      if ((neighbor.state & NUD_PERMANENT) != 0) table[{name, neighbor.address}] = {neighbor.mac};
    return {};
  });
}

Result<> encode(const reconcile::Change<NeighborKind>& change, LinkIndex& links, const Ownership&,
                netlink::Batch& batch) {
  return on_link(change, links, [&](std::uint32_t index) {
    netlink::Neighbor neighbor;
    neighbor.link = index;
    neighbor.address = change.key.address;
    if (!change.value) return netlink::put_neighbor_removal(batch, neighbor);
    neighbor.mac = change.value->mac;
    netlink::put_neighbor(batch, neighbor);
  });
}

}  // namespace weft::tables
