// SPDX-License-Identifier: Apache-2.0
#include "agent/plans.h"

#include <gtest/gtest.h>

#include "agent/fake_kernel_test.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOk = R"({"ok":true})";

class PlansTest : public testing::Test {
 protected:
  PlansTest() {
    reconciler_.add<SysctlKind>(std::make_shared<FakeDriver>(kernel_), {});
    reconciler_.start();
    reconciler_.run();
  }
  void plan(const std::string& key, const std::string& value) {
    const auto written = std::make_shared<const reconcile::Ticket>(reconciler_.ticket());
    reconciler_.merge<SysctlKind>("one", {{key, value}}, *written);
    plans_.add(written);
  }
  void pass(const std::string& obstacle = "") {
    reconciler_.run();
    plans_.advance(obstacle);
  }

  FakeClock clock_{};
  FakeKernel kernel_{};
  reconcile::Reconciler reconciler_{clock_, {}};
  Plans plans_{reconciler_, clock_};
};

TEST_F(PlansTest, WhoWaitsIsAnsweredOnceAllThatWasPlannedIsWritten) {
  kernel_.slow = true;
  plan("a", "1");
  std::string answer, later;
  plans_.wait(to(answer), 10s);
  EXPECT_TRUE(plans_.has_newcomers());
  pass();
  EXPECT_EQ(answer, "");
  EXPECT_FALSE(plans_.has_newcomers());
  EXPECT_EQ(plans_.deadline(), clock_.time + 10s);

  plan("b", "1");  // is not what it waits for
  plans_.wait(to(later), 10s);
  pass();
  kernel_.complete();
  pass();
  EXPECT_EQ(answer, kOk);
  EXPECT_EQ(later, "");
  kernel_.complete();
  pass();
  EXPECT_EQ(later, kOk);
  EXPECT_FALSE(plans_.deadline());
}

TEST_F(PlansTest, WhereNothingIsToBeWrittenTheAnswerIsThere) {
  std::string answer;
  plans_.wait(to(answer), 0s);
  pass();
  EXPECT_EQ(answer, kOk);
}

TEST_F(PlansTest, TheReasonIsToldWhenTimeIsUp) {
  kernel_.refuses = true;
  plan("a", "1");
  std::string answer;
  plans_.wait(to(answer), 10s);
  pass();
  clock_.time += 9s;
  pass();
  EXPECT_EQ(answer, "");
  clock_.time += 1s;
  pass();
  EXPECT_EQ(answer, "error: sysctl: refused");
}

TEST_F(PlansTest, WhatCannotBePlannedIsWaitedForToo) {
  std::string early, late;
  plans_.wait(to(early), 1s);
  plans_.wait(to(late), 10s);
  pass("waiting for a Node");
  EXPECT_TRUE(plans_.has_newcomers());
  clock_.time += 1s;
  pass("waiting for a Node");
  EXPECT_EQ(early, "error: waiting for a Node");
  kernel_.slow = true;
  plan("a", "1");
  pass();
  EXPECT_EQ(late, "");
  kernel_.complete();
  pass();
  EXPECT_EQ(late, kOk);
}

TEST_F(PlansTest, OfAnAgentThatEndsNothingIsToBeWaitedFor) {
  kernel_.slow = true;
  plan("a", "1");
  std::string answer;
  plans_.wait(to(answer), 10s);
  pass();
  plans_.give_up("going");
  EXPECT_EQ(answer, "error: going");
  EXPECT_FALSE(plans_.deadline());
}

}  // namespace
}  // namespace weft::agent
