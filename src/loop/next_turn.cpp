// SPDX-License-Identifier: Apache-2.0
#include "loop/next_turn.h"

#include <utility>

namespace weft::loop {

Result<std::unique_ptr<NextTurns>> NextTurns::make(Loop& loop) {
  std::unique_ptr<NextTurns> turns(new NextTurns());
  WEFT_ASSIGN(turns->wake_, Wake::make(loop, [self = turns.get()] { self->run(); }));
  return turns;
}

NextTurn NextTurns::function() {
  return [this](std::function<void()> work) {
    if (waiting_.empty()) wake_->send();
    waiting_.push_back(std::move(work));
  };
}

void NextTurns::run() {
  for (const auto& work : std::exchange(waiting_, {})) work();
}

}  // namespace weft::loop
