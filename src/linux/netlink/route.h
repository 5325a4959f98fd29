// SPDX-License-Identifier: Apache-2.0
//
// Routes over rtnetlink, both families: any type, by one way, several or none. A route's identity
// is its table, destination and metric; the kernel may hold several of one identity (IPv4: appended
// ones; IPv6: the next hops of one multipath route), which list_routes shows as they are. Source:
// include/uapi/linux/rtnetlink.h, net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

inline constexpr std::uint32_t kIpv6DefaultMetric = 1024;

struct RouteHop {
  std::uint32_t link = 0;  // index
  std::optional<IpAddress> gateway{};
  bool onlink = false;
  std::uint16_t weight = 1;  // 1 to 256
  bool operator==(const RouteHop&) const = default;
};

struct Route {
  Prefix destination{};
  std::uint32_t metric = 0;  // 0 = the kernel's default: IPv4 0, IPv6 1024 (which reads as 0)
  std::uint32_t link = 0;    // index
  std::optional<IpAddress> gateway{};  // of IPv4 also an IPv6 one
  bool onlink = false;
  std::optional<IpAddress> source{};  // preferred source address
  std::uint8_t protocol = RTPROT_BOOT;
  std::uint32_t table = RT_TABLE_MAIN;
  std::uint8_t type = RTN_UNICAST;
  std::vector<RouteHop> next_hops{};  // two or more; link and gateway are unset then
  std::uint32_t next_hop_group = 0;   // id of a next hop object; what it leads to is read as well
  // Unset: of IPv4 link where there is no gateway, else universe. IPv6 knows universe only.
  std::optional<std::uint8_t> scope{};
  std::optional<std::uint32_t> mtu{};
  std::optional<std::uint32_t> advmss{};
};

// Adds it, or replaces the one of the same table, destination and metric, whosever it was.
void put_route(Batch& batch, const Route& route);
// EEXIST where there is one of the same table, destination and metric, whosever it is.
void put_new_route(Batch& batch, const Route& route);
// By table, destination, metric and protocol (0 = any); ESRCH where there is none.
void put_route_removal(Batch& batch, const Route& route);

struct RouteFilter {
  IpFamily family = IpFamily::kIpv4;
  std::uint32_t table = RT_TABLE_MAIN;
  std::uint8_t protocol = 0;        // 0 = any
  std::uint8_t type = RTN_UNICAST;  // RTN_UNSPEC = any
};
Result<std::vector<Route>> list_routes(Socket& socket, const RouteFilter& filter);

Route parse_route(const MessageView& message);  // an RTM_NEWROUTE or RTM_DELROUTE

}  // namespace weft::netlink
