// SPDX-License-Identifier: Apache-2.0
//
// The other nodes, as far as this one sends packets to their pods: a function of the Nodes there
// are, whatever order they came in.
//
// - A pod CIDR that overlaps another's is not routed: this node's own come first, then the other
//   Nodes' by name. When the one before it gives way it takes its place (claims.h).
// - Nor is a pod CIDR outside the configuration's clusterCIDRs, nor one that contains a Node's
//   InternalIP: either would take along what is not pods', the way between the nodes first of all.
// - Nor is a pod CIDR whose Node lacks an InternalIP that the transport can use.
// - An InternalIP among pods (in clusterCIDRs, or in a pod CIDR of this node) is nobody's, so that
//   no Node can take another's pod CIDR away by it. Unless this node itself is in that cluster
//   CIDR: then nodes and pods share it, and pod CIDRs must leave the nodes' addresses out.
// - Two Nodes with one InternalIP are both routed to it; one with this node's is not.
//
// Each of these is a problem, in words that name the Node, the field and the value.
//
// A change of a Node costs that Node, and those whose pod CIDRs or InternalIPs it shares. Of a Node
// only the name, the InternalIPs and the pod CIDRs matter. This node is as it was when the object
// was made: where it changed, so may have everything, and a new one is made.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "model/cluster_state.h"
#include "podnet/claims.h"
#include "podnet/plan.h"
#include "podnet/transport.h"
#include "tables/changes.h"

namespace weft::podnet {

struct PeerRoutes {
  std::vector<PeerRoute> routes{};   // in order
  std::vector<IpAddress> remotes{};  // that they lead to, each once
  bool empty() const { return routes.empty() && remotes.empty(); }
};

// What went and what came; a pod CIDR that is routed elsewhere is in both.
struct PeerChange {
  PeerRoutes before{};
  PeerRoutes now{};
  std::vector<std::string> new_problems{};
};

class Peers {
 public:
  using Nodes = model::ClusterState::All<model::Node>;
  using Problems = std::map<model::ObjectName, std::vector<std::string>>;

  // `nodes` may have `self` among them.
  Peers(const Config& config, const model::Node& self, const Nodes& nodes);

  // The named Nodes may have come, changed or gone: `nodes` has them as they are now.
  PeerChange update(const std::set<model::ObjectName>& changed, const Nodes& nodes);

  PeerRoutes routes() const;                              // all
  const Problems& problems() const { return problems_; }  // by Node, those without left out
  std::size_t count() const { return peers_.size(); }     // every Node but this one

 private:
  struct Claim {
    bool is_within_cluster = false;
    std::optional<IpAddress> remote{};
    std::string obstacle{};  // why it is not routed; "" where it may be
  };
  struct Peer {
    model::Node node{};
    std::vector<Claim> claims{};  // of its pod CIDRs
    std::vector<PeerRoute> routes{};
  };
  using Holders = std::map<IpAddress, std::set<Claimant>>;
  struct Pass;

  Claimant claimant(const model::ObjectName& node) const { return {node != self_.name, node}; }
  void enter(const model::Node& node, Pass& pass);
  void leave(const model::ObjectName& name, Pass& pass);
  void claim(const model::Node& node, Peer& peer, Pass& pass);
  void note_underlay(const model::Node& node, bool is_there);
  void hold(const IpAddress& address, const Claimant& holder, bool is_there, Pass& pass);
  void decide_claims(Pass& pass);
  void tell_holders(Pass& pass);
  PeerChange finish(Pass&& pass);
  std::vector<PeerRoute> routes_of(const Peer& peer) const;
  std::vector<std::string> problems_of(const Peer& peer) const;
  const Claimant* underlay_within(const Prefix& cidr, IpAddress& address) const;
  std::string call(const Claimant& node) const;

  Config config_;
  model::Node self_;
  std::vector<Prefix> pods_{};    // networks of pods alone
  std::vector<Prefix> shared_{};  // cluster CIDRs that this node is in
  std::map<model::ObjectName, Peer> peers_{};
  PodCidrClaims claims_{};
  Holders underlay_{};                          // whose InternalIPs are in shared_
  Holders holders_{};                           // who is sent to, or would be, at an address
  std::map<IpAddress, std::size_t> remotes_{};  // how many routes lead to each
  Problems problems_{};
};

// What leads from the one to the other. An entry that both have a value for is replaced, never
// removed.
void plan_peers(const Transport& transport, const Underlay& underlay, const PeerRoutes& before,
                const PeerRoutes& now, tables::TableChanges& out);

}  // namespace weft::podnet
