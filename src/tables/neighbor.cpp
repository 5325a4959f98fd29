// SPDX-License-Identifier: Apache-2.0
#include "tables/neighbor.h"

namespace weft::tables {

bool NeighborKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string NeighborKind::describe(const Key& key) {
  return key.address.to_string() + " dev " + key.link;
}

std::string NeighborKind::describe(const Value& value) {
  return "lladdr " + value.mac.to_string() + " permanent";
}

}  // namespace weft::tables
