// SPDX-License-Identifier: Apache-2.0
#include "loop/next_turn.h"

#include <utility>

namespace weft::loop {

NextTurns::NextTurns(Loop& loop) : timer_(loop, [this] { run(); }) {}

NextTurn NextTurns::function() {
  return [this](std::function<void()> work) {
    if (waiting_.empty()) timer_.arm(Loop::now());
    waiting_.push_back(std::move(work));
  };
}

void NextTurns::run() {
  for (const auto& work : std::exchange(waiting_, {})) work();
}

}  // namespace weft::loop
