// SPDX-License-Identifier: Apache-2.0
#include "podnet/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "podnet/addresses.h"

namespace weft::podnet {

namespace {

using model::Node;
using model::ObjectName;
using tables::TableChanges;

Node without_labels(const Node& node) {
  Node out;
  out.name = node.name;
  out.internal_ips = node.internal_ips;
  out.pod_cidrs = node.pod_cidrs;
  return out;
}

TableChanges plan_routes(const Transport& transport, const Underlay& underlay,
                         const PeerRoutes& routes) {
  TableChanges out;
  for (const PeerRoute& route : routes.routes) transport.plan_route(route, underlay, out);
  for (const IpAddress& remote : routes.remotes) transport.plan_remote(remote, out);
  return out;
}

}  // namespace

// What one update() touches.
struct Peers::Pass {
  std::set<ObjectName> touched{};                       // Nodes to look at again
  std::map<ObjectName, std::vector<PeerRoute>> gone{};  // routes of those that left
  // Who was sent to at an address before.
  std::map<IpAddress, std::optional<Claimant>> holders{};
};

Peers::Peers(const Config& config, const Node& self, const Nodes& nodes)
    : config_(config), self_(without_labels(self)) {
  for (const Prefix& cidr : config_.cluster_cidrs)
    (node_within(self_, cidr) != nullptr ? shared_ : pods_).push_back(cidr);
  pods_.insert(pods_.end(), self_.pod_cidrs.begin(), self_.pod_cidrs.end());

  Pass pass;
  for (std::size_t i = 0; i < self_.pod_cidrs.size(); ++i)
    claims_.add({self_.pod_cidrs[i].network(), claimant(self_.name), i});
  for (const IpAddress& address : self_.internal_ips)
    hold(address, claimant(self_.name), true, pass);
  note_underlay(self_, true);
  for (const auto& [name, node] : nodes)
    if (name != self_.name) enter(*node, pass);
  finish(std::move(pass));
}

PeerChange Peers::update(const std::set<ObjectName>& changed, const Nodes& nodes) {
  Pass pass;
  for (const ObjectName& name : changed) {
    if (name == self_.name) continue;
    const auto now = nodes.find(name);
    if (peers_.contains(name)) leave(name, pass);
    if (now != nodes.end()) enter(*now->second, pass);
  }
  return finish(std::move(pass));
}

void Peers::enter(const Node& node, Pass& pass) {
  Peer& peer = peers_[node.name];
  peer.node = without_labels(node);
  peer.claims.resize(node.pod_cidrs.size());
  for (std::size_t i = 0; i < node.pod_cidrs.size(); ++i) {
    Claim& claim = peer.claims[i];
    const Prefix cidr = node.pod_cidrs[i].network();
    if (const IpAddress* remote = remote_for(*config_.transport, node, cidr, pods_)) {
      claim.remote = *remote;
      hold(*remote, claimant(node.name), true, pass);
    }
    claim.is_within_cluster = is_within(cidr, config_.cluster_cidrs);
    if (claim.is_within_cluster)
      claims_.add({cidr, claimant(node.name), i});
    else
      claim.obstacle = "it is outside clusterCIDRs of the configuration";
  }
  note_underlay(node, true);
  pass.touched.insert(node.name);
}

void Peers::leave(const ObjectName& name, Pass& pass) {
  const auto found = peers_.find(name);
  Peer& peer = found->second;
  for (std::size_t i = 0; i < peer.claims.size(); ++i) {
    const Claim& claim = peer.claims[i];
    if (claim.remote) hold(*claim.remote, claimant(name), false, pass);
    if (claim.is_within_cluster)
      claims_.remove({peer.node.pod_cidrs[i].network(), claimant(name), i});
  }
  note_underlay(peer.node, false);
  pass.gone.emplace(name, std::move(peer.routes));
  pass.touched.insert(name);
  peers_.erase(found);
}

void Peers::note_underlay(const Node& node, bool is_there) {
  for (const IpAddress& address : node.internal_ips) {
    if (network_of(address, shared_) == nullptr) continue;
    std::set<Claimant>& nodes = underlay_[address];
    if (is_there)
      nodes.insert(claimant(node.name));
    else
      nodes.erase(claimant(node.name));
    if (nodes.empty()) underlay_.erase(address);
    claims_.reconsider(Prefix::host(address));
  }
}

void Peers::hold(const IpAddress& address, const Claimant& holder, bool is_there, Pass& pass) {
  std::set<Claimant>& holders = holders_[address];
  pass.holders.try_emplace(address,
                           holders.empty() ? std::nullopt : std::optional(*holders.begin()));
  if (is_there)
    holders.insert(holder);
  else
    holders.erase(holder);
  if (holders.empty()) holders_.erase(address);
}

void Peers::decide_claims(Pass& pass) {
  IpAddress inside;
  const auto is_barred = [&](const PodCidrClaim& claim) {
    return claim.by.other && underlay_within(claim.cidr, inside) != nullptr;
  };
  const auto decided = [&](const PodCidrClaim& claim, const PodCidrClaim* rival) {
    if (!claim.by.other) return;
    std::string obstacle;
    if (const Claimant* node = underlay_within(claim.cidr, inside))
      obstacle =
          fmt::format("it contains {}, an InternalIP of {}", inside.to_string(), call(*node));
    else if (rival != nullptr)
      obstacle = fmt::format("it overlaps {} of {}", rival->cidr.to_string(), call(rival->by));
    Claim& known = peers_.at(claim.by.node).claims[claim.position];
    if (known.obstacle == obstacle) return;
    known.obstacle = std::move(obstacle);
    pass.touched.insert(claim.by.node);
  };
  claims_.decide(is_barred, decided);
}

// Who shares an address tells whose it is; where that changed, all of them tell another.
void Peers::tell_holders(Pass& pass) {
  for (const auto& [address, before] : pass.holders) {
    const auto holders = holders_.find(address);
    if (holders == holders_.end() || before == *holders->second.begin()) continue;
    for (const Claimant& holder : holders->second)
      if (holder.other) pass.touched.insert(holder.node);
  }
}

PeerChange Peers::finish(Pass&& pass) {
  decide_claims(pass);
  tell_holders(pass);

  std::map<Prefix, std::pair<std::optional<IpAddress>, std::optional<IpAddress>>> routes;
  std::map<IpAddress, bool> had;  // whether routes led to it
  const auto count = [&](const IpAddress& remote) -> std::size_t& {
    std::size_t& led = remotes_[remote];
    had.try_emplace(remote, led > 0);
    return led;
  };
  for (const ObjectName& name : pass.touched) {
    const auto peer = peers_.find(name);
    std::vector<PeerRoute>& before = pass.gone[name];
    if (peer != peers_.end())
      std::move(peer->second.routes.begin(), peer->second.routes.end(), std::back_inserter(before));
    for (const PeerRoute& route : before) {
      routes[route.pod_cidr].first = route.remote;
      --count(route.remote);
    }
  }
  PeerChange change;
  for (const ObjectName& name : pass.touched) {
    std::vector<std::string> problems;
    if (const auto peer = peers_.find(name); peer != peers_.end()) {
      peer->second.routes = routes_of(peer->second);
      for (const PeerRoute& route : peer->second.routes) {
        routes[route.pod_cidr].second = route.remote;
        ++count(route.remote);
      }
      problems = problems_of(peer->second);
    }
    std::vector<std::string>& known = problems_[name];
    for (const std::string& problem : problems)
      if (std::find(known.begin(), known.end(), problem) == known.end())
        change.new_problems.push_back(problem);
    known = std::move(problems);
    if (known.empty()) problems_.erase(name);
  }
  for (const auto& [cidr, remotes] : routes) {
    const auto& [before, now] = remotes;
    if (before == now) continue;
    if (before) change.before.routes.push_back({cidr, *before});
    if (now) change.now.routes.push_back({cidr, *now});
  }
  for (const auto& [remote, led] : had) {
    const auto counted = remotes_.find(remote);
    const bool leads = counted->second > 0;
    if (!leads) remotes_.erase(counted);
    if (led != leads) (leads ? change.now : change.before).remotes.push_back(remote);
  }
  return change;
}

std::vector<PeerRoute> Peers::routes_of(const Peer& peer) const {
  std::vector<PeerRoute> routes;
  for (std::size_t i = 0; i < peer.claims.size(); ++i) {
    const Claim& claim = peer.claims[i];
    if (!claim.obstacle.empty() || !claim.remote) continue;
    if (!holders_.at(*claim.remote).begin()->other) continue;  // this node's own
    routes.push_back({peer.node.pod_cidrs[i].network(), *claim.remote});
  }
  return routes;
}

std::vector<std::string> Peers::problems_of(const Peer& peer) const {
  const std::string name = peer.node.name.to_string();
  std::vector<std::string> problems = address_problems(*config_.transport, peer.node, pods_);
  std::set<IpAddress> told;
  for (std::size_t i = 0; i < peer.claims.size(); ++i) {
    const Claim& claim = peer.claims[i];
    if (!claim.obstacle.empty())
      problems.push_back(fmt::format("node {}: spec.podCIDRs: {} is not routed: {}", name,
                                     peer.node.pod_cidrs[i].network().to_string(), claim.obstacle));
    if (!claim.remote) continue;
    const Claimant& holder = *holders_.at(*claim.remote).begin();
    if (holder.node != peer.node.name && told.insert(*claim.remote).second)
      problems.push_back(fmt::format("node {}: status.addresses: {} is the InternalIP of {} too{}",
                                     name, claim.remote->to_string(), call(holder),
                                     holder.other ? "" : "; nothing is routed to it"));
  }
  return problems;
}

// Whose InternalIP is in the pod CIDR, and which; null where nobody's is.
const Claimant* Peers::underlay_within(const Prefix& cidr, IpAddress& address) const {
  const auto at = underlay_.lower_bound(cidr.address);
  if (at == underlay_.end() || !cidr.contains(at->first)) return nullptr;
  address = at->first;
  return &*at->second.begin();
}

std::string Peers::call(const Claimant& node) const {
  return node.other ? "node " + node.node.to_string() : "this node";
}

PeerRoutes Peers::routes() const {
  PeerRoutes out;
  for (const auto& [name, peer] : peers_)
    out.routes.insert(out.routes.end(), peer.routes.begin(), peer.routes.end());
  for (const auto& [remote, count] : remotes_) out.remotes.push_back(remote);
  return out;
}

void plan_peers(const Transport& transport, const Underlay& underlay, const PeerRoutes& before,
                const PeerRoutes& now, TableChanges& out) {
  const TableChanges after = plan_routes(transport, underlay, now);
  plan_routes(transport, underlay, before)
      .each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>& edits) {
        typename Kind::Table kept;
        for (const auto& edit : after.of<Kind>()) kept.emplace(edit.key, *edit.value);
        for (const auto& edit : edits)
          if (!kept.contains(edit.key)) out.remove<Kind>(edit.key);
      });
  after.each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>& edits) {
    for (const auto& edit : edits) out.set<Kind>(edit.key, *edit.value);
  });
}

}  // namespace weft::podnet
