// SPDX-License-Identifier: Apache-2.0
//
// ServiceCompiler: from Services and EndpointSlices to this node's ServiceTable, with kube-proxy's
// semantics. compile() brings the table up to date with what changed and says what that changed in
// the table; from an empty table and all Services it is the from-scratch result, and both ways give
// the same table, but for the backends' slots. The cost follows the change, not the table (but for
// its logarithm): a Service that changed costs its frontends, a slice the endpoints that changed.
//
// - A ClusterIP frontend per cluster IP and port; for types NodePort and LoadBalancer also a
//   NodePort frontend per node port address of the Service's families. Headless and ExternalName
//   Services have no frontends, nor has a family that the node has not.
// - The frontends of one port of a Service and one family lead to one pool of backends, whose slots
//   last (service_pools.h). From scratch they are in order of address and port, unless resume()
//   told of other slots: an agent that restarts must not rewrite what is right in the kernel.
// - A cluster IP that is a Node's address has no frontends: they would take the node's own services
//   away. One outside the Service CIDRs has. Both are Problems.
// - SCTP ports have no frontends. Neither are sessionAffinity, Local traffic policies, external and
//   load balancer addresses, source ranges and health check node ports served. Each is a Problem.
// - A frontend that two Services claim is the first's by namespace and name, whichever came first
//   in time; for the other it is a Problem. When the first gives it up the next takes over.
//
// One thread. Sources: Kubernetes API reference (core/v1 Service, discovery.k8s.io/v1
// EndpointSlice); kube-proxy pkg/proxy/{serviceport,endpointslicecache,topology}.go.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/cluster_state.h"
#include "model/service_claims.h"
#include "model/service_pools.h"
#include "model/service_table.h"

namespace weft::model {

// What of a Service is not served, and why.
struct ServiceProblem {
  ObjectName service{};
  std::string message{};
  auto operator<=>(const ServiceProblem&) const = default;
};

class ServiceCompiler {
 public:
  explicit ServiceCompiler(ServiceNode node) : node_(std::move(node)) {}

  // Brings the table up to date with `state`, in which `changes` are what is new since the last
  // call. A Service is first compiled when it changed.
  ServiceDelta compile(const ClusterState& state, const ClusterChanges& changes);
  // The same where nobody knows what changed, or for the first time: every Service there is.
  ServiceDelta compile_all(const ClusterState& state);

  // Both count from the next compile on.
  // This node's own name or addresses: where they changed every Service is compiled again.
  void set_node(ServiceNode node);
  // Services whose cluster IP came to be one of them, or is one no more, are compiled again. Looks
  // at every Service of `state` where they changed.
  void set_node_addresses(const ClusterState& state, NodeAddresses addresses);

  // Before the first compile, and for it: what an earlier run left in the kernel. Only its slots
  // count.
  void resume(ServiceTable left) { left_ = std::move(left); }

  const ServiceTable& table() const { return table_; }
  std::set<ServiceProblem> problems() const;
  // Those that came since the last call, for the log.
  std::vector<ServiceProblem> take_new_problems() { return std::exchange(new_problems_, {}); }

 private:
  // What has been touched in one compile(): frontends as they were before.
  struct Pass {
    const ClusterState& state;
    PoolUpdate pools;
    std::map<Frontend, std::optional<FrontendEntry>> touched{};
  };

  struct Compiled {
    std::vector<Frontend> claims{};  // sorted
    std::set<std::string> problems{};
  };

  ServiceDelta compile(const ClusterState& state, std::set<ObjectName> services,
                       const ClusterChanges::Before<EndpointSlice>* slices);
  void recompile(const ObjectName& name, Pass& pass);
  void claim(const ObjectName& service, const Frontend& frontend, FrontendEntry entry, Pass& pass);
  void release(const ObjectName& service, const Frontend& frontend, Pass& pass);
  std::optional<FrontendEntry> take_heir(const ClusterState& state, const Frontend& frontend,
                                         std::set<ObjectName>& rivals) const;
  void put(const Frontend& frontend, std::optional<FrontendEntry> entry, Pass& pass);
  void add_rival(const Frontend& frontend, const ObjectName& rival, const ObjectName& owner);
  void note_left(const std::map<Frontend, FrontendEntry>& claims);
  ServiceDelta finish(Pass& pass);

  ServiceNode node_;
  NodeAddresses node_addresses_{};
  bool node_changed_ = false;
  bool node_renamed_ = false;
  std::set<ObjectName> address_changed_{};  // Services, by set_node_addresses()

  ServiceTable table_{};
  PoolUpdate::Indexes indexes_{};                                // of table_.pools
  ServiceTable left_{};                                          // by an earlier run
  std::map<PoolKey, const std::vector<Backend>*> left_pools_{};  // in left_
  std::map<ObjectName, Compiled> compiled_{};
  std::set<ObjectName> with_problems_{};  // of compiled_
  // Claims that lost, by frontend.
  std::map<Frontend, std::set<ObjectName>> rivals_{};
  std::vector<ServiceProblem> new_problems_{};
};

}  // namespace weft::model
