// SPDX-License-Identifier: Apache-2.0
//
// Which node a pod goes to: the one its spec names, else, of those its nodeSelector matches, the
// one with the fewest pods of the same owner, then the fewest pods, then the first. So replicas
// spread, and the same objects always land on the same nodes. Pure.
#pragma once

#include <string>

#include "lab/control_plane/objects.h"
#include "lab/kubelet/workload.h"

namespace weft::lab {

// Fails when spec.nodeName is no node or nothing matches spec.nodeSelector.
Result<std::string> schedule(const PodSpec& spec, const Json& pod,
                             const ObjectStore::Objects& nodes, const ObjectStore::Objects& pods);

// What a pod belongs to: its controller, or itself.
std::string owner_of(const Json& pod);

}  // namespace weft::lab
