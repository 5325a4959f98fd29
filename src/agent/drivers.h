// SPDX-License-Identifier: Apache-2.0
//
// One driver for every kind (of nftables one for each table, which is one batch), in the thread's
// network namespace, at its place in the order of writes: links before what rests on them, nftables
// after those, and last the file that has a runtime start pods. So nothing points where nothing is
// yet.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/config.h"
#include "base/next_turn.h"
#include "base/result.h"
#include "reconcile/reconciler.h"
#include "tables/kernel_tables.h"
#include "tables/ownership.h"

namespace weft::agent {

// Adds them to `reconciler`, which `kernel` must outlive. Long reads are cut into slices by
// `next_turn`. The result: the netlink port ids by which the kernel names our own changes.
Result<std::vector<std::uint32_t>> add_drivers(reconcile::Reconciler& reconciler,
                                               tables::KernelTables& kernel,
                                               const NextTurn& next_turn);

// What is the agent's.
tables::Ownership agent_ownership(const Config& config);

}  // namespace weft::agent
