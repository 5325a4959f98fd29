// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "podnet/plan.h"
#include "tables/names.h"

namespace weft::podnet {

namespace {

using tables::FdbKind;
using tables::NeighborKind;
using tables::RouteKind;
using tables::TableChanges;

std::optional<IpAddress> internal_ip(const model::Node& node, IpFamily family) {
  for (const IpAddress& address : node.internal_ips)
    if (address.family() == family) return address;
  return std::nullopt;
}

// Per pod CIDR one onlink route and one neighbor, per peer one FDB entry: a packet for the peer's
// pods goes to the peer's VTEP address, whose MAC and outer address stand in the two tables.
void plan_vxlan(const model::Node& peer, TableChanges& out) {
  const auto remote = internal_ip(peer, IpFamily::kIpv4);
  if (!remote || peer.pod_cidrs.empty()) return;
  const std::string link(tables::kVxlan);
  const MacAddress mac = vtep_mac(*remote);
  out.set<FdbKind>({link, mac}, {*remote});
  for (const Prefix& cidr : peer.pod_cidrs) {
    const IpAddress vtep = cidr.at(0);
    out.set<NeighborKind>({link, vtep}, {mac});
    out.set<RouteKind>({cidr.network()}, {.link = link, .gateway = vtep, .onlink = true});
  }
}

void plan_direct(const Underlay& underlay, const model::Node& peer, TableChanges& out) {
  for (const Prefix& cidr : peer.pod_cidrs)
    if (const auto gateway = internal_ip(peer, cidr.family()))
      out.set<RouteKind>({cidr.network()}, {.link = underlay.link, .gateway = gateway});
}

void plan_peer(const Config& config, const Underlay& underlay,
               const std::optional<model::Node>& peer, TableChanges& out) {
  if (!peer) return;
  if (config.transport == Transport::kVxlan)
    plan_vxlan(*peer, out);
  else
    plan_direct(underlay, *peer, out);
}

template <class Kind>
void move_from_to(const TableChanges& before, const TableChanges& after, TableChanges& out) {
  for (const auto& old : before.of<Kind>())
    if (std::none_of(after.of<Kind>().begin(), after.of<Kind>().end(),
                     [&](const auto& edit) { return edit.key == old.key; }))
      out.remove<Kind>(old.key);
  for (const auto& edit : after.of<Kind>()) out.set<Kind>(edit.key, *edit.value);
}

}  // namespace

void plan_peers(const Config& config, const Underlay& underlay,
                const std::vector<PeerChange>& changes, TableChanges& out) {
  TableChanges before;
  TableChanges after;
  for (const PeerChange& change : changes) {
    plan_peer(config, underlay, change.previous, before);
    plan_peer(config, underlay, change.current, after);
  }
  move_from_to<NeighborKind>(before, after, out);
  move_from_to<FdbKind>(before, after, out);
  move_from_to<RouteKind>(before, after, out);
}

}  // namespace weft::podnet
