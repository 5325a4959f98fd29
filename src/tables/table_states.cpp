// SPDX-License-Identifier: Apache-2.0
// Apart from the drivers: the CNI plugins link those, and reconcile nothing.
#include "tables/table_states.h"

namespace weft::reconcile {

template class TableState<tables::LinkKind>;
template class TableState<tables::SysctlKind>;
template class TableState<tables::AddressKind>;
template class TableState<tables::NeighborKind>;
template class TableState<tables::FdbKind>;
template class TableState<tables::RouteKind>;
template class TableState<tables::RuleKind>;
template class TableState<tables::NftKind>;
template class TableState<tables::FileKind>;

}  // namespace weft::reconcile
