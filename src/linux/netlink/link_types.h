// SPDX-License-Identifier: Apache-2.0
//
// The types of links with their own attributes, as plain data: shared by the kernel's messages
// (link.h) and the table of links (tables/link.h). What refers to something else (the link
// beneath, the namespace of a peer) is a field of those two, which name it each in its own way.
//
// A type has attributes that make it what it is, and settings, which change in place: where one of
// the first differs, it is another link. A new type is a struct here, its three functions in
// link_types.cpp, and its messages in link_type_messages.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/address.h"

namespace weft::netlink {

struct Bridge {
  static constexpr std::string_view kKind = "bridge";
  bool stp = false;  // a setting
  bool operator==(const Bridge&) const = default;
};

// Without learning: its forwarding entries are ours to give. The link beneath is its underlay.
struct Vxlan {
  static constexpr std::string_view kKind = "vxlan";
  std::uint32_t vni = 0;
  std::uint16_t port = 0;  // UDP, destination
  IpAddress local{};       // outer source
  std::uint8_t ttl = 0;    // a setting; outer; 0 = the kernel's choice
  bool operator==(const Vxlan&) const = default;
};

// The other end of a pair, which is made along with the first. It comes down: it is up only when
// its own namespace says so. Nothing of it is read.
struct Peer {
  std::string name{};
  std::optional<MacAddress> mac{};
  std::optional<std::uint32_t> mtu{};
  bool operator==(const Peer&) const = default;
};

struct Veth {
  static constexpr std::string_view kKind = "veth";
  Peer peer{};
  bool operator==(const Veth&) const = default;
};

// monostate: none of these, or any.
using LinkType = std::variant<std::monostate, Bridge, Vxlan, Veth>;

// As an operator would write it: "vxlan id 1 local 192.0.2.1 dstport 8472". "" of a monostate.
std::string to_string(const LinkType& type);

// Whether a link of type `actual`, as read, is what `desired` says: always where that is monostate.
bool same(const LinkType& desired, const LinkType& actual);

// Whether settings are all that keeps a link of type `actual` from being the same as `desired`.
bool changes_in_place(const LinkType& desired, const LinkType& actual);

// Whether it comes with a peer.
bool is_pair(const LinkType& type);

// The UDP port that it takes when it comes up.
std::optional<std::uint16_t> udp_port(const LinkType& type);

// What both would have to themselves: "VNI 1, port 8472". "" where a namespace may hold both.
std::string clash(const LinkType& one, const LinkType& other);

}  // namespace weft::netlink
