// SPDX-License-Identifier: Apache-2.0
// Neighbors (ARP, NDP). Ours: the permanent ones on a link of ours.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>

#include "base/address.h"

namespace weft::tables {

struct NeighborKind {
  struct Key {
    std::string link{};
    IpAddress address{};
    auto operator<=>(const Key&) const = default;
  };
  struct Value {
    MacAddress mac{};
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "neighbor";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

}  // namespace weft::tables
