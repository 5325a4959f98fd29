// SPDX-License-Identifier: Apache-2.0
//
// Peers, brought up to date Node by Node, are what one look at all Nodes in their order says.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <optional>
#include <set>

#include "podnet/addresses.h"
#include "podnet/peers.h"

namespace weft::podnet {
namespace {

using model::Node;
using model::ObjectName;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

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

// One look at all Nodes, this one first and the others by name.
class Survey {
 public:
  Survey(const Config& config, const Node& self, const Peers::Nodes& nodes)
      : config_(config), self_(self) {
    for (const Prefix& cidr : self.pod_cidrs) claims_.take(cidr.network(), self.name);
    for (const IpAddress& address : self.internal_ips) addresses_.emplace(address, self.name);
    for (const Prefix& cidr : config.cluster_cidrs)
      (node_within(self, cidr) != nullptr ? shared_ : pods_).push_back(cidr);
    pods_.insert(pods_.end(), self.pod_cidrs.begin(), self.pod_cidrs.end());
    if (shared_.empty()) return;
    note_underlay(self);
    for (const auto& [name, node] : nodes) note_underlay(*node);
  }

  std::vector<PeerRoute> look_at(const Node& node) {
    for (std::string& problem : address_problems(*config_.transport, node, pods_))
      problems_.push_back(std::move(problem));
    std::vector<PeerRoute> routes;
    std::set<IpAddress> told;
    for (const Prefix& pod_cidr : node.pod_cidrs) {
      const Prefix cidr = pod_cidr.network();
      const std::string obstacle = claim(cidr, node.name);
      if (!obstacle.empty()) tell_not_routed(node, cidr, obstacle);
      const IpAddress* via = remote_for(*config_.transport, node, cidr, pods_);
      if (via == nullptr) continue;
      const auto [holder, first] = addresses_.emplace(*via, node.name);
      if (holder->second != node.name && told.insert(*via).second)
        tell_shared(node, *via, holder->second);
      if (!obstacle.empty() || holder->second == self_.name) continue;
      routes.push_back({cidr, *via});
    }
    return routes;
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
  std::vector<std::string> problems_{};
};

// What there is to tell apart.
struct Outcome {
  std::map<Prefix, IpAddress> routes{};
  std::set<IpAddress> remotes{};
  Peers::Problems problems{};
  bool operator==(const Outcome&) const = default;
};

Outcome from_scratch(const Config& config, const Node& self, const Peers::Nodes& nodes) {
  Survey survey(config, self, nodes);
  Outcome out;
  for (const auto& [name, node] : nodes) {
    if (name == self.name) continue;
    for (const PeerRoute& route : survey.look_at(*node)) {
      out.routes[route.pod_cidr] = route.remote;
      out.remotes.insert(route.remote);
    }
    if (auto problems = survey.take_problems(); !problems.empty()) out.problems[name] = problems;
  }
  return out;
}

// As it follows from the changes told, each from what was before.
void apply(const PeerChange& change, Outcome& out) {
  for (const PeerRoute& route : change.before.routes) {
    RC_ASSERT(out.routes.contains(route.pod_cidr));
    RC_ASSERT(out.routes[route.pod_cidr] == route.remote);
    out.routes.erase(route.pod_cidr);
  }
  for (const PeerRoute& route : change.now.routes)
    RC_ASSERT(out.routes.emplace(route.pod_cidr, route.remote).second);
  for (const IpAddress& remote : change.before.remotes) RC_ASSERT(out.remotes.erase(remote) == 1U);
  for (const IpAddress& remote : change.now.remotes) RC_ASSERT(out.remotes.insert(remote).second);
}

Outcome outcome_of(const Peers& peers) {
  Outcome out{.problems = peers.problems()};
  const PeerRoutes routes = peers.routes();
  for (const PeerRoute& route : routes.routes)
    RC_ASSERT(out.routes.emplace(route.pod_cidr, route.remote).second);
  for (const IpAddress& remote : routes.remotes) RC_ASSERT(out.remotes.insert(remote).second);
  return out;
}

// Addresses and pod CIDRs from so few that the Nodes contradict each other.
Node random_node() {
  Node made;
  made.name.name = *rc::gen::element<std::string>("node0", "node2", "node3", "node4", "node5");
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    made.internal_ips.push_back(
        ip(*rc::gen::element("172.31.0.11", "172.31.0.12", "172.31.0.13", "172.31.0.64",
                             "10.244.2.1", "fd00::11", "fd00::12", "127.0.0.1")));
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
    made.pod_cidrs.push_back(prefix(*rc::gen::element(
        "10.244.1.0/24", "10.244.2.0/23", "10.244.2.0/24", "10.244.3.0/24", "10.244.3.64/26",
        "10.244.0.0/16", "172.31.0.12/31", "172.31.0.64/26", "172.31.0.0/25", "fd00:10:244:2::/64",
        "fd00:10:244:2::/63", "2000::/3")));
  return made;
}

TEST(Peers, BroughtUpToDateNodeByNodeAreThoseOfAllNodes) {
  EXPECT_TRUE(rc::check([] {
    Config config{.node_name = "node1",
                  .transport = find_transport(*rc::gen::element("vxlan", "direct")),
                  .cluster_cidrs = {prefix("10.244.0.0/16"), prefix("fd00:10:244::/48")}};
    if (*rc::gen::arbitrary<bool>()) config.cluster_cidrs.push_back(prefix("172.31.0.0/24"));
    Node self;
    self.name.name = "node1";
    self.internal_ips = {ip("172.31.0.11"), ip("fd00::11")};
    self.pod_cidrs = {prefix("10.244.1.0/24")};

    Peers::Nodes nodes{{self.name, self}};
    Peers peers(config, self, nodes);
    Outcome told;
    std::set<std::string> problems;
    for (int step = 0; step < 60; ++step) {
      std::set<ObjectName> changed;
      for (int burst = *rc::gen::inRange(1, 4); burst > 0; --burst) {
        Node node = random_node();
        changed.insert(node.name);
        nodes.erase(node.name);
        if (*rc::gen::inRange(0, 4) != 0) nodes.emplace(node.name, std::move(node));
      }
      const PeerChange change = peers.update(changed, nodes);
      apply(change, told);
      const Outcome expected = from_scratch(config, self, nodes);
      RC_ASSERT(outcome_of(peers) == expected);
      RC_ASSERT(told.routes == expected.routes);
      RC_ASSERT(told.remotes == expected.remotes);
      RC_ASSERT(outcome_of(Peers(config, self, nodes)) == expected);

      std::set<std::string> now;
      for (const auto& [name, list] : expected.problems) now.insert(list.begin(), list.end());
      std::set<std::string> fresh;
      std::set_difference(now.begin(), now.end(), problems.begin(), problems.end(),
                          std::inserter(fresh, fresh.end()));
      RC_ASSERT(fresh ==
                std::set<std::string>(change.new_problems.begin(), change.new_problems.end()));
      problems = std::move(now);
    }
  }));
}

}  // namespace
}  // namespace weft::podnet
