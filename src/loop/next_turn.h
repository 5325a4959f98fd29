// SPDX-License-Identifier: Apache-2.0
//
// Where the slices of long work wait for the loop's next turn (base/next_turn.h). Between two
// slices everything else that is due has its turn: descriptors and timers. (A timer of no length
// would not do: libuv 1.44 runs one that is armed anew by its own callback again at once,
// uv__run_timers.)
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/next_turn.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/wake.h"

namespace weft::loop {

class NextTurns {
 public:
  static Result<std::unique_ptr<NextTurns>> make(Loop& loop);
  NextTurns(const NextTurns&) = delete;
  NextTurns& operator=(const NextTurns&) = delete;

  // Not to be called once this is gone; what still waits then is never run.
  NextTurn function();

 private:
  NextTurns() = default;
  void run();

  std::vector<std::function<void()>> waiting_{};
  std::optional<Wake> wake_{};
};

}  // namespace weft::loop
