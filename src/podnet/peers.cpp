// SPDX-License-Identifier: Apache-2.0
#include "podnet/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "tables/names.h"

namespace weft::podnet {

namespace {

using model::Node;
using model::ObjectName;
using tables::FdbKind;
using tables::NeighborKind;
using tables::RouteKind;
using tables::TableChanges;

// Pod CIDRs that do not overlap, and whose they are.
class Claims {
 public:
  struct Claim {
    Prefix cidr{};
    ObjectName node{};
  };

  // Takes it for `node`, or says which one is in its way.
  std::optional<Claim> take(const Prefix& cidr, const ObjectName& node) {
    // Of claims that do not overlap each other, only the last to start before its end can reach it.
    auto after = claims_.upper_bound(cidr.last());
    if (after != claims_.begin()) {
      const Claim& before = std::prev(after)->second;
      if (before.cidr.contains(cidr.address) || cidr.contains(before.cidr.address)) return before;
    }
    claims_.emplace(cidr.address, Claim{cidr, node});
    return std::nullopt;
  }

 private:
  std::map<IpAddress, Claim> claims_{};  // by its first address
};

// Of the InternalIP that carries packets to pods of `family`.
IpFamily outer_family(const Config& config, IpFamily family) {
  return config.transport == Transport::kVxlan ? IpFamily::kIpv4 : family;
}

const IpAddress* internal_ip(const Node& node, IpFamily family) {
  const auto found =
      std::find_if(node.internal_ips.begin(), node.internal_ips.end(),
                   [&](const IpAddress& address) { return address.family() == family; });
  return found == node.internal_ips.end() ? nullptr : &*found;
}

// The one of `networks` that the address is within.
const Prefix* network_of(const IpAddress& address, const std::vector<Prefix>& networks) {
  const auto found = std::find_if(networks.begin(), networks.end(),
                                  [&](const Prefix& network) { return network.contains(address); });
  return found == networks.end() ? nullptr : &*found;
}

// Why no packet goes to a node by this address; "" where it may. `pods`: networks of pods.
std::string flaw(const IpAddress& address, const std::vector<Prefix>& pods) {
  if (address.is_unspecified() || address.is_loopback() || address.is_multicast())
    return address.to_string() + " is no node's InternalIP";
  if (const Prefix* network = network_of(address, pods))
    return fmt::format("{} is within {}, where pods are", address.to_string(),
                       network->to_string());
  return "";
}

std::vector<std::string> problems_of(const Config& config, const Node& node,
                                     const std::vector<Prefix>& pods) {
  std::vector<std::string> problems;
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    std::vector<std::string> carried;
    for (const Prefix& cidr : node.pod_cidrs)
      if (outer_family(config, cidr.family()) == family) carried.push_back(cidr.to_string());
    if (carried.empty()) continue;
    const IpAddress* address = internal_ip(node, family);
    const std::string why = address != nullptr
                                ? flaw(*address, pods)
                                : fmt::format("no InternalIP is IPv{}", static_cast<int>(family));
    if (!why.empty())
      problems.push_back(fmt::format("node {}: status.addresses: {}: {} cannot be reached",
                                     node.name.to_string(), why, fmt::join(carried, ", ")));
  }
  return problems;
}

// One look at all Nodes, this one first and the others by name.
class Survey {
 public:
  Survey(const Config& config, const Node& self, const std::map<ObjectName, Node>& nodes)
      : config_(config), self_(self) {
    for (const Prefix& cidr : self.pod_cidrs) claims_.take(cidr.network(), self.name);
    for (const IpAddress& address : self.internal_ips) addresses_.emplace(address, self.name);
    for (const Prefix& cidr : config.cluster_cidrs)
      (node_within(self, cidr) != nullptr ? shared_ : pods_).push_back(cidr);
    pods_.insert(pods_.end(), self.pod_cidrs.begin(), self.pod_cidrs.end());
    if (shared_.empty()) return;
    note_underlay(self);
    for (const auto& [name, node] : nodes) note_underlay(node);
  }

  Peer look_at(const Node& node) {
    for (std::string& problem : problems_of(config_, node, pods_))
      problems_.push_back(std::move(problem));
    Peer peer;
    std::set<IpAddress> told;
    for (const Prefix& pod_cidr : node.pod_cidrs) {
      const Prefix cidr = pod_cidr.network();
      const std::string obstacle = claim(cidr, node.name);
      if (!obstacle.empty()) tell_not_routed(node, cidr, obstacle);
      const IpAddress* via = address_for(node, cidr);
      if (via == nullptr) continue;
      const auto [holder, first] = addresses_.emplace(*via, node.name);
      if (holder->second != node.name && told.insert(*via).second)
        tell_shared(node, *via, holder->second);
      if (!obstacle.empty() || holder->second == self_.name) continue;
      peer.routes.push_back({cidr, *via});
      if (config_.transport == Transport::kVxlan && vteps_.insert(*via).second) peer.vtep = *via;
    }
    return peer;
  }

  std::vector<std::string> take_problems() { return std::move(problems_); }

 private:
  void note_underlay(const Node& node) {
    for (const IpAddress& address : node.internal_ips)
      if (network_of(address, shared_) != nullptr) underlay_.emplace(address, node.name);
  }

  // Takes the pod CIDR for the node, or says why it does not.
  std::string claim(const Prefix& cidr, const ObjectName& node) {
    if (!is_within(cidr, config_.cluster_cidrs))
      return "it is outside clusterCIDRs of the configuration";
    if (const auto at = underlay_.lower_bound(cidr.address);
        at != underlay_.end() && cidr.contains(at->first))
      return fmt::format("it contains {}, an InternalIP of {}", at->first.to_string(),
                         call(at->second));
    if (const auto rival = claims_.take(cidr, node))
      return fmt::format("it overlaps {} of {}", rival->cidr.to_string(), call(rival->node));
    return "";
  }

  // Where packets for a pod CIDR of the node go; nothing while that is one of problems_of().
  const IpAddress* address_for(const Node& node, const Prefix& cidr) const {
    const IpAddress* address = internal_ip(node, outer_family(config_, cidr.family()));
    return address != nullptr && flaw(*address, pods_).empty() ? address : nullptr;
  }

  std::string call(const ObjectName& node) const {
    return node == self_.name ? "this node" : "node " + node.to_string();
  }
  void tell_not_routed(const Node& node, const Prefix& cidr, std::string_view why) {
    problems_.push_back(fmt::format("node {}: spec.podCIDRs: {} is not routed: {}",
                                    node.name.to_string(), cidr.to_string(), why));
  }
  void tell_shared(const Node& node, const IpAddress& address, const ObjectName& holder) {
    problems_.push_back(fmt::format("node {}: status.addresses: {} is the InternalIP of {} too{}",
                                    node.name.to_string(), address.to_string(), call(holder),
                                    holder == self_.name ? "; nothing is routed to it" : ""));
  }

  const Config& config_;
  const Node& self_;
  std::vector<Prefix> pods_{};                  // networks of pods alone
  std::vector<Prefix> shared_{};                // cluster CIDRs that this node is in
  std::map<IpAddress, ObjectName> underlay_{};  // InternalIPs in those
  Claims claims_{};
  std::map<IpAddress, ObjectName> addresses_{};
  std::set<IpAddress> vteps_{};
  std::vector<std::string> problems_{};
};

// Per pod CIDR one onlink route and one neighbor, per peer one FDB entry: a packet for the peer's
// pods goes to the peer's VTEP address, whose MAC and outer address stand in the two tables.
void plan_vxlan(const Peer& peer, TableChanges& out) {
  const std::string link(tables::kVxlan);
  if (peer.vtep) out.set<FdbKind>({link, vtep_mac(*peer.vtep)}, {*peer.vtep});
  for (const Peer::Route& route : peer.routes) {
    const IpAddress vtep = route.pod_cidr.at(0);
    out.set<NeighborKind>({link, vtep}, {vtep_mac(route.via)});
    out.set<RouteKind>({route.pod_cidr}, {.link = link, .gateway = vtep, .onlink = true});
  }
}

void plan_direct(const Underlay& underlay, const Peer& peer, TableChanges& out) {
  for (const Peer::Route& route : peer.routes)
    out.set<RouteKind>({route.pod_cidr}, {.link = underlay.link, .gateway = route.via});
}

// The entries of those of `peers` that are not the same in `others`.
TableChanges plan_different(const Config& config, const Underlay& underlay, const Peers& peers,
                            const Peers& others) {
  TableChanges out;
  for (const auto& [name, peer] : peers.nodes) {
    const auto other = others.nodes.find(name);
    if (other != others.nodes.end() && other->second == peer) continue;
    if (config.transport == Transport::kVxlan)
      plan_vxlan(peer, out);
    else
      plan_direct(underlay, peer, out);
  }
  return out;
}

template <class Kind>
void move_from_to(const TableChanges& before, const TableChanges& after, TableChanges& out) {
  std::set<typename Kind::Key> kept;
  for (const auto& edit : after.of<Kind>()) kept.insert(edit.key);
  for (const auto& old : before.of<Kind>())
    if (!kept.contains(old.key)) out.remove<Kind>(old.key);
  for (const auto& edit : after.of<Kind>()) out.set<Kind>(edit.key, *edit.value);
}

}  // namespace

const IpAddress* node_within(const Node& node, const Prefix& network) {
  const auto found =
      std::find_if(node.internal_ips.begin(), node.internal_ips.end(),
                   [&](const IpAddress& address) { return network.contains(address); });
  return found == node.internal_ips.end() ? nullptr : &*found;
}

bool is_within(const Prefix& cidr, const std::vector<Prefix>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Prefix& network) { return network.contains(cidr); });
}

std::vector<std::string> address_problems(const Config& config, const Node& node) {
  return problems_of(config, node, {});
}

Peers find_peers(const Config& config, const Node& self, const std::map<ObjectName, Node>& nodes) {
  Survey survey(config, self, nodes);
  Peers peers;
  for (const auto& [name, node] : nodes)
    if (name != self.name) peers.nodes.emplace(name, survey.look_at(node));
  peers.problems = survey.take_problems();
  return peers;
}

void plan_peers(const Config& config, const Underlay& underlay, const Peers& before,
                const Peers& after, TableChanges& out) {
  const TableChanges old = plan_different(config, underlay, before, after);
  const TableChanges now = plan_different(config, underlay, after, before);
  move_from_to<NeighborKind>(old, now, out);
  move_from_to<FdbKind>(old, now, out);
  move_from_to<RouteKind>(old, now, out);
}

}  // namespace weft::podnet
