// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/route.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

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
  header.rtm_type = route.type;
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

void put_gateway(Message& message, IpFamily family, const IpAddress& gateway) {
  if (gateway.family() == family) {
    message.address(RTA_GATEWAY, gateway);
    return;
  }
  // struct rtvia, whose address has no length of its own.
  std::vector<std::uint8_t> via(sizeof(std::uint16_t));
  const std::uint16_t number = family_number(gateway.family());
  std::memcpy(via.data(), &number, sizeof number);
  const Bytes bytes = gateway.bytes();
  via.insert(via.end(), bytes.begin(), bytes.end());
  message.attribute(RTA_VIA, via);
}

void put_next_hops(Message& message, const Route& route) {
  message.nest(RTA_MULTIPATH, [&] {
    for (const RouteHop& hop : route.next_hops) {
      const std::size_t start = message.size();
      rtnexthop header{};
      header.rtnh_flags = hop.onlink ? RTNH_F_ONLINK : 0;
      header.rtnh_hops = static_cast<std::uint8_t>(hop.weight - 1);
      header.rtnh_ifindex = static_cast<int>(hop.link);
      message.append(bytes_of(header));
      if (hop.gateway) put_gateway(message, route.destination.family(), *hop.gateway);
      message.set_u16(start, static_cast<std::uint16_t>(message.size() - start));  // rtnh_len
    }
  });
}

std::uint8_t scope_of(const Route& route) {
  if (route.scope) return *route.scope;
  const bool v6 = route.destination.family() == IpFamily::kIpv6;
  const bool far = route.gateway || !route.next_hops.empty() || route.next_hop_group != 0;
  return v6 || far || route.type != RTN_UNICAST ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
}

void put(Batch& batch, const Route& route, std::uint16_t flags) {
  rtmsg header = header_of(route);
  header.rtm_scope = scope_of(route);
  if (route.onlink) header.rtm_flags |= RTNH_F_ONLINK;
  Message message = batch.add(RTM_NEWROUTE, flags);
  message.header(header);
  put_identity(message, route);
  if (route.next_hop_group != 0) message.u32(RTA_NH_ID, route.next_hop_group);
  if (!route.next_hops.empty()) put_next_hops(message, route);
  if (route.gateway) put_gateway(message, route.destination.family(), *route.gateway);
  if (route.link != 0) message.u32(RTA_OIF, route.link);
  if (route.source) message.address(RTA_PREFSRC, *route.source);
  if (!route.mtu && !route.advmss) return;
  message.nest(RTA_METRICS, [&] {
    if (route.mtu) message.u32(RTAX_MTU, *route.mtu);
    if (route.advmss) message.u32(RTAX_ADVMSS, *route.advmss);
  });
}

std::optional<IpAddress> via_address(const Attribute& attribute) {
  const Bytes payload = attribute.payload();
  if (payload.size() <= sizeof(std::uint16_t)) return std::nullopt;
  return Attribute(RTA_VIA, payload.subspan(sizeof(std::uint16_t))).address();
}

std::vector<RouteHop> parse_next_hops(Bytes bytes) {
  std::vector<RouteHop> hops;
  while (bytes.size() >= sizeof(rtnexthop)) {
    const auto header = load<rtnexthop>(bytes);
    if (header.rtnh_len < sizeof header || header.rtnh_len > bytes.size()) break;
    RouteHop hop;
    hop.link = static_cast<std::uint32_t>(header.rtnh_ifindex);
    hop.onlink = (header.rtnh_flags & RTNH_F_ONLINK) != 0;
    hop.weight = static_cast<std::uint16_t>(header.rtnh_hops + 1);
    for (const Attribute attribute :
         Attributes(bytes.subspan(sizeof header, header.rtnh_len - sizeof header))) {
      if (attribute.type() == RTA_GATEWAY) hop.gateway = attribute.address();
      if (attribute.type() == RTA_VIA) hop.gateway = via_address(attribute);
    }
    hops.push_back(std::move(hop));
    bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), RTNH_ALIGN(header.rtnh_len)));
  }
  return hops;
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
  header.rtm_type = RTN_UNSPEC;         // any
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
  route.scope = header.rtm_scope;
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
      case RTA_VIA:
        route.gateway = via_address(attribute);
        break;
      case RTA_MULTIPATH:
        route.next_hops = parse_next_hops(attribute.payload());
        break;
      case RTA_NH_ID:
        route.next_hop_group = attribute.u32();
        break;
      case RTA_METRICS:
        for (const Attribute metric : nested(attribute)) {
          if (metric.type() == RTAX_MTU) route.mtu = metric.u32();
          if (metric.type() == RTAX_ADVMSS) route.advmss = metric.u32();
        }
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
