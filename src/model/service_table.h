// SPDX-License-Identifier: Apache-2.0
//
// The ServiceTable: what this node must do with packets for each frontend, with kube-proxy's
// semantics worked out once (service_compiler.h), so that every back end only renders it. A
// ServiceDelta says what changed between two tables, frontend by frontend. Plain data.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
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
  bool local = false;  // on this node
  auto operator<=>(const Backend&) const = default;
  std::string to_string() const;  // "10.244.1.5:8080"
};

enum class FrontendKind : std::uint8_t { kClusterIp, kNodePort };

// What happens to a new connection to a frontend. No backends: it is refused.
struct FrontendEntry {
  FrontendKind kind = FrontendKind::kClusterIp;
  // No address and port twice. The place is the backend's slot: it keeps that while it stays (see
  // ServiceCompiler), so that a back end whose entries are numbered writes only what came or went.
  std::vector<Backend> backends{};
  bool masquerade = false;  // every source (node ports under externalTrafficPolicy: Cluster)
  ObjectName service{};     // for people
  std::string port_name{};
  bool operator==(const FrontendEntry&) const = default;
};

struct ServiceTable {
  using BackendCount = std::pair<IpFamily, std::size_t>;  // a number of backends above 0

  std::map<Frontend, FrontendEntry> frontends{};
  // What back ends share between frontends, and how many frontends need each.
  std::map<IpAddress, std::size_t> cluster_ips{};
  std::map<BackendCount, std::size_t> backend_counts{};
  std::map<IpAddress, std::size_t> local_backends{};  // addresses, for hairpin
  bool operator==(const ServiceTable&) const = default;
};

// A frontend that is not now as it was: at least one of the two is set, and they differ.
struct FrontendChange {
  Frontend frontend{};
  std::optional<FrontendEntry> previous{};
  std::optional<FrontendEntry> current{};
  bool operator==(const FrontendChange&) const = default;
};

struct ServiceDelta {
  std::vector<FrontendChange> frontends{};  // in order of frontend
  // Keys of the table's counted maps that came or went (not: whose count merely changed).
  std::set<IpAddress> cluster_ips{};
  std::set<ServiceTable::BackendCount> backend_counts{};
  std::set<IpAddress> local_backends{};
  bool empty() const { return frontends.empty(); }
  bool operator==(const ServiceDelta&) const = default;
};

// Counts `entry` in or out of the table's counted maps, noting in `delta` the keys that come or go
// (one that goes and comes back is not noted).
void count(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
           const FrontendEntry& entry);
void uncount(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
             const FrontendEntry& entry);

// The whole table as one delta from nothing.
ServiceDelta from_scratch(const ServiceTable& table);

}  // namespace weft::model
