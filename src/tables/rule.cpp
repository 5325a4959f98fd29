// SPDX-License-Identifier: Apache-2.0
#include "tables/rule.h"

namespace weft::tables {

bool RuleKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string RuleKind::describe(const Key& key) {
  std::string text = key.family == IpFamily::kIpv6 ? "IPv6 " : "IPv4 ";
  text += "priority " + std::to_string(key.priority);
  if (key.invert) text += " not";
  if (key.source) text += " from " + key.source->to_string();
  if (key.destination) text += " to " + key.destination->to_string();
  if (key.mask != 0) text += " fwmark " + std::to_string(key.mark) + "/" + std::to_string(key.mask);
  if (!key.in_link.empty()) text += " iif " + key.in_link;
  if (!key.out_link.empty()) text += " oif " + key.out_link;
  return text;
}

std::string RuleKind::describe(const Value& value) {
  return "lookup " + std::to_string(value.table);
}

}  // namespace weft::tables
