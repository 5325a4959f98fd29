// SPDX-License-Identifier: Apache-2.0
//
// Links, as plain data. Ours: those of the names that Ownership gives. A link is named, never
// numbered: interface indexes are the kernel's, and a link that is made anew has another. What a
// type has of its own is in linux/netlink/link_types.h, and nothing here knows one type from
// another.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "linux/netlink/link_types.h"

namespace weft::tables {

struct LinkKind {
  using Key = std::string;  // the link's name
  struct Value {
    // monostate: a link that is there anyway (lo, a veth's far end) and only has its settings set.
    netlink::LinkType type{};
    std::string lower{};       // the link beneath; "" = none, or (VXLAN) by route
    std::string peer_netns{};  // of a pair: path of the peer's namespace; "" = this one. Not read
    bool up = true;
    std::optional<std::uint32_t> mtu{};
    std::optional<MacAddress> mac{};
    std::optional<std::string> master{};  // a bridge's name
    std::optional<std::uint32_t> group{};
    std::optional<bool> hairpin{};  // of a bridge port
    // As read, of a bridge: the pods' links that are to be its ports and are not.
    std::vector<std::string> missing_ports{};
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "link";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

}  // namespace weft::tables
