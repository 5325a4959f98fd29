// SPDX-License-Identifier: Apache-2.0
#include "agent/planner.h"

#include <algorithm>

namespace weft::agent {
namespace {

using model::Node;
using model::ObjectName;
using reconcile::Reconciler;
using tables::TableChanges;

podnet::Config podnet_config(const Config& config) {
  podnet::Config out;
  out.node_name = config.node_name;
  out.transport = config.pod_network.transport;
  out.cluster_cidrs = config.cluster_cidrs;
  out.masquerade = config.pod_network.masquerade;
  if (config.pod_network.mtu != 0) out.mtu = config.pod_network.mtu;
  out.cni_configuration_directory = config.cni.configuration_directory;
  out.cni_data_directory = config.cni.data_directory;
  return out;
}

service::ServiceContext service_context(const Config& config) {
  service::ServiceContext out{config.cluster_cidrs, config.service_cidrs, {}};
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6})
    if (std::any_of(out.pod_cidrs.begin(), out.pod_cidrs.end(),
                    [&](const Prefix& cidr) { return cidr.family() == family; }))
      out.families.push_back(family);
  return out;
}

// Two plans that claim one key are a bug; the other kinds are merged all the same.
Result<> merge(Reconciler& tables, std::string_view owner, const TableChanges& changes) {
  Result<> outcome;
  changes.each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>& edits) {
    if (auto merged = tables.merge<Kind>(owner, edits); !merged && outcome)
      outcome = Failure(std::move(merged.error()));
  });
  return outcome;
}

const Node* find(const model::ClusterState& state, const ObjectName& name) {
  const auto found = state.nodes().find(name);
  return found == state.nodes().end() ? nullptr : &found->second;
}

}  // namespace

std::optional<IpAddress> underlay_address(const Node& node) {
  const auto& ips = node.internal_ips;
  const auto v4 =
      std::find_if(ips.begin(), ips.end(), [](const IpAddress& ip) { return ip.is_v4(); });
  if (v4 != ips.end()) return *v4;
  return ips.empty() ? std::nullopt : std::optional(ips.front());
}

Planner::Planner(const Config& config, std::unique_ptr<service::ServiceBackend> backend)
    : podnet_(podnet_config(config)),
      service_context_(service_context(config)),
      node_port_addresses_(config.services.node_port_addresses),
      backend_(std::move(backend)) {}

Result<> Planner::update(const model::ClusterState& state, const model::ClusterChanges& changes,
                         const Node& self, const podnet::Underlay& underlay, Reconciler& tables) {
  const bool moved = !planned_ || planned_->self != self || !(planned_->underlay == underlay);
  Result<> podnet = moved ? plan_podnet(state, self, underlay, tables) : Result<>();
  if (!planned_) return podnet;
  // After a plan from scratch this finds every peer as it is planned already.
  Result<> peers = plan_changed_peers(state, changes.nodes, tables);
  Result<> services = plan_services(state, changes.services, tables);
  if (!podnet) return podnet;
  return peers ? services : peers;
}

Result<> Planner::plan_podnet(const model::ClusterState& state, const Node& self,
                              const podnet::Underlay& underlay, Reconciler& tables) {
  TableChanges out;
  WEFT_TRY(podnet::plan_node(podnet_, self, underlay, out));
  std::map<ObjectName, Node> peers = state.nodes();
  peers.erase(self.name);
  std::vector<podnet::PeerChange> additions;
  for (const auto& [name, peer] : peers) additions.push_back({std::nullopt, peer});
  podnet::plan_peers(podnet_, underlay, additions, out);

  planned_ = Planned{self, underlay};
  peers_ = std::move(peers);
  tables.drop(kPodnetOwner);  // what is planned anew as it was is not written
  return merge(tables, kPodnetOwner, out);
}

Result<> Planner::plan_changed_peers(const model::ClusterState& state,
                                     const std::set<ObjectName>& nodes, Reconciler& tables) {
  std::vector<podnet::PeerChange> peer_changes;
  for (const ObjectName& name : nodes) {
    if (name == planned_->self.name) continue;
    podnet::PeerChange change;
    if (const auto planned = peers_.find(name); planned != peers_.end())
      change.previous = planned->second;
    if (const Node* const current = find(state, name)) change.current = *current;
    if (change.previous == change.current) continue;
    if (change.current)
      peers_[name] = *change.current;
    else
      peers_.erase(name);
    peer_changes.push_back(std::move(change));
  }
  TableChanges out;
  podnet::plan_peers(podnet_, planned_->underlay, peer_changes, out);
  return merge(tables, kPodnetOwner, out);
}

Result<> Planner::plan_services(const model::ClusterState& state,
                                const std::set<ObjectName>& services, Reconciler& tables) {
  TableChanges out;
  std::set<ObjectName> every;
  const bool first = !std::exchange(services_planned_, true);
  if (first) {
    backend_->plan_base(service_context_, out);
    // What changed while there was nothing to plan for is no longer known.
    for (const auto& [name, service] : state.services()) every.insert(every.end(), name);
  }
  const auto render = [&](model::ServiceDelta delta) {
    backend_->plan(compiler_.table(), delta, out);
    std::move(delta.frontends.begin(), delta.frontends.end(),
              std::back_inserter(frontend_changes_));
  };
  render(compiler_.set_node(state, service_node()));
  render(compiler_.compile(state, first ? every : services));
  return merge(tables, kServicesOwner, out);
}

model::ServiceNode Planner::service_node() const {
  model::ServiceNode node{planned_->self.name.name, node_port_addresses_,
                          service_context_.families};
  if (!node.node_port_addresses.empty()) return node;
  for (const IpFamily family : service_context_.families) {
    const auto& ips = planned_->self.internal_ips;
    const auto first = std::find_if(ips.begin(), ips.end(),
                                    [&](const IpAddress& ip) { return ip.family() == family; });
    if (first != ips.end()) node.node_port_addresses.push_back(*first);
  }
  return node;
}

std::vector<model::FrontendChange> Planner::take_frontend_changes() {
  return std::exchange(frontend_changes_, {});
}

}  // namespace weft::agent
