// SPDX-License-Identifier: Apache-2.0
#include "agent/reconcile_log.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/fake_clock.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class ReconcileLogTest : public testing::Test {
 protected:
  // How many lines contain `word` in what `act` logs.
  template <class Act>
  int lines(const std::string& word, Act act) {
    CaptureStderr();
    act();
    const std::string text = GetCapturedStderr();
    int count = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  void repair(int times) const {
    for (int i = 0; i < times; ++i) events_.drifted({"route", "10.0.0.0/8", {}, "", ""});
  }

  FakeClock clock_{};
  ReconcileLog log_{clock_};
  reconcile::ReconcilerEvents events_ = log_.events();
};

TEST_F(ReconcileLogTest, FailureIsLoggedOnceUntilAllIsWell) {
  const auto fail_twice = [&] {
    events_.failed({"a", 1});
    events_.failed({"b", 1});
    events_.failed({"a", 1});
    log_.end_of_pass(false, std::vector<Error>{{"a", 1}, {"b", 1}});
  };
  EXPECT_EQ(lines("trying again", fail_twice), 2);
  EXPECT_EQ(lines("trying again", fail_twice), 0);
  EXPECT_EQ(lines("settled again", [&] { log_.end_of_pass(true, {}); }), 1);
  EXPECT_EQ(lines("settled again", [&] { log_.end_of_pass(true, {}); }), 0);
  EXPECT_EQ(lines("trying again", fail_twice), 2);
  EXPECT_EQ(log_.failures(), 9U);
}

TEST_F(ReconcileLogTest, FailureThatComesBackIsLoggedAgainWhileAnotherLasts) {
  const std::vector<Error> lasting{{"lasting", 1}};
  const auto fail_and_recover = [&] {
    for (const char* message : {"lasting", "passing"}) events_.failed({message, 1});
    log_.end_of_pass(false, std::vector<Error>{{"lasting", 1}, {"passing", 1}});
    log_.end_of_pass(false, lasting);
  };
  EXPECT_EQ(lines("trying again", fail_and_recover), 2);
  EXPECT_EQ(lines("passing", fail_and_recover), 1);
  EXPECT_EQ(lines("lasting", fail_and_recover), 0);
  // Over, but not settled yet.
  EXPECT_EQ(lines("settled again", [&] { log_.end_of_pass(false, {}); }), 0);
  EXPECT_EQ(lines("settled again", [&] { log_.end_of_pass(true, {}); }), 1);
}

TEST_F(ReconcileLogTest, MuchDriftIsCountedAndTheFirstOfItLogged) {
  EXPECT_EQ(lines("repairing drift", [&] { repair(1000); }), 20);
  EXPECT_EQ(lines("repairing", [&] { repair(1000); }), 0);
  clock_.time += 10s;
  EXPECT_EQ(lines("repairing drift", [&] { repair(1); }), 1);
  EXPECT_EQ(log_.drifted(), 2001U);
}

TEST_F(ReconcileLogTest, RemovalsOfAnUninstallAreNoDrift) {
  log_.expect_removals();
  EXPECT_EQ(lines("repairing", [&] { repair(3); }), 0);
  EXPECT_EQ(log_.drifted(), 0U);
}

}  // namespace
}  // namespace weft::agent
