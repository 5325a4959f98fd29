// SPDX-License-Identifier: Apache-2.0
#include "agent/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weft::agent {
namespace {

using model::Node;
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

service::ServiceContext configured_context(const Config& config) {
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
      configured_(configured_context(config)),
      node_port_addresses_(config.services.node_port_addresses),
      backend_(std::move(backend)) {}

Result<> Planner::update(const model::ClusterState& state, const model::ClusterChanges& changes,
                         const Node& self, const podnet::Underlay& underlay, Reconciler& tables) {
  udp_flows_ = {};
  const bool moved = !planned_ || planned_->self != self || !(planned_->underlay == underlay);
  Result<> podnet = moved ? plan_podnet(state, self, underlay, tables) : Result<>();
  if (!planned_) return podnet;
  // After a plan from scratch this finds every peer as it is planned already.
  Result<> peers = changes.of<Node>().empty() ? Result<>() : plan_changed_peers(state, tables);
  Result<> services = plan_services(state, changes, tables);
  if (!podnet) return podnet;
  return peers ? services : peers;
}

Result<> Planner::plan_podnet(const model::ClusterState& state, const Node& self,
                              const podnet::Underlay& underlay, Reconciler& tables) {
  TableChanges out;
  WEFT_TRY(podnet::plan_node(podnet_, self, underlay, out));
  podnet::Peers peers = podnet::find_peers(podnet_, self, state.nodes());
  podnet::plan_peers(podnet_, underlay, {}, peers, out);

  planned_ = Planned{self, underlay};
  peers_ = std::move(peers);
  note_problems();
  tables.drop(kPodnetOwner);  // what is planned anew as it was is not written
  return merge(tables, kPodnetOwner, out);
}

// A Node may take a pod CIDR from others or leave it to them, so all of them are looked at; what is
// planned, and written, is what changed.
Result<> Planner::plan_changed_peers(const model::ClusterState& state, Reconciler& tables) {
  podnet::Peers peers = podnet::find_peers(podnet_, planned_->self, state.nodes());
  TableChanges out;
  podnet::plan_peers(podnet_, planned_->underlay, peers_, peers, out);
  peers_ = std::move(peers);
  note_problems();
  return merge(tables, kPodnetOwner, out);
}

void Planner::note_problems() {
  std::set<std::string> now(peers_.problems.begin(), peers_.problems.end());
  for (std::string& problem : podnet::node_problems(podnet_, planned_->self, planned_->underlay))
    now.insert(std::move(problem));
  for (const Prefix& cidr : configured_.service_cidrs)
    if (const IpAddress* address = podnet::node_within(planned_->self, cidr))
      now.insert(
          fmt::format("configuration: spec.serviceCIDRs: {} contains {}, this node's "
                      "InternalIP: what is sent to an address in it that no Service has is "
                      "not dropped",
                      cidr.to_string(), address->to_string()));
  std::set_difference(now.begin(), now.end(), problems_.begin(), problems_.end(),
                      std::back_inserter(new_problems_));
  problems_ = std::move(now);
}

Result<> Planner::plan_services(const model::ClusterState& state,
                                const model::ClusterChanges& changes, Reconciler& tables) {
  TableChanges out;
  service::ServiceContext context = service_context();
  const bool first = !service_context_;
  const bool anew = !first && *service_context_ != context;
  if (first || anew) backend_->plan_base(context, out);
  if (anew) tables.drop(kServicesOwner);  // what is planned anew as it was is not written
  compiler_.set_node(service_node());
  if (first || !changes.of<Node>().empty())
    compiler_.set_node_addresses(state, node_addresses(state));
  // What changed while there was nothing to plan for is no longer known.
  const model::ServiceDelta delta =
      first ? compiler_.compile_all(state) : compiler_.compile(state, changes);
  const model::ServiceTable& table = compiler_.table();
  backend_->plan(table, anew ? model::from_scratch(table) : delta, out);
  udp_flows_ = service::udp_flows(table, delta);
  service_context_ = std::move(context);
  return merge(tables, kServicesOwner, out);
}

// A CIDR that this node is in drops nothing: the node, and those beside it, would be cut off.
service::ServiceContext Planner::service_context() const {
  service::ServiceContext context = configured_;
  std::erase_if(context.service_cidrs, [&](const Prefix& cidr) {
    return podnet::node_within(planned_->self, cidr) != nullptr;
  });
  return context;
}

model::ServiceNode Planner::service_node() const {
  model::ServiceNode node{planned_->self.name.name, node_port_addresses_, configured_.families,
                          configured_.service_cidrs};
  if (!node.node_port_addresses.empty()) return node;
  for (const IpFamily family : configured_.families) {
    const auto& ips = planned_->self.internal_ips;
    const auto first = std::find_if(ips.begin(), ips.end(),
                                    [&](const IpAddress& ip) { return ip.family() == family; });
    if (first != ips.end()) node.node_port_addresses.push_back(*first);
  }
  return node;
}

// Of other Nodes those outside the Service CIDRs: no Node shall take a Service's address away.
model::NodeAddresses Planner::node_addresses(const model::ClusterState& state) const {
  model::NodeAddresses out;
  for (const IpAddress& address : planned_->self.internal_ips)
    out.emplace(address, planned_->self.name);
  for (const auto& [name, node] : state.nodes())
    for (const IpAddress& address : node.internal_ips)
      if (!podnet::is_within(Prefix::host(address), configured_.service_cidrs))
        out.emplace(address, name);
  return out;
}

}  // namespace weft::agent
