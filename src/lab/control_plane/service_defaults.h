// SPDX-License-Identifier: Apache-2.0
//
// What the API server does to a Service before anyone else sees it: IP families, cluster IPs and
// node ports are filled in as core/v1 says, from the lab's own ranges. What the manifest names is
// honoured or refused with the field; what an earlier version of the Service had, it keeps; the
// rest follows from the Service's name, so that a lab made twice has the same addresses. Pure.
#pragma once

#include <set>
#include <utility>

#include "document/document.h"
#include "lab/control_plane/objects.h"

namespace weft::lab {

inline constexpr int kFirstNodePort = 30000;
inline constexpr int kLastNodePort = 32767;

// The addresses and node ports that Services have.
struct Allocated {
  std::set<IpAddress> cluster_ips{};
  std::set<std::pair<model::Protocol, int>> node_ports{};

  void add(const Json& service);
  void remove(const Json& service);
};

// The Service as it is stored. `service_cidrs`: the lab's, its default family first. `previous`:
// the stored one, or nullptr.
Result<Json> with_defaults(const document::Document& document,
                           const std::vector<Prefix>& service_cidrs, const Allocated& others,
                           const Json* previous);

}  // namespace weft::lab
