// SPDX-License-Identifier: Apache-2.0
//
// Links over rtnetlink: those of the types in link_types.h, and the settings all links have. Both
// ends of a pair, in whatever namespaces, are one request: the peer is born there with its final
// name, MAC address and MTU. Source: include/uapi/linux/if_link.h, net/core/rtnetlink.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/link_types.h"
#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

struct Link {
  std::uint32_t index = 0;  // 0 = known by its name
  std::string name{};
  LinkType type{};
  std::string kind{};       // as read: "bridge", "dummy" …; "" = none (lo, hardware)
  std::uint32_t lower = 0;  // index of the link beneath; 0 = none, or (VXLAN) by route
  int peer_netns = -1;      // to create a pair: open file of the peer's namespace; -1 = this one
  // Unset: as it is, or the kernel's choice.
  std::optional<bool> up{};
  std::optional<std::uint32_t> mtu{};
  std::optional<MacAddress> mac{};
  std::optional<std::uint32_t> master{};  // index of the bridge; 0 = none
  std::optional<std::uint32_t> group{};
  std::optional<bool> hairpin{};             // of a bridge port
  std::optional<std::uint8_t> port_state{};  // as read, of a bridge port: BR_STATE_FORWARDING …
};

// Creates the link; EEXIST where the name is taken. What only a finished link can take is a second
// message.
void put_link(Batch& batch, const Link& link);

// Changes what is set of: up, mtu, mac, master, group, hairpin; of the link with this index or, if
// 0, this name. ENODEV where there is none.
void put_link_change(Batch& batch, const Link& link);

// Changes the settings of a type, of the link with this index. The type must be the link's own.
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
