// SPDX-License-Identifier: Apache-2.0
//
// What a lab is now, for `weft lab status` and `list`: stored objects, and of agents and pods what
// is true at this moment (a pod whose process ended is not ready, whatever was written). The JSON
// is a contract: {name, nodes: [{name, netns, addresses[], podCIDRs[], agentPid, socket}], pods:
// [{namespace, name, node, netns, ips[], labels{}, ready}], services: [{namespace, name,
// clusterIPs[], ports[]}]}; netns is what `nsenter --net=` takes; more fields may come.
#pragma once

#include <string>
#include <vector>

#include "lab/control_plane/objects.h"
#include "lab/lab.h"

namespace weft::lab {

Result<Json> status_json(const Lab& lab);

void print_status(const Json& status);  // for people

// [{name, nodes, pods}]; of a lab that is only half there nodes and pods are null.
Json list_json();
void print_list(const Json& list);

}  // namespace weft::lab
