// SPDX-License-Identifier: Apache-2.0
//
// A route of an IPAM's result as the pod's table holds it (SPEC.md, "Section 5: Result Types",
// `routes`). Pure. 0 is unset, as the reference has it: of mtu and advmss the kernel's own value,
// of table the main one.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/address.h"
#include "cni/error.h"
#include "cni/result.h"
#include "tables/route.h"

namespace weft::cni {

// By link `ifname`, and through `family_gateway` where the route has no gateway of its own: but
// what is of scope link or host lies on the link itself. The kernel knows no scopes of IPv6 routes.
// Fails (code 7) for an mtu, advmss or scope that the kernel would refuse or make another.
Outcome<std::pair<tables::RouteKind::Key, tables::RouteKind::Value>> pod_route(
    const Route& route, const std::string& ifname, const std::optional<IpAddress>& family_gateway);

}  // namespace weft::cni
