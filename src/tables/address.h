// SPDX-License-Identifier: Apache-2.0
//
// Addresses. Ours: every permanent address on a link of ours but the kernel's own link-local ones.
// Unset fields are the kernel's. IPv6 addresses come without duplicate address detection. Not
// netlink::Address under another name: of its flags only those that one may want are here.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace weft::tables {

struct AddressKind {
  struct Key {
    std::string link{};
    Prefix prefix{};
    auto operator<=>(const Key&) const = default;
  };
  struct Value {
    std::optional<std::uint8_t> scope{};         // RT_SCOPE_…; of IPv6 the kernel's to say
    std::optional<IpAddress> broadcast{};        // IPv4
    std::optional<IpAddress> peer{};             // of a point-to-point link: the other end
    std::optional<bool> without_prefix_route{};  // IFA_F_NOPREFIXROUTE
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "address";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

}  // namespace weft::tables
