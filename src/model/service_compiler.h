// SPDX-License-Identifier: Apache-2.0
//
// ServiceCompiler: from Services and EndpointSlices to this node's ServiceTable, with kube-proxy's
// semantics. compile() brings the table up to date for the Services that changed and says what
// changed; from an empty table and all Services it is the from-scratch result, and both ways give
// the same table, but for the backends' slots. The cost follows the Services named, not the table
// (but for its logarithm).
//
// - A ClusterIP frontend per cluster IP and port; for types NodePort and LoadBalancer also a
//   NodePort frontend per node port address of the Service's families. Headless and ExternalName
//   Services have no frontends, nor has a family that the node has not.
// - Backends: the endpoints that are ready, of the slices of the frontend's family, at the slice
//   port of the Service port's name and protocol. Of an endpoint's addresses (interchangeable, says
//   the API) the first.
// - A backend keeps its slot while it stays; the last ones fill the slots of those that went. From
//   scratch they are in order of address and port, unless resume() told of other slots: an agent
//   that restarts must not rewrite what is right in the kernel.
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
#include "model/service_table.h"

namespace weft::model {

// This node, as the compile step needs it.
struct ServiceNode {
  std::string name{};
  std::vector<IpAddress> node_port_addresses{};
  std::vector<IpFamily> families{IpFamily::kIpv4, IpFamily::kIpv6};  // that it has at all
  std::vector<Prefix> service_cidrs{};  // that cluster IPs are expected in; none: any
  bool operator==(const ServiceNode&) const = default;
};

// What of a Service is not served, and why.
struct ServiceProblem {
  ObjectName service{};
  std::string message{};
  auto operator<=>(const ServiceProblem&) const = default;
};

class ServiceCompiler {
 public:
  using NodeAddresses = std::map<IpAddress, ObjectName>;  // and whose it is

  explicit ServiceCompiler(ServiceNode node) : node_(std::move(node)) {}

  // Compiles the named Services anew from `state` (one that is gone has no frontends).
  ServiceDelta compile(const ClusterState& state, const std::set<ObjectName>& services);
  // This node's own name or addresses changed: every Service is compiled again.
  ServiceDelta set_node(const ClusterState& state, ServiceNode node);
  // The addresses that no cluster IP may have: the Services whose cluster IP came to be one of
  // them, or is one no more, are compiled again. Looks at every Service where they changed.
  ServiceDelta set_node_addresses(const ClusterState& state, NodeAddresses addresses);

  // Before the first compile(): what an earlier run left in the kernel. Only its slots count.
  void resume(ServiceTable left) { left_ = std::move(left.frontends); }

  const ServiceTable& table() const { return table_; }
  std::set<ServiceProblem> problems() const;
  // Those that came since the last call, for the log.
  std::vector<ServiceProblem> take_new_problems() { return std::exchange(new_problems_, {}); }

 private:
  using Claims = std::map<Frontend, FrontendEntry>;
  // What stood at a frontend before this compile() first touched it.
  using Touched = std::map<Frontend, std::optional<FrontendEntry>>;

  struct Compiled {
    std::vector<Frontend> claims{};  // sorted
    std::set<std::string> unsupported{};
  };

  void recompile(const ClusterState& state, const ObjectName& name, Touched& touched);
  void add_odd_cluster_ips(const Service& service, std::set<std::string>& odd) const;
  Claims claims_of(const ClusterState& state, const Service& service,
                   std::set<std::string>& unsupported) const;
  void claim(const ObjectName& service, const Frontend& frontend, FrontendEntry entry,
             Touched& touched);
  void release(const ClusterState& state, const ObjectName& service, const Frontend& frontend,
               Touched& touched);
  std::optional<FrontendEntry> take_heir(const ClusterState& state, const Frontend& frontend,
                                         std::set<ObjectName>& rivals) const;
  void put(const Frontend& frontend, std::optional<FrontendEntry> entry, Touched& touched);
  void add_rival(const Frontend& frontend, const ObjectName& rival, const ObjectName& owner);
  ServiceDelta finish(Touched&& touched);

  ServiceNode node_;
  NodeAddresses node_addresses_{};
  ServiceTable table_{};
  std::map<Frontend, FrontendEntry> left_{};  // by an earlier run; until taken over
  std::map<ObjectName, Compiled> compiled_{};
  // Claims that lost, by frontend.
  std::map<Frontend, std::set<ObjectName>> rivals_{};
  std::vector<ServiceProblem> new_problems_{};
};

}  // namespace weft::model
