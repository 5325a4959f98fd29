// SPDX-License-Identifier: Apache-2.0
//
// Links, as plain data. Ours: those of the names that Ownership gives. A link is named, never
// numbered: interface indexes are the kernel's, and a link that is made anew has another.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"

namespace weft::tables {

struct Bridge {
  bool stp = false;
  bool operator==(const Bridge&) const = default;
};

struct Vxlan {
  std::uint32_t vni = 0;
  std::uint16_t port = 0;  // UDP, destination
  IpAddress local{};       // outer source
  std::string device{};    // underlay link
  std::uint8_t ttl = 0;    // outer; 0 = the kernel's choice
  bool operator==(const Vxlan&) const = default;
};

// A veth pair: the key names the end in this namespace.
struct Veth {
  std::string peer_name{};
  std::string peer_netns{};  // path; "" = this namespace
  std::optional<MacAddress> peer_mac{};
  bool operator==(const Veth&) const = default;
};

struct LinkKind {
  using Key = std::string;  // the link's name
  struct Value {
    // monostate: a link that is there anyway (lo, a veth's far end) and only has its settings set.
    std::variant<std::monostate, Bridge, Vxlan, Veth> type{};
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
  // `actual` is what was read: a veth's peer is out of sight there.
  static bool same_type(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

}  // namespace weft::tables
