// SPDX-License-Identifier: Apache-2.0
#include "tables/route_driver.h"

#include <cerrno>
#include <iterator>
#include <string>
#include <utility>

#include "linux/netlink/route.h"
#include "tables/names.h"
#include "tables/rtnetlink_write.h"

namespace weft::tables {

namespace {

netlink::Route route_of(const RouteKind::Key& key) {
  netlink::Route route;
  route.destination = key.destination.network();
  route.metric = key.metric;
  route.protocol = kRouteProtocol;
  return route;
}

// The kernel refuses an IPv6 gateway, onlink or not, that it would look for on another link; where
// the route to be replaced is what leads there (the gateway is within the destination), it has to
// go first (ip6_route_check_nh_onlink).
bool may_be_blocked(const reconcile::Change<RouteKind>& change) {
  return change.value && change.value->onlink && change.value->gateway &&
         change.value->gateway->is_v6() && change.key.destination.contains(*change.value->gateway);
}

Result<netlink::Route> route_of(const RouteKind::Key& key, const RouteKind::Value& value,
                                LinkIndex& links) {
  netlink::Route route = route_of(key);
  WEFT_ASSIGN(route.link, links.index_of(value.link));
  route.gateway = value.gateway;
  route.onlink = value.onlink;
  route.source = value.source;
  return route;
}

// As ip(8) names them (/etc/iproute2/rt_protos).
std::string protocol_text(std::uint8_t protocol) {
  static const std::map<std::uint8_t, std::string> names{
      {RTPROT_KERNEL, "kernel"}, {RTPROT_BOOT, "boot"}, {RTPROT_STATIC, "static"},
      {RTPROT_RA, "ra"},         {RTPROT_DHCP, "dhcp"}, {RTPROT_ZEBRA, "zebra"},
      {RTPROT_BIRD, "bird"},     {RTPROT_BGP, "bgp"},   {RTPROT_OSPF, "ospf"},
  };
  const auto name = names.find(protocol);
  return name == names.end() ? std::to_string(protocol) : name->second;
}

// In front of "route"; nothing of one that leads somewhere.
std::string type_text(std::uint8_t type) {
  switch (type) {
    case RTN_UNICAST:
      return "";
    case RTN_BLACKHOLE:
      return "blackhole ";
    case RTN_UNREACHABLE:
      return "unreachable ";
    case RTN_PROHIBIT:
      return "prohibit ";
    default:
      return "type " + std::to_string(type) + " ";
  }
}

}  // namespace

Result<> encode(const reconcile::Change<RouteKind>& change, LinkIndex& links,
                netlink::Batch& batch) {
  if (!change.value) {
    netlink::put_route_removal(batch, route_of(change.key));
    return {};
  }
  WEFT_ASSIGN(const netlink::Route route, route_of(change.key, *change.value, links));
  netlink::put_route(batch, route);
  return {};
}

Result<> RouteDriver::read_family(IpFamily family, LinkIndex& links, RouteKind::Table& table) {
  netlink::RouteFilter filter;
  filter.family = family;
  filter.protocol = kRouteProtocol;
  WEFT_ASSIGN(const auto routes, netlink::list_routes(socket_, filter));
  for (const netlink::Route& route : routes) {
    const RouteKind::Key key{route.destination, route.metric};
    RouteKind::Value value;
    if (!route.multipath) {
      WEFT_ASSIGN(value.link, links.name_of(route.link));
      value.gateway = route.gateway;
      value.onlink = route.onlink;
      value.source = route.source;
    }
    const auto [place, first] = table.try_emplace(key, std::move(value));
    if (first) continue;
    place->second = {};
    ++surplus_[key];
  }
  return {};
}

Result<RouteKind::Table> RouteDriver::read() {
  LinkIndex links(socket_);
  RouteKind::Table table;
  surplus_.clear();
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6})
    WEFT_TRY(read_family(family, links, table));
  for (const auto& [key, value] : table) held_.insert(key);
  return table;
}

void RouteDriver::write(const reconcile::Changes<RouteKind>& changes,
                        const reconcile::Desired<RouteKind>&,
                        reconcile::WriteDone<RouteKind> done) {
  LinkIndex links(socket_);
  std::vector<reconcile::WriteFailure<RouteKind>> failures;
  write_batch<RouteKind>(
      socket_, changes, [&](auto refused) { failures = std::move(refused); },
      [&](const reconcile::Change<RouteKind>& change, netlink::Batch& batch) -> Result<> {
        put_surplus_removal(change.key, batch);
        if (!change.value || held_.contains(change.key)) return encode(change, links, batch);
        WEFT_ASSIGN(const netlink::Route route, route_of(change.key, *change.value, links));
        netlink::put_new_route(batch, route);
        return {};
      });

  const auto blocked =
      take_failed<RouteKind>(changes, failures, [&](const auto& change, const Error& error) {
        return error.code == EINVAL && may_be_blocked(change) && held_.contains(change.key);
      });
  write_batch<RouteKind>(
      socket_, blocked,
      [&](auto refused) {
        std::move(refused.begin(), refused.end(), std::back_inserter(failures));
      },
      [&](const reconcile::Change<RouteKind>& change, netlink::Batch& batch) {
        netlink::Route whosever = route_of(change.key);
        whosever.protocol = RTPROT_UNSPEC;
        netlink::put_route_removal(batch, whosever);
        return encode(change, links, batch);
      });
  note_written(changes, failures);
  name_strangers(failures);
  done(std::move(failures));
}

void RouteDriver::note_written(const reconcile::Changes<RouteKind>& changes,
                               const std::vector<reconcile::WriteFailure<RouteKind>>& failures) {
  std::set<RouteKind::Key> failed;
  for (const auto& failure : failures) {
    if (!failure.key) return;
    failed.insert(*failure.key);
  }
  for (const auto& change : changes) {
    if (failed.contains(change.key)) continue;
    if (change.value)
      held_.insert(change.key);
    else
      held_.erase(change.key);
  }
}

// "File exists" does not say whose.
void RouteDriver::name_strangers(std::vector<reconcile::WriteFailure<RouteKind>>& failures) {
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    std::map<RouteKind::Key, Error*> unnamed;
    for (auto& [key, error] : failures)
      if (key && key->destination.family() == family &&
          (error.code == EEXIST || error.code == EINVAL))
        unnamed[{key->destination.network(), key->metric}] = &error;
    if (unnamed.empty()) continue;
    const auto routes =
        netlink::list_routes(socket_, {family, RT_TABLE_MAIN, RTPROT_UNSPEC, RTN_UNSPEC});
    if (!routes) continue;
    for (const netlink::Route& route : *routes) {
      const auto found = unnamed.find({route.destination, route.metric});
      if (found == unnamed.end() || route.protocol == kRouteProtocol) continue;
      found->second->message = "somebody else's " + type_text(route.type) +
                               "route is there (protocol " + protocol_text(route.protocol) +
                               (route.gateway ? " via " + route.gateway->to_string() : "") + ")";
    }
  }
}

void RouteDriver::put_surplus_removal(const RouteKind::Key& key, netlink::Batch& batch) {
  const auto found = surplus_.find(key);
  if (found == surplus_.end()) return;
  for (std::size_t i = 0; i < found->second; ++i) netlink::put_route_removal(batch, route_of(key));
  surplus_.erase(found);
}

}  // namespace weft::tables
