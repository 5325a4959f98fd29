// SPDX-License-Identifier: Apache-2.0
#include "tables/route_driver.h"

#include <cerrno>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

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

// Takes those changes out of the failures.
reconcile::Changes<RouteKind> take_blocked(
    const reconcile::Changes<RouteKind>& changes,
    std::vector<reconcile::WriteFailure<RouteKind>>& failures) {
  std::set<RouteKind::Key> keys;
  for (const auto& failure : failures)
    if (failure.key && failure.error.code == EINVAL) keys.insert(*failure.key);
  reconcile::Changes<RouteKind> blocked;
  for (const auto& change : changes) {
    if (!keys.contains(change.key)) continue;
    if (may_be_blocked(change))
      blocked.push_back(change);
    else
      keys.erase(change.key);
  }
  std::erase_if(failures,
                [&](const auto& failure) { return failure.key && keys.contains(*failure.key); });
  return blocked;
}

}  // namespace

Result<> encode(const reconcile::Change<RouteKind>& change, LinkIndex& links,
                netlink::Batch& batch) {
  netlink::Route route = route_of(change.key);
  if (!change.value) {
    netlink::put_route_removal(batch, route);
    return {};
  }
  WEFT_ASSIGN(route.link, links.index_of(change.value->link));
  route.gateway = change.value->gateway;
  route.onlink = change.value->onlink;
  route.source = change.value->source;
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
  return table;
}

void RouteDriver::write(const reconcile::Changes<RouteKind>& changes,
                        const reconcile::Desired<RouteKind>&,
                        reconcile::WriteDone<RouteKind> done) {
  LinkIndex links(socket_);
  std::vector<reconcile::WriteFailure<RouteKind>> failures;
  write_batch<RouteKind>(
      socket_, changes, [&](auto refused) { failures = std::move(refused); },
      [&](const reconcile::Change<RouteKind>& change, netlink::Batch& batch) {
        put_surplus_removal(change.key, batch);
        return encode(change, links, batch);
      });

  reconcile::Changes<RouteKind> blocked = take_blocked(changes, failures);
  if (blocked.empty()) return done(std::move(failures));
  write_batch<RouteKind>(
      socket_, blocked,
      [&](auto refused) {
        std::move(refused.begin(), refused.end(), std::back_inserter(failures));
        done(std::move(failures));
      },
      [&](const reconcile::Change<RouteKind>& change, netlink::Batch& batch) {
        netlink::Route whosever = route_of(change.key);
        whosever.protocol = RTPROT_UNSPEC;
        netlink::put_route_removal(batch, whosever);
        return encode(change, links, batch);
      });
}

void RouteDriver::put_surplus_removal(const RouteKind::Key& key, netlink::Batch& batch) {
  const auto found = surplus_.find(key);
  if (found == surplus_.end()) return;
  for (std::size_t i = 0; i < found->second; ++i) netlink::put_route_removal(batch, route_of(key));
  surplus_.erase(found);
}

}  // namespace weft::tables
