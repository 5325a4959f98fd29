// SPDX-License-Identifier: Apache-2.0
//
// What one Service asks of this node: the frontends it claims, each with the pool it leads to, and
// what it asks for and does not get. Depends on the Service and the node alone; who of several
// Services has a frontend and which backends a pool has is decided elsewhere (service_compiler.h,
// service_pools.h). Pure. Sources: as there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/objects.h"
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

// Addresses that no cluster IP may have, and whose they are.
using NodeAddresses = std::map<IpAddress, ObjectName>;

struct ServiceClaims {
  std::map<Frontend, FrontendEntry> frontends{};
  std::set<std::string> problems{};
};

ServiceClaims claims_of(const Service& service, const ServiceNode& node,
                        const NodeAddresses& node_addresses);

}  // namespace weft::model
