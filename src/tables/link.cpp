// SPDX-License-Identifier: Apache-2.0
#include "tables/link.h"

#include <algorithm>

#include "tables/where_set.h"

namespace weft::tables {

namespace {

std::string describe_type(const LinkKind::Value& value) {
  std::string text = netlink::to_string(value.type);
  if (!value.lower.empty()) text += " dev " + value.lower;
  if (!value.peer_netns.empty()) text += " netns " + value.peer_netns;
  return text.empty() ? "" : text + " ";
}

// A node has up to hundreds: the first few are named.
std::string describe_ports(const std::vector<std::string>& ports) {
  constexpr std::size_t kNamed = 3;
  std::string text = ports.size() == 1 ? "port" : "ports";
  for (std::size_t i = 0; i < std::min(ports.size(), kNamed); ++i)
    text += (i == 0 ? " " : ", ") + ports[i];
  if (ports.size() > kNamed) text += " and " + std::to_string(ports.size() - kNamed) + " more";
  return text;
}

}  // namespace

bool LinkKind::same(const Value& desired, const Value& actual) {
  const bool any_type = std::holds_alternative<std::monostate>(desired.type);
  return netlink::same(desired.type, actual.type) && (any_type || desired.lower == actual.lower) &&
         desired.up == actual.up && same_where_set(desired.mtu, actual.mtu) &&
         same_where_set(desired.mac, actual.mac) && same_where_set(desired.master, actual.master) &&
         same_where_set(desired.group, actual.group) &&
         same_where_set(desired.hairpin, actual.hairpin) &&
         desired.missing_ports == actual.missing_ports;
}

std::string LinkKind::describe(const Key& key) { return key; }

std::string LinkKind::describe(const Value& value) {
  std::string text = describe_type(value);
  text += value.up ? "up" : "down";
  if (value.mtu) text += " mtu " + std::to_string(*value.mtu);
  if (value.mac) text += " address " + value.mac->to_string();
  if (value.master && !value.master->empty()) text += " master " + *value.master;
  if (value.group && *value.group != 0) text += " group " + std::to_string(*value.group);
  if (value.hairpin) text += *value.hairpin ? " hairpin on" : " hairpin off";
  if (!value.missing_ports.empty()) text += " without " + describe_ports(value.missing_ports);
  return text;
}

}  // namespace weft::tables
