// SPDX-License-Identifier: Apache-2.0
#include "agent/services_feature.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "podnet/addresses.h"
#include "tables/names.h"
#include "tables/nft.h"

namespace weft::agent {
namespace {

using model::Node;
using model::ObjectName;

service::ServiceContext configured_context(const Config& config) {
  service::ServiceContext out{config.cluster_cidrs, config.service_cidrs, {}};
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6})
    if (std::any_of(out.pod_cidrs.begin(), out.pod_cidrs.end(),
                    [&](const Prefix& cidr) { return cidr.family() == family; }))
      out.families.push_back(family);
  return out;
}

// Whether any Node came, went or has other InternalIPs.
bool have_addresses_changed(const Inputs& now, const InputChanges& changed) {
  return std::any_of(changed.nodes.begin(), changed.nodes.end(), [&](const ObjectName& name) {
    const auto& before = changed.objects.of<Node>().at(name);
    const auto node = now.state.nodes().find(name);
    return !before || node == now.state.nodes().end() ||
           node->second->internal_ips != (*before)->internal_ips;
  });
}

std::string first_of(const std::vector<std::string>& all) {
  if (all.size() == 1) return all.front();
  return fmt::format("{}, and {} more,", all.front(), all.size() - 1);
}

}  // namespace

ServicesFeature::ServicesFeature(const Config& config,
                                 std::unique_ptr<service::ServiceBackend> backend,
                                 UdpFlowsChanged udp_flows_changed)
    : configured_(configured_context(config)),
      node_port_addresses_(config.services.node_port_addresses),
      backend_(std::move(backend)),
      udp_flows_changed_(std::move(udp_flows_changed)) {}

// Where it is right, it is taken over as it is: a backend has the slot that it has there.
void ServicesFeature::take_over(tables::KernelTables& kernel) {
  if (auto left = backend_->interpret(kernel)) {
    left_ = std::move(left->services);
    if (!left->foreign.empty())
      new_problems_.push_back(
          fmt::format("what an earlier agent left: {} is nothing that this agent writes",
                      first_of(left->foreign)));
  } else {
    new_problems_.push_back("what an earlier agent left could not be read: " +
                            left.error().message);
  }
  compiler_.resume(left_);
}

Result<> ServicesFeature::plan(const Inputs& now, const InputChanges& changed, Plan& out) {
  const bool first = !context_;
  service::ServiceContext context = context_for(now.self);
  const bool anew = !first && *context_ != context;
  if (first || changed.self) note_address_problems(now.self);
  if (first || anew) backend_->plan_base(context, out.entries);
  compiler_.set_node(service_node(now.self));
  if (first || changed.self || have_addresses_changed(now, changed))
    compiler_.set_node_addresses(now.state, node_addresses(now));
  // What changed while there was nothing to plan for is no longer known.
  const model::ServiceDelta delta =
      first ? compiler_.compile_all(now.state) : compiler_.compile(now.state, changed.objects);
  const model::ServiceTable& table = compiler_.table();
  backend_->plan(table, anew ? model::from_scratch(table) : delta, out.entries);
  out.is_all = first || anew;
  context_ = std::move(context);
  // It may have died between a change and the flows that left behind, or have missed the change.
  if (udp_flows_changed_)
    udp_flows_changed_(service::udp_flows(
        table, first ? model::difference(std::exchange(left_, {}), table) : delta));
  return {};
}

// A CIDR that this node is in drops nothing: the node, and those beside it, would be cut off.
service::ServiceContext ServicesFeature::context_for(const Node& self) const {
  service::ServiceContext context = configured_;
  std::erase_if(context.service_cidrs,
                [&](const Prefix& cidr) { return podnet::node_within(self, cidr) != nullptr; });
  return context;
}

model::ServiceNode ServicesFeature::service_node(const Node& self) const {
  model::ServiceNode node{self.name.name, node_port_addresses_, configured_.families,
                          configured_.service_cidrs};
  if (!node.node_port_addresses.empty()) return node;
  for (const IpFamily family : configured_.families) {
    const auto& ips = self.internal_ips;
    const auto first = std::find_if(ips.begin(), ips.end(),
                                    [&](const IpAddress& ip) { return ip.family() == family; });
    if (first != ips.end()) node.node_port_addresses.push_back(*first);
  }
  return node;
}

// Of other Nodes those outside the Service CIDRs: no Node shall take a Service's address away.
model::NodeAddresses ServicesFeature::node_addresses(const Inputs& now) const {
  model::NodeAddresses out;
  for (const IpAddress& address : now.self.internal_ips) out.emplace(address, now.self.name);
  for (const auto& [name, node] : now.state.nodes())
    for (const IpAddress& address : node->internal_ips)
      if (!podnet::is_within(Prefix::host(address), configured_.service_cidrs))
        out.emplace(address, name);
  return out;
}

void ServicesFeature::note_address_problems(const Node& self) {
  std::vector<std::string> problems;
  for (const Prefix& cidr : configured_.service_cidrs)
    if (const IpAddress* address = podnet::node_within(self, cidr))
      problems.push_back(
          fmt::format("configuration: spec.serviceCIDRs: {} contains {}, this node's "
                      "InternalIP: what is sent to an address in it that no Service has is "
                      "not dropped",
                      cidr.to_string(), address->to_string()));
  for (const std::string& problem : problems)
    if (std::find(address_problems_.begin(), address_problems_.end(), problem) ==
        address_problems_.end())
      new_problems_.push_back(problem);
  address_problems_ = std::move(problems);
}

std::vector<std::string> ServicesFeature::problems() const {
  std::vector<std::string> out = address_problems_;
  for (const model::ServiceProblem& problem : compiler_.problems())
    out.push_back(fmt::format("{}: {}", problem.service.to_string(), problem.message));
  return out;
}

std::vector<std::string> ServicesFeature::take_new_problems() {
  std::vector<std::string> out = std::exchange(new_problems_, {});
  for (const model::ServiceProblem& problem : compiler_.take_new_problems())
    out.push_back(fmt::format("{}: {}", problem.service.to_string(), problem.message));
  return out;
}

StatusSection ServicesFeature::status(const model::ClusterState& state) const {
  const model::ServiceTable& table = compiler_.table();
  const std::string backend(backend_->name());
  const std::uint64_t services = state.services().size();
  const std::uint64_t frontends = table.frontends.size();
  std::uint64_t backends = 0;  // frontend × backend: what the kernel holds
  for (const auto& [key, pool] : table.pools)
    backends += pool.frontends.size() * pool.backends.size();
  return {.fields = {{"/services/backend", backend},
                     {"/services/count", services},
                     {"/services/frontends", frontends},
                     {"/services/backends", backends}},
          .lines = {{"Services", fmt::format("{} ({} frontends, {} backends) by {}", services,
                                             frontends, backends, backend)}}};
}

}  // namespace weft::agent
