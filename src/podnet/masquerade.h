// SPDX-License-Identifier: Apache-2.0
//
// nft table weft-podnet, one per family: what a node's pods send to an address outside the cluster
// leaves with the node's address, because nobody out there has a route back to a pod.
#pragma once

#include <vector>

#include "base/address.h"
#include "tables/changes.h"

namespace weft::podnet {

// `pod_cidrs` are this node's own, `cluster_cidrs` all pods': between those nothing is translated.
void plan_masquerade(const std::vector<Prefix>& pod_cidrs, const std::vector<Prefix>& cluster_cidrs,
                     tables::TableChanges& out);

}  // namespace weft::podnet
