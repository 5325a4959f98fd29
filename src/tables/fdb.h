// SPDX-License-Identifier: Apache-2.0
// FDB entries of VXLAN links: MAC address → remote VTEP. Ours: the permanent "self" ones of a
// VXLAN link of ours.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>

#include "base/address.h"

namespace weft::tables {

struct FdbKind {
  struct Key {
    std::string link{};
    MacAddress mac{};
    auto operator<=>(const Key&) const = default;
  };
  struct Value {
    IpAddress remote{};
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "fdb";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

}  // namespace weft::tables
