// SPDX-License-Identifier: Apache-2.0
#include "agent/requests.h"

#include <gtest/gtest.h>

#include "agent/fake_kernel_test.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;
class RequestsTest : public testing::Test {
 protected:
  RequestsTest() {
    reconciler_.add<SysctlKind>(std::make_shared<FakeDriver>(kernel_), {});
    reconciler_.merge<SysctlKind>("one", {{"a", "1"}, {"b", "1"}});
  }
  void start() {
    reconciler_.start();
    reconciler_.run();
  }

  FakeClock clock_{};
  FakeKernel kernel_{};
  reconcile::Reconciler reconciler_{clock_, {}};
  int uninstalled_ = 0;
  Requests requests_{reconciler_, clock_, {"one"}, [this] { ++uninstalled_; }};
};

TEST_F(RequestsTest, VerifyTellsTheDriftAndWritesNothing) {
  start();
  std::string answer;
  requests_.verify(to(answer));
  requests_.advance();
  EXPECT_EQ(answer, R"({"ok":true,"drift":[],"failing":[]})");

  kernel_.entries.erase("a");
  requests_.verify(to(answer));
  requests_.advance();
  EXPECT_NE(answer.find(R"("key":"a","kind":"sysctl","problem":"missing")"), std::string::npos)
      << answer;
  EXPECT_FALSE(kernel_.entries.contains("a"));
}

TEST_F(RequestsTest, VerifyWaitsForAWriteInFlight) {
  start();
  kernel_.slow = true;
  reconciler_.merge<SysctlKind>("one", {{"a", "2"}});
  reconciler_.run();
  ASSERT_TRUE(reconciler_.busy());
  std::string answer;
  requests_.verify(to(answer));
  requests_.advance();
  EXPECT_EQ(answer, "");
  EXPECT_TRUE(requests_.deadline());
  kernel_.complete();
  reconciler_.run();
  requests_.advance();
  EXPECT_EQ(answer, R"({"ok":true,"drift":[],"failing":[]})");
  EXPECT_FALSE(requests_.deadline());
}

// Nothing is asked for meanwhile: the job's end is heard of.
TEST_F(RequestsTest, WhoWaitsIsLookedAfterWhenTimeIsUp) {
  start();
  kernel_.slow = true;
  reconciler_.merge<SysctlKind>("one", {{"a", "2"}});
  reconciler_.run();
  std::string answer;
  requests_.repair(to(answer));
  EXPECT_TRUE(requests_.has_newcomers());
  EXPECT_EQ(requests_.deadline(), clock_.time);
  requests_.advance();
  EXPECT_FALSE(requests_.has_newcomers());
  EXPECT_EQ(requests_.deadline(), clock_.time + Requests::kReadPatience);
  kernel_.complete();
  reconciler_.run();
  reconciler_.merge<SysctlKind>("one", {{"a", "3"}});
  requests_.advance();
  EXPECT_EQ(requests_.deadline(), clock_.time + Requests::kPatience);
  EXPECT_EQ(answer, "");
}

TEST_F(RequestsTest, WhatIsBusyForEverHoldsUpNoRequestForEver) {
  start();
  kernel_.slow = true;
  reconciler_.merge<SysctlKind>("one", {{"a", "2"}});
  reconciler_.run();
  std::string verified, gone;
  requests_.verify(to(verified));
  requests_.uninstall(to(gone));
  const auto pass_after = [&](std::chrono::seconds time) {
    clock_.time += time;
    reconciler_.run();
    requests_.advance();
  };
  pass_after(0s);
  pass_after(Requests::kReadPatience - 1s);
  EXPECT_EQ(verified, "");
  pass_after(1s);
  const std::string why = "error: the kernel could not be read within 20 s; still busy: sysctl";
  EXPECT_EQ(verified, why);
  pass_after(Requests::kPatience);
  EXPECT_EQ(gone, "");
  pass_after(Requests::kReadPatience);
  EXPECT_EQ(gone, why);
  EXPECT_FALSE(requests_.deadline());

  // It ends after all.
  std::string again;
  requests_.uninstall(to(again));
  pass_after(0s);
  kernel_.slow = false;
  kernel_.complete();
  pass_after(0s);
  EXPECT_EQ(again, R"({"ok":true})");
  EXPECT_EQ(uninstalled_, 1);
  EXPECT_EQ(verified, why);
}

TEST_F(RequestsTest, RepairMendsAndTellsWhatWasWrong) {
  start();
  kernel_.entries.erase("a");
  kernel_.entries["c"] = "9";
  std::string answer;
  requests_.repair(to(answer));
  requests_.advance();
  EXPECT_EQ(kernel_.entries, (SysctlKind::Table{{"a", "1"}, {"b", "1"}}));
  EXPECT_NE(answer.find(R"("ok":true)"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("key":"a")"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("key":"c")"), std::string::npos) << answer;
}

TEST_F(RequestsTest, RepairThatTheKernelRefusesGivesUpAndTellsWhatRemains) {
  start();
  kernel_.entries.erase("a");
  kernel_.refuses = true;
  std::string answer;
  requests_.repair(to(answer));
  requests_.advance();
  EXPECT_EQ(answer, "");  // it may yet succeed
  clock_.time += Requests::kPatience;
  reconciler_.run();
  requests_.advance();
  EXPECT_NE(answer.find(R"("ok":false,"repaired":[])"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("failing":["sysctl: refused"])"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("key":"a")"), std::string::npos) << answer;
}

TEST_F(RequestsTest, UninstallLeavesNothing) {
  start();
  std::string answer;
  requests_.uninstall(to(answer));
  requests_.advance();
  EXPECT_EQ(answer, R"({"ok":true})");
  EXPECT_TRUE(kernel_.entries.empty());
  EXPECT_EQ(uninstalled_, 1);
}

TEST_F(RequestsTest, UninstallBeforeTheFirstPlanRemovesWhatAnEarlierAgentLeft) {
  kernel_.entries = {{"a", "1"}, {"old", "1"}};
  std::string answer;
  requests_.uninstall(to(answer));
  requests_.advance();
  EXPECT_TRUE(kernel_.entries.empty()) << answer;
  EXPECT_EQ(uninstalled_, 1);
}

TEST_F(RequestsTest, UninstallThatLeavesSomethingSaysWhatAndDoesNotEnd) {
  start();
  kernel_.refuses = true;
  std::string answer;
  requests_.uninstall(to(answer));
  requests_.advance();
  clock_.time += Requests::kPatience;
  reconciler_.run();
  requests_.advance();
  EXPECT_NE(answer.find("error: 2 entries could not be removed (sysctl: refused):\n"),
            std::string::npos)
      << answer;
  EXPECT_EQ(uninstalled_, 0);
  EXPECT_TRUE(requests_.uninstalling());
  ASSERT_EQ(requests_.left().size(), 2U);
  EXPECT_EQ(requests_.left().front().key, "a");
}

TEST_F(RequestsTest, RequestsAreServedInOrder) {
  start();
  kernel_.entries.erase("a");
  std::string first, second, third;
  requests_.verify(to(first));
  requests_.repair(to(second));
  requests_.verify(to(third));
  requests_.advance();
  EXPECT_NE(first.find(R"("ok":false)"), std::string::npos);
  EXPECT_NE(second.find(R"("ok":true)"), std::string::npos);
  EXPECT_EQ(third, R"({"ok":true,"drift":[],"failing":[]})");
}

}  // namespace
}  // namespace weft::agent
