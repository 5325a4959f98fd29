// SPDX-License-Identifier: Apache-2.0
//
// host-local's allocation: one address from each range set, all or none. Requested addresses are
// taken from the set they lie in; the rest are chosen round-robin. One interface (container id and
// name) holds at most one address of a range set: a second allocation is an error, as CNI wants.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "ipam/host_local/range.h"
#include "ipam/host_local/round_robin.h"
#include "ipam/host_local/store.h"

namespace weft::ipam {

// One lease a range set, in their order. Fails, with nothing reserved, when a set has no address
// left, when a requested address is taken, a gateway, or in no set, or when the owner has one
// already.
Result<std::vector<Lease>> allocate(Store& store, const Owner& owner,
                                    const std::vector<RangeSet>& range_sets,
                                    std::vector<IpAddress> requested);

// Every address the owner holds; none is success.
Result<> release(Store& store, const Owner& owner);

}  // namespace weft::ipam
