// SPDX-License-Identifier: Apache-2.0
// The TableState of every kind, compiled once: whoever merges into a Reconciler includes this.
#pragma once

#include "reconcile/table_state.h"
#include "tables/kinds.h"
#include "tables/nft.h"

namespace weft::reconcile {

extern template class TableState<tables::LinkKind>;
extern template class TableState<tables::SysctlKind>;
extern template class TableState<tables::AddressKind>;
extern template class TableState<tables::NeighborKind>;
extern template class TableState<tables::FdbKind>;
extern template class TableState<tables::RouteKind>;
extern template class TableState<tables::RuleKind>;
extern template class TableState<tables::NftKind>;
extern template class TableState<tables::FileKind>;

}  // namespace weft::reconcile
