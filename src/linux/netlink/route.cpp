// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/route.h"

#include <cerrno>

#include "linux/netlink/family.h"

namespace weft::netlink {

namespace {

rtmsg header_of(const Route& route) {
  rtmsg header{};
  header.rtm_family = family_number(route.destination.family());
  header.rtm_dst_len = route.destination.length;
  header.rtm_table =
      route.table < 256 ? static_cast<std::uint8_t>(route.table) : std::uint8_t{RT_TABLE_COMPAT};
  header.rtm_protocol = route.protocol;
  header.rtm_type = RTN_UNICAST;
  return header;
}

void put_identity(Message& message, const Route& route) {
  if (route.destination.length != 0) message.address(RTA_DST, route.destination.address);
  if (route.table >= 256) message.u32(RTA_TABLE, route.table);
  const bool v6 = route.destination.family() == IpFamily::kIpv6;
  if (route.metric != 0)
    message.u32(RTA_PRIORITY, route.metric);
  else if (v6)
    message.u32(RTA_PRIORITY, kIpv6DefaultMetric);  // a removal without a metric takes any
}

void put(Batch& batch, const Route& route, std::uint16_t flags) {
  rtmsg header = header_of(route);
  header.rtm_scope = route.gateway || route.destination.family() == IpFamily::kIpv6
                         ? RT_SCOPE_UNIVERSE
                         : RT_SCOPE_LINK;
  if (route.onlink) header.rtm_flags |= RTNH_F_ONLINK;
  Message message = batch.add(RTM_NEWROUTE, flags);
  message.header(header);
  put_identity(message, route);
  if (route.gateway) message.address(RTA_GATEWAY, *route.gateway);
  if (route.link != 0) message.u32(RTA_OIF, route.link);
  if (route.source) message.address(RTA_PREFSRC, *route.source);
}

}  // namespace

void put_route(Batch& batch, const Route& route) {
  put(batch, route, NLM_F_CREATE | NLM_F_REPLACE);
}

void put_new_route(Batch& batch, const Route& route) {
  put(batch, route, NLM_F_CREATE | NLM_F_EXCL);
}

void put_route_removal(Batch& batch, const Route& route) {
  rtmsg header = header_of(route);
  header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  Message message = batch.add(RTM_DELROUTE, 0);
  message.header(header);
  put_identity(message, route);
}

Result<std::vector<Route>> list_routes(Socket& socket, const RouteFilter& filter) {
  rtmsg header{};
  header.rtm_family = family_number(filter.family);
  header.rtm_protocol = filter.protocol;
  Batch request;
  request.add(RTM_GETROUTE, 0).header(header).u32(RTA_TABLE, filter.table);
  std::vector<Route> routes;
  const auto take = [&](const MessageView& message) {
    if (message.body<rtmsg>().rtm_family != header.rtm_family) return;
    const Route route = parse_route(message);
    if (route.table != filter.table) return;
    if (filter.type != RTN_UNSPEC && route.type != filter.type) return;
    if (filter.protocol != 0 && route.protocol != filter.protocol) return;
    routes.push_back(route);
  };
  const auto dumped = socket.dump(request, take, [&] { routes.clear(); });
  // A namespace's main table is made with its first route.
  if (!dumped && dumped.error().code != ENOENT) return Failure(dumped.error());
  return routes;
}

Route parse_route(const MessageView& message) {
  const auto header = message.body<rtmsg>();
  const IpFamily family = header.rtm_family == AF_INET6 ? IpFamily::kIpv6 : IpFamily::kIpv4;
  Route route;
  route.destination = {IpAddress::any(family), header.rtm_dst_len};
  route.protocol = header.rtm_protocol;
  route.table = header.rtm_table;
  route.type = header.rtm_type;
  route.onlink = (header.rtm_flags & RTNH_F_ONLINK) != 0;
  for (const Attribute attribute : message.attributes<rtmsg>()) {
    switch (attribute.type()) {
      case RTA_DST:
        route.destination.address = attribute.address();
        break;
      case RTA_TABLE:
        route.table = attribute.u32();
        break;
      case RTA_PRIORITY:
        route.metric = attribute.u32();
        break;
      case RTA_OIF:
        route.link = attribute.u32();
        break;
      case RTA_GATEWAY:
        route.gateway = attribute.address();
        break;
      case RTA_VIA:  // a gateway of the other family: not one of ours
      case RTA_MULTIPATH:
        route.multipath = true;
        break;
      case RTA_PREFSRC:
        route.source = attribute.address();
        break;
      default:
        break;
    }
  }
  if (family == IpFamily::kIpv6 && route.metric == kIpv6DefaultMetric) route.metric = 0;
  return route;
}

}  // namespace weft::netlink
