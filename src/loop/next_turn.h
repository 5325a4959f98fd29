// SPDX-License-Identifier: Apache-2.0
// Where the slices of long work wait for the loop's next turn (base/next_turn.h).
#pragma once

#include <functional>
#include <vector>

#include "base/next_turn.h"
#include "loop/loop.h"
#include "loop/timer.h"

namespace weft::loop {

class NextTurns {
 public:
  explicit NextTurns(Loop& loop);
  NextTurns(const NextTurns&) = delete;
  NextTurns& operator=(const NextTurns&) = delete;

  // Not to be called once this is gone; what still waits then is never run.
  NextTurn function();

 private:
  void run();

  std::vector<std::function<void()>> waiting_{};
  Timer timer_;
};

}  // namespace weft::loop
