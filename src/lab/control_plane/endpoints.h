// SPDX-License-Identifier: Apache-2.0
//
// The endpoint controller: a Service's EndpointSlices, one per IP family, from the pods its
// selector matches (discovery.k8s.io/v1). A pod that is not ready is listed as such. A named target
// port may be another number in each pod; then there is a slice for each set of numbers. Pure.
#pragma once

#include <vector>

#include "lab/control_plane/objects.h"

namespace weft::lab {

std::vector<Json> endpoint_slices(const Json& service, const ObjectStore::Objects& pods);

}  // namespace weft::lab
