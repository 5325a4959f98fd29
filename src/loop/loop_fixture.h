// SPDX-License-Identifier: Apache-2.0
// For tests: a loop, and a run() that fails the test when the event does not come.
#pragma once

#include <gtest/gtest.h>

#include <chrono>

#include "loop/loop.h"
#include "loop/timer.h"

namespace weft::loop {

class LoopTest : public testing::Test {
 protected:
  // Serves events until stop() or, failing the test, for `patience`.
  void run(std::chrono::seconds patience = std::chrono::seconds(5)) {
    Timer deadline(loop_, [this] {
      ADD_FAILURE() << "the event did not come";
      loop_.stop();
    });
    deadline.arm(Loop::now() + patience);
    loop_.run();
  }

  Loop loop_ = Loop::open().value();
};

}  // namespace weft::loop
