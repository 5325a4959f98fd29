// SPDX-License-Identifier: Apache-2.0
// Time that only goes forward, behind an interface, so that tests can make it stand still.
#pragma once

#include <chrono>

namespace weft {

class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace weft
