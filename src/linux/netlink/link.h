// SPDX-License-Identifier: Apache-2.0
//
// Links over rtnetlink: bridges, VXLAN devices, veth pairs and the settings all links have. A veth
// and its peer, in whatever namespace, are one request: the peer is born there with its final name,
// MAC address and MTU. Source: include/uapi/linux/if_link.h, net/core/rtnetlink.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

struct Bridge {
  bool stp = false;
  bool operator==(const Bridge&) const = default;
};

// Without learning: its forwarding entries are ours to give.
struct Vxlan {
  std::uint32_t vni = 0;
  std::uint16_t port = 0;  // UDP, destination
  IpAddress local{};       // outer source
  std::uint32_t link = 0;  // index of the underlay link; 0 = by route
  std::uint8_t ttl = 0;    // outer; 0 = the kernel's choice
  bool operator==(const Vxlan&) const = default;
};

struct Veth {
  // To create: the peer's final settings. It comes down: it is up only when its own namespace says
  // so.
  std::string peer_name{};
  int peer_netns = -1;  // open file of its namespace; -1 = this one
  std::optional<MacAddress> peer_mac{};
  std::optional<std::uint32_t> peer_mtu{};
  // As read: the peer's index, in its namespace.
  std::uint32_t peer_index = 0;
  bool operator==(const Veth&) const = default;
};

struct Link {
  std::uint32_t index = 0;  // 0 = known by its name
  std::string name{};
  std::variant<std::monostate, Bridge, Vxlan, Veth> type{};
  std::string kind{};  // as read: "bridge", "vxlan", "veth", "dummy" …; "" = none (lo, hardware)
  // Unset: as it is, or the kernel's choice.
  std::optional<bool> up{};
  std::optional<std::uint32_t> mtu{};
  std::optional<MacAddress> mac{};
  std::optional<std::uint32_t> master{};  // index of the bridge; 0 = none
  std::optional<std::uint32_t> group{};
  std::optional<bool> hairpin{};             // of a bridge port
  std::optional<std::uint8_t> port_state{};  // as read, of a bridge port: BR_STATE_FORWARDING …
};

// Creates the link; EEXIST where the name is taken. Hairpin is for put_link_change: the port must
// exist before.
void put_link(Batch& batch, const Link& link);

// Changes what is set of: up, mtu, mac, master, group, hairpin; of the link with this index or, if
// 0, this name. ENODEV where there is none.
void put_link_change(Batch& batch, const Link& link);

// Changes what can change in place of a type: a bridge's STP, a VXLAN link's TTL; of the link with
// this index. The type must be the link's own.
void put_link_type_change(Batch& batch, const Link& link);

// Some kernels rename only what is down (EBUSY). EEXIST where the name is taken.
void put_link_rename(Batch& batch, std::uint32_t index, std::string_view name);

void put_link_removal(Batch& batch, std::string_view name);
void put_link_removal(Batch& batch, std::uint32_t index);

Result<std::vector<Link>> list_links(Socket& socket);
Result<std::optional<Link>> find_link(Socket& socket, std::string_view name);
Result<std::optional<Link>> find_link(Socket& socket, std::uint32_t index);

Link parse_link(const MessageView& message);  // an RTM_NEWLINK or RTM_DELLINK

}  // namespace weft::netlink
