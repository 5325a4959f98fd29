// SPDX-License-Identifier: Apache-2.0
//
// Policy routing rules: which routing table a packet is looked up in. Ours: those with the protocol
// number that Ownership gives.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace weft::tables {

struct RuleKind {
  struct Key {
    IpFamily family = IpFamily::kIpv4;
    std::uint32_t priority = 0;
    std::optional<Prefix> source{};
    std::optional<Prefix> destination{};
    std::uint32_t mark = 0;  // compared under `mask`
    std::uint32_t mask = 0;  // 0 = marks do not matter
    std::string in_link{};   // "" = any
    std::string out_link{};  // "" = any
    bool invert = false;     // what does not match
    auto operator<=>(const Key&) const = default;
  };
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
