// SPDX-License-Identifier: Apache-2.0
#include "loop/next_turn.h"

#include <gtest/gtest.h>

#include "loop/loop_fixture.h"

namespace weft::loop {
namespace {

using namespace std::chrono_literals;

// Work that never ends must not keep a timer from its turn.
TEST_F(LoopTest, BetweenTwoSlicesEverythingElseHasItsTurn) {
  const auto turns = NextTurns::make(loop_);
  ASSERT_TRUE(turns) << turns.error().message;
  const NextTurn next = (*turns)->function();
  int slices = 0;
  bool served = false;
  std::function<void()> slice = [&] {
    if (++slices >= 1'000'000) return loop_.stop();  // so that a test that fails ends
    next(slice);
  };
  next(slice);
  Timer other(loop_, [&] {
    served = true;
    loop_.stop();
  });
  other.arm(Loop::now() + 1ms);
  run();
  EXPECT_TRUE(served);
  EXPECT_GT(slices, 0);
}

}  // namespace
}  // namespace weft::loop
