// SPDX-License-Identifier: Apache-2.0
//
// The kinds of kernel object Weft writes, as plain data: what features plan and drivers carry out.
// Everything here is bound to one network namespace. Links are named, never numbered: interface
// indexes are the kernel's, and a link that is made anew has another.
//
// Ownership (how read() knows ours from the rest) is told beside each kind and, as a table, in
// ARCHITECTURE.md.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"

namespace weft::tables {

// ---- Links. Ours: those whose name the driver was told to own (cni0, weft.1). ------------------

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

// ---- Addresses. Ours: every address on a link of ours but the kernel's own link-local ones. ----

struct AddressKind {
  struct Key {
    std::string link{};
    Prefix prefix{};
    auto operator<=>(const Key&) const = default;
  };
  struct Value {
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "address";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

// ---- Neighbors (ARP, NDP). Ours: the permanent ones on a link of ours. -------------------------

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

// ---- FDB entries of VXLAN links of ours: MAC → remote VTEP. Ours: the permanent "self" ones. ---

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

// ---- Routes in the main table. Ours: those with our protocol number (kRouteProtocol). ----------

struct RouteKind {
  struct Key {
    Prefix destination{};
    std::uint32_t metric = 0;  // 0 = the kernel's default (IPv6: 1024)
    auto operator<=>(const Key&) const = default;
  };
  struct Value {
    std::string link{};
    std::optional<IpAddress> gateway{};
    bool onlink = false;
    std::optional<IpAddress> source{};  // preferred source address
    bool operator==(const Value&) const = default;
  };
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "route";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

// ---- Sysctls. Ours: those whose previous value is saved in the state directory. ----------------

struct SysctlKind {
  using Key = std::string;    // path below /proc/sys: "net/ipv4/ip_forward"
  using Value = std::string;  // "1"
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "sysctl";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const std::string& key_or_value);
};

// ---- Files a node needs beside the kernel (the CNI configuration list). Ours: those the driver
// was told to own. --------------------------------------------------------------------------------

struct FileKind {
  using Key = std::string;    // absolute path
  using Value = std::string;  // content
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "file";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const std::string& path_or_content);
};

}  // namespace weft::tables
