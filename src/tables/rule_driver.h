// SPDX-License-Identifier: Apache-2.0
//
// Policy routing rules with our protocol number, both families. The kernel knows a rule by all of
// its fields: one that shall lead to another table is put before the old one goes.
#pragma once

#include "tables/rtnetlink_driver.h"
#include "tables/rule.h"

namespace weft::tables {

Result<> read_entries(netlink::Socket& socket, LinkIndex& links, const Ownership& ownership,
                      RuleKind::Table& table);
Result<> encode(const reconcile::Change<RuleKind>& change, LinkIndex& links,
                const Ownership& ownership, netlink::Batch& batch);

using RuleDriver = RtnetlinkDriver<RuleKind>;

}  // namespace weft::tables
