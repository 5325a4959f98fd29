// SPDX-License-Identifier: Apache-2.0
//
// TableChanges: what a plan says. A plan is a pure function from the model to the entries that
// shall be (set) or no longer be (remove), over every kind; the Reconciler merges the plans of all
// features into one desired table per kind.
#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "reconcile/edit.h"
#include "tables/kinds.h"
#include "tables/nft.h"

namespace weft::tables {

class TableChanges {
 public:
  template <class Kind>
  void set(typename Kind::Key key, typename Kind::Value value) {
    of<Kind>().push_back({std::move(key), std::move(value)});
  }
  template <class Kind>
  void remove(typename Kind::Key key) {
    of<Kind>().push_back({std::move(key), std::nullopt});
  }

  template <class Kind>
  std::vector<reconcile::Edit<Kind>>& of() {
    return std::get<std::vector<reconcile::Edit<Kind>>>(edits_);
  }
  template <class Kind>
  const std::vector<reconcile::Edit<Kind>>& of() const {
    return std::get<std::vector<reconcile::Edit<Kind>>>(edits_);
  }

  // Calls `visit(const std::vector<reconcile::Edit<Kind>>&)` for every kind.
  template <class Visit>
  void each(Visit visit) const {
    std::apply([&](const auto&... edits) { (visit(edits), ...); }, edits_);
  }

 private:
  template <class... Kinds>
  using Edits = std::tuple<std::vector<reconcile::Edit<Kinds>>...>;
  Edits<LinkKind, AddressKind, NeighborKind, FdbKind, RouteKind, RuleKind, SysctlKind, FileKind,
        NftKind>
      edits_{};
};

}  // namespace weft::tables
