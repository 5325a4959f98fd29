// SPDX-License-Identifier: Apache-2.0
// Permanent neighbors (ARP, NDP) on the owned links. What the kernel learns by itself is its own.
#pragma once

#include "tables/neighbor.h"
#include "tables/rtnetlink_driver.h"

namespace weft::tables {

Result<> read_entries(netlink::Socket& socket, LinkIndex& links, const Ownership& ownership,
                      NeighborKind::Table& table);
Result<> encode(const reconcile::Change<NeighborKind>& change, LinkIndex& links,
                const Ownership& ownership, netlink::Batch& batch);

using NeighborDriver = RtnetlinkDriver<NeighborKind>;

}  // namespace weft::tables
