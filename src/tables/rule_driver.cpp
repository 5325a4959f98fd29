// SPDX-License-Identifier: Apache-2.0
#include "tables/rule_driver.h"

#include "linux/netlink/rule.h"

namespace weft::tables {

Result<> read_entries(netlink::Socket& socket, LinkIndex&, const Ownership& ownership,
                      RuleKind::Table& table) {
  if (ownership.protocol == RTPROT_UNSPEC) return {};
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    WEFT_ASSIGN(const auto rules, netlink::list_rules(socket, family));
    for (const netlink::Rule& rule : rules)
      if (rule.protocol == ownership.protocol) table[rule.selector] = {rule.table};
  }
  return {};
}

Result<> encode(const reconcile::Change<RuleKind>& change, LinkIndex&, const Ownership& ownership,
                netlink::Batch& batch) {
  const auto rule = [&](const RuleKind::Value& value) {
    return netlink::Rule{change.key, value.table, ownership.protocol};
  };
  if (change.value) netlink::put_rule(batch, rule(*change.value));
  if (change.previous && (!change.value || change.value->table != change.previous->table))
    netlink::put_rule_removal(batch, rule(*change.previous));
  return {};
}

}  // namespace weft::tables
