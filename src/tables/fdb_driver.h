// SPDX-License-Identifier: Apache-2.0
// Permanent forwarding entries of the owned VXLAN links: MAC address → remote VTEP. A bridge learns
// its own.
#pragma once

#include "tables/fdb.h"
#include "tables/rtnetlink_driver.h"

namespace weft::tables {

Result<> read_entries(netlink::Socket& socket, LinkIndex& links, const Ownership& ownership,
                      FdbKind::Table& table);
Result<> encode(const reconcile::Change<FdbKind>& change, LinkIndex& links,
                const Ownership& ownership, netlink::Batch& batch);

using FdbDriver = RtnetlinkDriver<FdbKind>;

}  // namespace weft::tables
