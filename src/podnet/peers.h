// SPDX-License-Identifier: Apache-2.0
//
// The other nodes, as far as this one sends packets to their pods: a function of the Nodes there
// are, whatever order they came in.
//
// - A pod CIDR that overlaps another's is not routed: this node's own come first, then the other
//   Nodes' by name. When the one before it gives way it takes its place.
// - Nor is a pod CIDR outside the configuration's clusterCIDRs, nor one that contains a Node's
//   InternalIP: either would take along what is not pods', the way between the nodes first of all.
// - Nor is a pod CIDR whose Node lacks an InternalIP that the transport can use.
// - An InternalIP among pods (in clusterCIDRs, or in a pod CIDR of this node) is nobody's, so that
//   no Node can take another's pod CIDR away by it. Unless this node itself is in that cluster
//   CIDR: then nodes and pods share it, and pod CIDRs must leave the nodes' addresses out.
// - Two Nodes with one InternalIP are both routed to it; the FDB entry is the first's by name.
//
// Each of these is a problem, in words that name the Node, the field and the value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "model/objects.h"
#include "podnet/plan.h"
#include "tables/changes.h"

namespace weft::podnet {

struct Peer {
  struct Route {
    Prefix pod_cidr{};
    IpAddress via{};  // the peer's InternalIP that packets for it are sent to
    bool operator==(const Route&) const = default;
  };
  std::vector<Route> routes{};
  std::optional<IpAddress> vtep{};  // whose FDB entry is this peer's (VXLAN)
  bool operator==(const Peer&) const = default;
};

struct Peers {
  std::map<model::ObjectName, Peer> nodes{};  // every Node but this one, also one without routes
  std::vector<std::string> problems{};
};

// `nodes` may have `self` among them. The cost is that of a look at every Node.
Peers find_peers(const Config& config, const model::Node& self,
                 const std::map<model::ObjectName, model::Node>& nodes);

// What leads from `before`, as it was planned, to `after`. An entry that moves from one peer to
// another is replaced, never removed.
void plan_peers(const Config& config, const Underlay& underlay, const Peers& before,
                const Peers& after, tables::TableChanges& out);

// What keeps the pods of a Node from being reached: for one of its pod CIDRs it has no InternalIP
// of the family that the transport needs, or one that is no node's address.
std::vector<std::string> address_problems(const Config& config, const model::Node& node);

// The first InternalIP of the Node that is within the network, or null.
const IpAddress* node_within(const model::Node& node, const Prefix& network);

bool is_within(const Prefix& cidr, const std::vector<Prefix>& networks);

}  // namespace weft::podnet
