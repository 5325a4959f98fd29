// SPDX-License-Identifier: Apache-2.0
//
// The lab's wires: one network namespace for the fabric, one for each node, a veth pair between
// them (eth0 in the node, the node's name in the fabric), addresses and default routes. A switch is
// one bridge; a router forwards between links of its own. What a node's own agent sets (forwarding,
// bridges, tunnels) is not touched here. Each namespace gets what it needs in two sendto()s.
#pragma once

#include <vector>

#include "base/result.h"
#include "lab/names.h"
#include "lab/settings.h"

namespace weft::lab {

// Makes the fabric's namespace and, for a switch, its bridge.
Result<> make_fabric(const LabNames& names, const Settings& settings);

// Makes the node's namespace and joins it to the fabric, which is there.
Result<> make_node(const LabNames& names, const Settings& settings, const NodePlan& node);

}  // namespace weft::lab
