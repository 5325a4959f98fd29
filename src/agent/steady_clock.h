// SPDX-License-Identifier: Apache-2.0
// The Reconciler's clock outside of tests.
#pragma once

#include "reconcile/reconciler.h"

namespace weft::agent {

class SteadyClock final : public reconcile::Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace weft::agent
