// SPDX-License-Identifier: Apache-2.0
//
// A one-shot timer, armed with a point of the steady clock and armed again as often as one likes
// (the last call counts). Never early; late by a millisecond or so, as libuv counts in those.
// Armed with a point that has passed it fires in the next turn of the loop, after everything that
// is ready now: which is how several events become one pass.
#pragma once

#include <functional>
#include <memory>

#include "loop/handle.h"
#include "loop/loop.h"

namespace weft::loop {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);

  void arm(Loop::TimePoint when);
  void disarm();

 private:
  OwnedHandle<uv_timer_t> timer_;
  std::shared_ptr<Loop::TimePoint> when_;
};

}  // namespace weft::loop
