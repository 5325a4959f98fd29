// SPDX-License-Identifier: Apache-2.0
//
// The ServiceTable: what this node must do with packets for each frontend, with kube-proxy's
// semantics worked out once, so that every back end only renders it. compile() brings it up to date
// for the Services that changed and says what changed, frontend by frontend; from an empty table and
// all Services it is the from-scratch result, and both ways give the same table.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "model/cluster_state.h"
#include "model/objects.h"

namespace weft::model {

// What a packet is addressed to.
struct Frontend {
  IpAddress address{};
  Protocol protocol = Protocol::kTcp;
  std::uint16_t port = 0;
  auto operator<=>(const Frontend&) const = default;
  std::string to_string() const;  // "10.96.0.10:53/UDP", "[fd00::1]:80/TCP"
};

struct Backend {
  IpAddress address{};
  std::uint16_t port = 0;
  auto operator<=>(const Backend&) const = default;
};

enum class FrontendKind : std::uint8_t { kClusterIp, kNodePort };

// What happens to a new connection to a frontend. No backends: it is refused.
struct FrontendEntry {
  FrontendKind kind = FrontendKind::kClusterIp;
  std::vector<Backend> backends{};  // sorted, without duplicates
  bool masquerade = false;          // every source (node ports under externalTrafficPolicy: Cluster)
  ObjectName service{};             // for people
  std::string port_name{};
  bool operator==(const FrontendEntry&) const = default;
};

// This node, as the compile step needs it.
struct ServiceNode {
  std::string name{};
  std::vector<IpAddress> node_port_addresses{};
};

struct ServiceTable {
  std::map<Frontend, FrontendEntry> frontends{};
  std::map<IpAddress, std::size_t> cluster_ips{};  // → how many frontends carry it
  std::map<std::pair<IpFamily, std::size_t>, std::size_t> backend_counts{};  // (family, backends > 0) → frontends
  // Backends on this node, for hairpin: address → how many frontends list it.
  std::map<IpAddress, std::size_t> local_backends{};
};

struct FrontendChange {
  Frontend frontend{};
  std::optional<FrontendEntry> previous{};
  std::optional<FrontendEntry> current{};
};

struct ServiceDelta {
  std::vector<FrontendChange> frontends{};
  // Keys of ServiceTable's counted sets that came or went (not: whose count merely changed).
  std::set<IpAddress> cluster_ips{};
  std::set<std::pair<IpFamily, std::size_t>> backend_counts{};
  std::set<IpAddress> local_backends{};
  bool empty() const { return frontends.empty(); }
};

class ServiceCompiler {
 public:
  explicit ServiceCompiler(ServiceNode node) : node_(std::move(node)) {}

  // Compiles the named Services anew from `state` (one that is gone or headless has no frontends).
  ServiceDelta compile(const ClusterState& state, const std::set<ObjectName>& services);
  // This node's own name or addresses changed: every Service is compiled again.
  ServiceDelta set_node(const ClusterState& state, ServiceNode node);

  const ServiceTable& table() const { return table_; }

 private:
  ServiceNode node_;
  ServiceTable table_{};
  std::map<ObjectName, std::set<Frontend>> frontends_of_{};
};

// The whole table as one delta from nothing.
ServiceDelta from_scratch(const ServiceTable& table);

}  // namespace weft::model
