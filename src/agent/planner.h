// SPDX-License-Identifier: Apache-2.0
//
// The Planner turns what the sources said into the desired tables: each feature's plan, merged
// under that feature's name. It remembers what it planned, so that a change costs what changed, and
// keeps it when a new plan fails (a Node that lost its pod CIDRs): what works keeps working. No
// kernel, no loop, no time; the Reconciler does the writing.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/config.h"
#include "base/result.h"
#include "model/cluster_state.h"
#include "model/service_compiler.h"
#include "podnet/peers.h"
#include "podnet/plan.h"
#include "reconcile/reconciler.h"
#include "service/service_backend.h"
#include "service/udp_flows.h"

namespace weft::agent {

inline constexpr std::string_view kPodnetOwner = "podnet";
inline constexpr std::string_view kServicesOwner = "services";

class Planner {
 public:
  Planner(const Config& config, std::unique_ptr<service::ServiceBackend> backend);

  // Brings the desired tables up to date with `state`, in which `changes` are what is new, `self`
  // is this node and `underlay` what carries it. The first successful call plans everything. On an
  // error, what was planned before stands; what else changed is planned all the same.
  Result<> update(const model::ClusterState& state, const model::ClusterChanges& changes,
                  const model::Node& self, const podnet::Underlay& underlay,
                  reconcile::Reconciler& tables);

  bool has_planned() const { return planned_.has_value(); }

  // What stands, for the status. Only after has_planned().
  const model::Node& self() const { return planned_->self; }
  const podnet::Underlay& underlay() const { return planned_->underlay; }
  std::uint32_t pod_mtu() const { return podnet::pod_mtu(podnet_, planned_->underlay); }
  std::size_t peers() const { return peers_.nodes.size(); }

  // What of the configuration and the Nodes is not followed as it stands, and why; and of that what
  // is new since the last call.
  const std::set<std::string>& problems() const { return problems_; }
  std::vector<std::string> take_new_problems() { return std::exchange(new_problems_, {}); }

  const model::ServiceTable& services() const { return compiler_.table(); }
  model::ServiceCompiler& compiler() { return compiler_; }
  const model::ServiceCompiler& compiler() const { return compiler_; }
  const service::ServiceBackend& backend() const { return *backend_; }

  // What the last update() did to UDP flows.
  const service::UdpFlows& udp_flows() const { return udp_flows_; }

 private:
  struct Planned {
    model::Node self{};
    podnet::Underlay underlay{};
  };

  Result<> plan_podnet(const model::ClusterState& state, const model::Node& self,
                       const podnet::Underlay& underlay, reconcile::Reconciler& tables);
  Result<> plan_changed_peers(const model::ClusterState& state, reconcile::Reconciler& tables);
  Result<> plan_services(const model::ClusterState& state, const model::ClusterChanges& changes,
                         reconcile::Reconciler& tables);
  model::ServiceNode service_node() const;
  model::NodeAddresses node_addresses(const model::ClusterState& state) const;
  service::ServiceContext service_context() const;
  void note_problems();

  podnet::Config podnet_;
  service::ServiceContext configured_;
  std::vector<IpAddress> node_port_addresses_;
  std::unique_ptr<service::ServiceBackend> backend_;

  std::optional<Planned> planned_{};
  podnet::Peers peers_{};  // as planned
  std::set<std::string> problems_{};
  std::vector<std::string> new_problems_{};
  model::ServiceCompiler compiler_{{}};
  std::optional<service::ServiceContext> service_context_{};  // as planned
  service::UdpFlows udp_flows_{};
};

// The address of a node that peers and the underlay know it by: its first IPv4 InternalIP, or its
// first; nothing when it has none.
std::optional<IpAddress> underlay_address(const model::Node& node);

}  // namespace weft::agent
