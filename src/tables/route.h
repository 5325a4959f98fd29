// SPDX-License-Identifier: Apache-2.0
//
// Routes. Ours: those with the protocol number, in the tables, that Ownership gives. Unset optional
// fields are the kernel's. Not netlink::Route under another name: this is parted into what tells
// routes apart and what may change, its links are named, and whose it is goes without saying.
#pragma once

#include <linux/rtnetlink.h>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace weft::tables {

struct NextHop {
  std::string link{};
  std::optional<IpAddress> gateway{};  // of either family, whatever the destination's
  bool onlink = false;
  std::uint16_t weight = 1;  // 1 to 256
  auto operator<=>(const NextHop&) const = default;
};

struct RouteKind {
  struct Key {
    Prefix destination{};
    std::uint32_t metric = 0;  // 0 = the kernel's default (IPv6: 1024)
    std::uint32_t table = RT_TABLE_MAIN;
    auto operator<=>(const Key&) const = default;
  };
  // Where it leads: one next hop (link, gateway, onlink), several (next_hops), a group of the
  // kernel's next hop objects, or nowhere (types other than unicast).
  struct Value {
    std::string link{};
    std::optional<IpAddress> gateway{};
    bool onlink = false;
    std::optional<IpAddress> source{};    // preferred source address
    std::vector<NextHop> next_hops{};     // two or more; their order does not matter
    std::uint32_t next_hop_group = 0;     // its id
    std::uint8_t type = RTN_UNICAST;      // RTN_BLACKHOLE, RTN_UNREACHABLE, …
    std::optional<std::uint8_t> scope{};  // RT_SCOPE_…; of IPv6 the kernel's to say
    std::optional<std::uint32_t> mtu{};
    std::optional<std::uint32_t> advmss{};
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "route";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

// "blackhole", "unreachable"; "" of a route that leads somewhere.
std::string route_type(std::uint8_t type);

}  // namespace weft::tables
