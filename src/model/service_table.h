// SPDX-License-Identifier: Apache-2.0
//
// The ServiceTable: what this node must do with packets for each frontend, with kube-proxy's
// semantics worked out once (service_compiler.h), so that every back end only renders it. A
// frontend names the pool of backends behind it, so that what many frontends share (a ClusterIP,
// node ports on every address of the node) is held, compared and told once. A ServiceDelta says
// what changed between two tables: frontends one by one, and of each pool the slots; its size
// follows the change, never a Service's number of endpoints. Plain data.
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

// The same address and port; local or not.
bool same_target(const Backend& a, const Backend& b);

// Which endpoints: all that decides that. EndpointSlices have them by Service, port name and
// protocol, and family.
struct PoolKey {
  ObjectName service{};
  std::string port_name{};
  Protocol protocol = Protocol::kTcp;
  IpFamily family = IpFamily::kIpv4;
  auto operator<=>(const PoolKey&) const = default;
};

struct Pool {
  // No address and port twice. The place is the backend's slot: it keeps that while it stays (see
  // ServiceCompiler), so that a back end whose entries are numbered writes only what came or went.
  std::vector<Backend> backends{};
  std::vector<Frontend> frontends{};  // that lead to it: at least one; sorted
  bool operator==(const Pool&) const = default;
};

enum class FrontendKind : std::uint8_t { kClusterIp, kNodePort };

// What happens to a new connection to a frontend. No backends in the pool: it is refused.
struct FrontendEntry {
  FrontendKind kind = FrontendKind::kClusterIp;
  bool masquerade = false;  // every source (node ports under externalTrafficPolicy: Cluster)
  PoolKey pool{};
  bool operator==(const FrontendEntry&) const = default;
};

struct ServiceTable {
  std::map<Frontend, FrontendEntry> frontends{};
  std::map<PoolKey, Pool> pools{};                 // each that a frontend names, and no other
  std::map<IpAddress, std::size_t> cluster_ips{};  // and how many frontends have each
  const std::vector<Backend>& backends_of(const FrontendEntry& entry) const {
    return pools.at(entry.pool).backends;
  }
  bool operator==(const ServiceTable&) const = default;
};

// A frontend that is not now as it was: at least one of the two is set, and they differ.
struct FrontendChange {
  Frontend frontend{};
  std::optional<FrontendEntry> previous{};
  std::optional<FrontendEntry> current{};
  // To another pool, or from or to none.
  bool moved() const { return !previous || !current || previous->pool != current->pool; }
  bool operator==(const FrontendChange&) const = default;
};

// Likewise a slot of a pool.
struct SlotChange {
  std::uint32_t slot = 0;
  std::optional<Backend> previous{};
  std::optional<Backend> current{};
  bool operator==(const SlotChange&) const = default;
};

// A pool some of whose slots changed; all of them where it came or went. It says all that a back
// end needs: nothing is looked up for one endpoint.
struct PoolChange {
  PoolKey pool{};
  // That led to it before and still do; the others are told by themselves (FrontendChange::moved).
  std::vector<Frontend> frontends{};
  std::size_t size_before = 0;
  std::size_t size_now = 0;
  std::vector<SlotChange> slots{};  // in order, none twice
  bool operator==(const PoolChange&) const = default;
};

struct ServiceDelta {
  std::vector<FrontendChange> frontends{};  // in order of frontend
  std::vector<PoolChange> pools{};          // in order of pool
  std::set<IpAddress> cluster_ips{};        // that came or went
  bool empty() const { return frontends.empty() && pools.empty(); }
  const PoolChange* find(const PoolKey& pool) const;
  bool operator==(const ServiceDelta&) const = default;
};

// What a pool was before `delta`, which `table` already has in it.
std::size_t size_before(const ServiceTable& table, const ServiceDelta& delta, const PoolKey& pool);
std::vector<Backend> backends_before(const ServiceTable& table, const ServiceDelta& delta,
                                     const PoolKey& pool);

// Looks at all of both.
ServiceDelta difference(const ServiceTable& before, const ServiceTable& now);

// The whole table as one delta from nothing.
inline ServiceDelta from_scratch(const ServiceTable& table) { return difference({}, table); }

// Counts a frontend's address in or out of table.cluster_ips, noting in `delta` one that comes or
// goes (one that goes and comes back is not noted).
void count_cluster_ip(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
                      const FrontendEntry& entry);
void uncount_cluster_ip(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
                        const FrontendEntry& entry);

// A frontend as a packet meets it.
struct Served {
  FrontendKind kind = FrontendKind::kClusterIp;
  std::vector<Backend> backends{};
  bool masquerade = false;
  bool operator==(const Served&) const = default;
};

// Adds a frontend to a table that is not compiled but read from the kernel or made by hand: its
// pool is its own and named after it. What is there already stays.
void add_with_own_pool(ServiceTable& table, const Frontend& frontend, Served served);

}  // namespace weft::model
