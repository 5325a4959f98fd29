// SPDX-License-Identifier: Apache-2.0
#include "loop/wake.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "loop/loop_fixture.h"

namespace weft::loop {
namespace {

using namespace std::chrono_literals;

constexpr int kSends = 10'000;

TEST_F(LoopTest, SendsOfAnotherThreadBecomeOneWake) {
  int woken = 0;
  const auto wake = Wake::make(loop_, [&] { ++woken; });
  ASSERT_TRUE(wake) << wake.error().message;
  std::thread other([&] {
    for (int i = 0; i < kSends; ++i) wake->send();
  });
  other.join();
  Timer end(loop_, [&] { loop_.stop(); });
  end.arm(Loop::now() + 20ms);  // in which a second one would come
  loop_.run();
  EXPECT_EQ(woken, 1);
}

// The mailbox's contract: what was put down before a send() is seen by a callback after it.
TEST_F(LoopTest, WhateverWasPutDownBeforeASendIsSeenAfterIt) {
  std::atomic<int> put_down = 0;
  int seen = 0;
  int woken = 0;
  const auto wake = Wake::make(loop_, [&] {
    ++woken;
    seen = put_down;
    if (seen == kSends) loop_.stop();
  });
  ASSERT_TRUE(wake);
  std::thread other([&] {
    for (int i = 0; i < kSends; ++i) {
      ++put_down;
      wake->send();
    }
  });
  run(20s);
  other.join();
  EXPECT_EQ(seen, kSends);
  EXPECT_LE(woken, kSends);
}

// Each send comes when the one before has just been answered: none may fall between two callbacks.
TEST_F(LoopTest, NoSendIsLostHoweverItFallsBetweenCallbacks) {
  std::atomic<int> answered = 0;
  std::atomic<bool> given_up = false;
  const auto wake = Wake::make(loop_, [&] {
    if (++answered == kSends) loop_.stop();
  });
  ASSERT_TRUE(wake);
  std::thread other([&] {
    for (int sent = 0; sent < kSends && !given_up; ++sent) {
      wake->send();
      while (answered == sent && !given_up) std::this_thread::yield();
    }
  });
  run(20s);
  given_up = true;
  other.join();
  EXPECT_EQ(answered, kSends);
}

TEST_F(LoopTest, AWakeMayGoInItsOwnCallback) {
  std::optional<Wake> wake;
  auto made = Wake::make(loop_, [&] { wake.reset(); });
  ASSERT_TRUE(made);
  wake.emplace(std::move(*made));
  wake->send();
  loop_.run();  // ends by itself: nothing is left to wait for
  EXPECT_FALSE(wake);
}

}  // namespace
}  // namespace weft::loop
