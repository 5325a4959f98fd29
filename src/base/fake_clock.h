// SPDX-License-Identifier: Apache-2.0
// For tests: a clock that stands still until it is set.
#pragma once

#include "base/clock.h"

namespace weft {

struct FakeClock final : Clock {
  TimePoint time{};
  TimePoint now() const override { return time; }
};

}  // namespace weft
