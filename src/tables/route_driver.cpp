// SPDX-License-Identifier: Apache-2.0
#include "tables/route_driver.h"

#include <cerrno>
#include <string>
#include <utility>

#include "tables/rtnetlink_write.h"

namespace weft::tables {

namespace {

netlink::Route route_of(const RouteKind::Key& key, const Ownership& ownership) {
  netlink::Route route;
  route.destination = key.destination.network();
  route.metric = key.metric;
  route.table = key.table;
  route.protocol = ownership.protocol;
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
                                LinkIndex& links, const Ownership& ownership) {
  netlink::Route route = route_of(key, ownership);
  if (!value.link.empty()) {
    WEFT_ASSIGN(route.link, links.index_of(value.link));
  }
  route.gateway = value.gateway;
  route.onlink = value.onlink;
  route.source = value.source;
  for (const NextHop& hop : value.next_hops) {
    WEFT_ASSIGN(const std::uint32_t link, links.index_of(hop.link));
    route.next_hops.push_back({link, hop.gateway, hop.onlink, hop.weight});
  }
  route.next_hop_group = value.next_hop_group;
  route.type = value.type;
  route.scope = value.scope;
  route.mtu = value.mtu;
  route.advmss = value.advmss;
  return route;
}

Result<RouteKind::Value> value_of(const netlink::Route& route, LinkIndex& links) {
  RouteKind::Value value;
  value.source = route.source;
  value.type = route.type;
  value.scope = route.scope;
  value.mtu = route.mtu;
  value.advmss = route.advmss;
  value.next_hop_group = route.next_hop_group;
  // What a group leads to is the group's; what leads nowhere IPv6 has lead to lo.
  if (route.next_hop_group != 0 || route.type != RTN_UNICAST) return value;
  WEFT_ASSIGN(value.link, links.name_of(route.link));
  value.gateway = route.gateway;
  value.onlink = route.onlink && route.next_hops.empty();
  for (const netlink::RouteHop& hop : route.next_hops) {
    WEFT_ASSIGN(std::string link, links.name_of(hop.link));
    value.next_hops.push_back({std::move(link), hop.gateway, hop.onlink, hop.weight});
  }
  return value;
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

// "blackhole route".
std::string route_text(std::uint8_t type) {
  const std::string word = route_type(type);
  return word.empty() ? "route" : word + " route";
}

}  // namespace

Result<> encode(const reconcile::Change<RouteKind>& change, LinkIndex& links,
                const Ownership& ownership, netlink::Batch& batch) {
  if (!change.value) {
    netlink::put_route_removal(batch, route_of(change.key, ownership));
    return {};
  }
  WEFT_ASSIGN(const netlink::Route route, route_of(change.key, *change.value, links, ownership));
  netlink::put_route(batch, route);
  return {};
}

Result<> RouteDriver::read_some(const netlink::RouteFilter& filter, LinkIndex& links,
                                RouteKind::Table& table) {
  WEFT_ASSIGN(const auto routes, netlink::list_routes(socket_, filter));
  for (const netlink::Route& route : routes) {
    const RouteKind::Key key{route.destination, route.metric, route.table};
    WEFT_ASSIGN(RouteKind::Value value, value_of(route, links));
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
  if (ownership_.protocol == RTPROT_UNSPEC) return table;
  for (const std::uint32_t number : ownership_.route_tables)
    for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6})
      WEFT_TRY(read_some({family, number, ownership_.protocol, RTN_UNSPEC}, links, table));
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
        if (!change.value) {
          put_surplus_removal(change.key, batch);
          return encode(change, links, ownership_, batch);
        }
        WEFT_ASSIGN(const netlink::Route route,
                    route_of(change.key, *change.value, links, ownership_));
        put_surplus_removal(change.key, batch);
        if (held_.contains(change.key))
          netlink::put_route(batch, route);
        else
          netlink::put_new_route(batch, route);
        return {};
      });

  const Again<RouteKind> blocked =
      take_failed<RouteKind>(changes, failures, [&](const auto& change, const Error& error) {
        return error.code == EINVAL && may_be_blocked(change) && held_.contains(change.key);
      });
  write_again<RouteKind>(socket_, blocked, failures,
                         [&](const reconcile::Change<RouteKind>& change, netlink::Batch& batch) {
                           netlink::Route whosever = route_of(change.key, ownership_);
                           whosever.protocol = RTPROT_UNSPEC;
                           netlink::put_route_removal(batch, whosever);
                           return encode(change, links, ownership_, batch);
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
    if (failure.half_done) held_.erase(*failure.key);  // the read that follows tells
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
  std::map<std::pair<std::uint32_t, IpFamily>, std::map<RouteKind::Key, Error*>> unnamed;
  for (auto& [key, error, half_done] : failures)
    if (key && (error.code == EEXIST || error.code == EINVAL))
      unnamed[{key->table, key->destination.family()}]
             [{key->destination.network(), key->metric, key->table}] = &error;
  for (const auto& [where, errors] : unnamed) {
    const auto [table, family] = where;
    const auto routes = netlink::list_routes(socket_, {family, table, RTPROT_UNSPEC, RTN_UNSPEC});
    if (!routes) continue;
    for (const netlink::Route& route : *routes) {
      const auto found = errors.find({route.destination, route.metric, route.table});
      if (found == errors.end() || route.protocol == ownership_.protocol) continue;
      found->second->message = "somebody else's " + route_text(route.type) +
                               " is there (protocol " + protocol_text(route.protocol) +
                               (route.gateway ? " via " + route.gateway->to_string() : "") + ")";
    }
  }
}

void RouteDriver::put_surplus_removal(const RouteKind::Key& key, netlink::Batch& batch) {
  const auto found = surplus_.find(key);
  if (found == surplus_.end()) return;
  for (std::size_t i = 0; i < found->second; ++i)
    netlink::put_route_removal(batch, route_of(key, ownership_));
  surplus_.erase(found);
}

}  // namespace weft::tables
