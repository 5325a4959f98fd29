// SPDX-License-Identifier: Apache-2.0
//
// Policy routing rules: which routing table a packet is looked up in. Ours: those with the protocol
// number that Ownership gives.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "linux/netlink/rule_selector.h"

namespace weft::tables {

struct RuleKind {
  using Key = netlink::RuleSelector;
  struct Value {
    std::uint32_t table = 0;  // that of the routes
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "rule";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

}  // namespace weft::tables
