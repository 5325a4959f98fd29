// SPDX-License-Identifier: Apache-2.0
#include "tables/route.h"

#include <algorithm>

#include "tables/where_set.h"

namespace weft::tables {

namespace {

std::vector<NextHop> sorted(std::vector<NextHop> hops) {
  std::sort(hops.begin(), hops.end());
  return hops;
}

void append(std::string& text, const std::string& word) {
  if (!word.empty()) text.append(text.empty() ? "" : " ").append(word);
}

std::string hop_text(const std::optional<IpAddress>& gateway, const std::string& link) {
  std::string text;
  if (gateway) append(text, "via " + gateway->to_string());
  if (!link.empty()) append(text, "dev " + link);
  return text;
}

}  // namespace

std::string route_type(std::uint8_t type) {
  switch (type) {
    case RTN_UNICAST:
      return "";
    case RTN_BLACKHOLE:
      return "blackhole";
    case RTN_UNREACHABLE:
      return "unreachable";
    case RTN_PROHIBIT:
      return "prohibit";
    default:
      return "type " + std::to_string(type);
  }
}

bool RouteKind::same(const Value& desired, const Value& actual) {
  return desired.link == actual.link && desired.gateway == actual.gateway &&
         desired.onlink == actual.onlink && desired.source == actual.source &&
         desired.type == actual.type && desired.next_hop_group == actual.next_hop_group &&
         same_where_set(desired.scope, actual.scope) && same_where_set(desired.mtu, actual.mtu) &&
         same_where_set(desired.advmss, actual.advmss) &&
         (desired.next_hops == actual.next_hops ||
          sorted(desired.next_hops) == sorted(actual.next_hops));
}

std::string RouteKind::describe(const Key& key) {
  std::string text = key.destination.to_string();
  if (key.metric != 0) text += " metric " + std::to_string(key.metric);
  if (key.table != RT_TABLE_MAIN) text += " table " + std::to_string(key.table);
  return text;
}

std::string RouteKind::describe(const Value& value) {
  std::string text = route_type(value.type);
  append(text, hop_text(value.gateway, value.link));
  if (value.next_hop_group != 0) append(text, "nhid " + std::to_string(value.next_hop_group));
  for (const NextHop& hop : value.next_hops) {
    append(text, "nexthop " + hop_text(hop.gateway, hop.link));
    append(text, "weight " + std::to_string(hop.weight));
    if (hop.onlink) append(text, "onlink");
  }
  if (text.empty()) text = "several routes";
  if (value.source) append(text, "src " + value.source->to_string());
  if (value.mtu) append(text, "mtu " + std::to_string(*value.mtu));
  if (value.advmss) append(text, "advmss " + std::to_string(*value.advmss));
  if (value.onlink) append(text, "onlink");
  return text;
}

}  // namespace weft::tables
