// SPDX-License-Identifier: Apache-2.0
#include "tables/rule_driver.h"

#include "linux/netlink/rule.h"
#include "tables/table_states.h"

namespace weft::tables {

namespace {

netlink::Rule rule_of(const RuleKind::Key& key, std::uint32_t table, const Ownership& ownership) {
  return {.family = key.family,
          .priority = key.priority,
          .source = key.source,
          .destination = key.destination,
          .mark = key.mark,
          .mask = key.mask,
          .in_link = key.in_link,
          .out_link = key.out_link,
          .invert = key.invert,
          .table = table,
          .protocol = ownership.protocol};
}

RuleKind::Key key_of(const netlink::Rule& rule) {
  return {rule.family, rule.priority, rule.source,   rule.destination, rule.mark,
          rule.mask,   rule.in_link,  rule.out_link, rule.invert};
}

}  // namespace

Result<> read_entries(netlink::Socket& socket, LinkIndex&, const Ownership& ownership,
                      RuleKind::Table& table) {
  if (ownership.protocol == RTPROT_UNSPEC) return {};
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    WEFT_ASSIGN(const auto rules, netlink::list_rules(socket, family));
    for (const netlink::Rule& rule : rules)
      if (rule.protocol == ownership.protocol) table[key_of(rule)] = {rule.table};
  }
  return {};
}

Result<> encode(const reconcile::Change<RuleKind>& change, LinkIndex&, const Ownership& ownership,
                netlink::Batch& batch) {
  if (change.value) netlink::put_rule(batch, rule_of(change.key, change.value->table, ownership));
  if (change.previous && (!change.value || change.value->table != change.previous->table))
    netlink::put_rule_removal(batch, rule_of(change.key, change.previous->table, ownership));
  return {};
}

}  // namespace weft::tables

template class weft::reconcile::TableState<weft::tables::RuleKind>;  // table_states.h
