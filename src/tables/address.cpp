// SPDX-License-Identifier: Apache-2.0
#include "tables/address.h"

#include "tables/where_set.h"

namespace weft::tables {

bool AddressKind::same(const Value& desired, const Value& actual) {
  return same_where_set(desired.scope, actual.scope) &&
         same_where_set(desired.broadcast, actual.broadcast) &&
         same_where_set(desired.peer, actual.peer) &&
         same_where_set(desired.without_prefix_route, actual.without_prefix_route);
}

std::string AddressKind::describe(const Key& key) {
  return key.prefix.to_string() + " dev " + key.link;
}

std::string AddressKind::describe(const Value& value) {
  std::string text = "present";
  if (value.peer) text += " peer " + value.peer->to_string();
  if (value.broadcast) text += " brd " + value.broadcast->to_string();
  if (value.scope && *value.scope != 0) text += " scope " + std::to_string(*value.scope);
  if (value.without_prefix_route.value_or(false)) text += " noprefixroute";
  return text;
}

}  // namespace weft::tables
