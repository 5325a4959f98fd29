// SPDX-License-Identifier: Apache-2.0
#include "tables/neighbor_driver.h"

#include <linux/neighbour.h>

#include "linux/netlink/neighbor.h"
#include "tables/rtnetlink_write.h"

namespace weft::tables {

Result<> encode(const reconcile::Change<NeighborKind>& change, LinkIndex& links,
                netlink::Batch& batch) {
  WEFT_ASSIGN(const auto index, links.find(change.key.link));
  if (!index && !change.value) return {};  // gone with its link
  if (!index) return fail_errno("link " + change.key.link, ENODEV);
  netlink::Neighbor neighbor;
  neighbor.link = *index;
  neighbor.address = change.key.address;
  if (change.value) {
    neighbor.mac = change.value->mac;
    netlink::put_neighbor(batch, neighbor);
  } else {
    netlink::put_neighbor_removal(batch, neighbor);
  }
  return {};
}

Result<NeighborKind::Table> NeighborDriver::read() {
  LinkIndex links(socket_);
  NeighborKind::Table table;
  for (const std::string& name : links_) {
    WEFT_ASSIGN(const auto index, links.find(name));
    if (!index) continue;
    WEFT_ASSIGN(const auto neighbors, netlink::list_neighbors(socket_, *index));
    for (const netlink::Neighbor& neighbor : neighbors)
      if ((neighbor.state & NUD_PERMANENT) != 0) table[{name, neighbor.address}] = {neighbor.mac};
  }
  return table;
}

void NeighborDriver::write(const reconcile::Changes<NeighborKind>& changes,
                           const reconcile::Desired<NeighborKind>&,
                           reconcile::WriteDone<NeighborKind> done) {
  LinkIndex links(socket_);
  write_batch<NeighborKind>(socket_, changes, done, [&](const auto& change, netlink::Batch& batch) {
    return encode(change, links, batch);
  });
}

}  // namespace weft::tables
