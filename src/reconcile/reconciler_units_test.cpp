// SPDX-License-Identifier: Apache-2.0
// Units that take their time: what goes on beside them, and what waits.
#include <gmock/gmock.h>

#include "reconcile/reconciler_fixture.h"

namespace weft::reconcile {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class UnitsTest : public ReconcilerTest {
 protected:
  // Two instances of one kind: keys that begin with "x" are the second's.
  void make_instances() {
    reconciler = std::make_unique<Reconciler>(clock, ReconcilerOptions{});
    const auto is_second = [](const std::string& key) { return key.starts_with("x"); };
    reconciler->add<Low>("first", std::make_shared<FakeDriver<Low>>(low), {.stage = 1},
                         [=](const std::string& key) { return !is_second(key); });
    reconciler->add<Low>("second", std::make_shared<FakeDriver<Low>>(high), {.stage = 1},
                         is_second);
    reconciler->start();
  }
  // Low's "l" is to go, while High's "h" is being written, which ends with finish(high).
  void remove_behind_a_write() {
    make().start();
    set<Low>("l", "1");
    run();
    high.slow = true;
    set<High>("h", "1");
    run();
    remove<Low>("l");
    EXPECT_THAT(run(), IsEmpty());
  }
};

TEST_F(UnitsTest, ASlowReadHoldsUpNobodyElse) {
  make().start();
  set<Low>("l", "1");
  set<High>("h", "1");
  run();
  low.slow_reads = true;
  reconciler->resync_now();
  EXPECT_THAT(run(), IsEmpty());
  ASSERT_TRUE(low.finish);
  for (int second = 0; second < 5; ++second) {
    clock.time += seconds(1);
    set<High>("h", std::to_string(second));
    EXPECT_THAT(run(), ElementsAre("+h=" + std::to_string(second)));
    remove<High>("r");
    set<High>("r", "1");
    run();
  }
  EXPECT_EQ(ended, 0);
  finish(low);
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(UnitsTest, EditsDuringAReadAreTakenAgainstWhatItFinds) {
  make().start();
  for (const char* key : {"same", "changed", "removed"}) set<Low>(key, "1");
  run();
  low.slow_reads = true;
  low.entries.erase("same");
  low.entries["surplus"] = "1";
  low.entries["wanted now"] = "1";
  reconciler->resync_now();
  run();
  set<Low>("changed", "2");
  remove<Low>("removed");
  set<Low>("wanted now", "1");
  set<Low>("new", "1");
  low.slow_reads = false;
  EXPECT_THAT(finish(low), testing::UnorderedElementsAre("+same=1", "+changed=2", "+new=1",
                                                         "-removed", "-surplus"));
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(UnitsTest, AReadGivesWayToAChangeButNotForEver) {
  make().start();
  set<High>("h", "0");
  run();
  high.slow_reads = true;
  high.entries["surplus"] = "1";
  reconciler->resync_now();
  run();
  const auto began = clock.time;
  int changes = 0;
  while (high.entries.count("surplus") == 1) {
    ASSERT_LT(++changes, 100) << "the read never comes";
    clock.time += milliseconds(60);
    set<High>("h", std::to_string(changes));
    run();
    finish(high);
    if (clock.time < began + Reconciler::kPatience) {
      EXPECT_EQ(high.entries.at("h"), std::to_string(changes)) << "written at once";
    }
    clock.time += milliseconds(100);
    run();
  }
  EXPECT_GE(clock.time, began + Reconciler::kPatience);
  high.slow_reads = false;
  if (high.finish) finish(high);
  run();
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(UnitsTest, AdditionsWaitForWritesBelowAndRemovalsForThoseAbove) {
  make().start();
  run();
  low.slow = true;
  set<Low>("l", "1");
  set<High>("h", "1");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_THAT(finish(low), ElementsAre("+l=1", "+h=1"));
  low.slow = false;
  high.slow = true;
  remove<Low>("l");
  remove<High>("h");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_THAT(finish(high), ElementsAre("-h", "-l"));
}

TEST_F(UnitsTest, RemovalsDoNotWaitForEver) {
  remove_behind_a_write();
  EXPECT_EQ(reconciler->deadline(), clock.time + Reconciler::kPatience);
  clock.time += Reconciler::kPatience;
  set<High>("h", "2");  // there is always something new to add
  EXPECT_THAT(finish(high), ElementsAre("+h=1", "-l"));
}

// Be it ever so long: the new stands before the old goes.
TEST_F(UnitsTest, RemovalsWaitForWhatIsBeingWritten) {
  remove_behind_a_write();
  clock.time += 10 * Reconciler::kPatience;
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_FALSE(reconciler->deadline()) << "the end of the write is heard of";
  EXPECT_THAT(finish(high), ElementsAre("+h=1", "-l"));
}

// Else the loop would be woken for ever.
TEST_F(UnitsTest, ARemovalThatIsNoLongerWantedLeavesNoDeadline) {
  remove_behind_a_write();
  set<Low>("l", "1");
  EXPECT_FALSE(reconciler->deadline() == clock.time + Reconciler::kPatience);
  clock.time += 2 * Reconciler::kPatience;
  run();
  EXPECT_FALSE(reconciler->deadline());
  high.slow = false;
  finish(high);
  EXPECT_FALSE(reconciler->deadline());
}

TEST_F(UnitsTest, TheReadAfterAWriteThatBrokeIsNotGivenUp) {
  make().start();
  set<High>("a", "1");
  run();
  high.breaks = true;
  set<High>("a", "2");
  run();
  high.breaks = false;
  high.slow_reads = true;
  clock.time += milliseconds(100);
  run();
  run();
  EXPECT_THAT(finish(high), ElementsAre("+a=2"));
}

TEST_F(UnitsTest, AnInstanceFailsAlone) {
  low.unreadable = true;
  make_instances();
  set<Low>("a", "1");
  set<Low>("x", "1");
  EXPECT_THAT(run(), ElementsAre("+x=1"));
  EXPECT_THAT(failing(), ElementsAre("low first: read: cannot read"));
  EXPECT_FALSE(reconciler->settled("low"));
  EXPECT_TRUE(reconciler->settled("low second"));
  low.unreadable = false;
  clock.time += milliseconds(100);
  EXPECT_THAT(run(), ElementsAre("+a=1"));
  EXPECT_EQ(*reconciler->find<Low>("x"), "1");
  reconciler->drop("feature");
  EXPECT_THAT(run(), testing::UnorderedElementsAre("-a", "-x"));
}

TEST_F(UnitsTest, VerifyWaitsForWhatTakesItsTime) {
  make().start();
  set<Low>("a", "1");
  run();
  low.entries = {{"b", "1"}};
  low.slow_reads = true;
  std::optional<std::vector<std::string>> found;
  reconciler->verify([&](const Result<std::vector<Drift>>& drifts) {
    ASSERT_TRUE(drifts);
    found.emplace();
    for (const Drift& drift : *drifts) found->push_back(drift.key);
  });
  EXPECT_FALSE(found);
  set<High>("h", "1");
  EXPECT_THAT(run(), ElementsAre("+h=1"));
  EXPECT_THAT(finish(low), IsEmpty());
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre("a", "b"));
  EXPECT_EQ(low.entries.count("b"), 1U) << "nothing was written";
}

TEST_F(UnitsTest, WhatIsEditedDuringAComparisonIsNoDrift) {
  make().start();
  for (const std::string key : {"a", "b", "c"}) set<High>(key, "1");
  run();
  high.entries.erase("c");
  high.slow_reads = true;
  std::vector<std::string> found;
  int answers = 0;
  reconciler->verify([&](const Result<std::vector<Drift>>& drifts) {
    ++answers;
    for (const Drift& drift : drifts.value()) found.push_back(drift.key);
  });
  remove<High>("a");
  set<High>("b", "2");
  set<High>("d", "1");
  clock.time += 2 * Reconciler::kPatience;  // it has given way for long enough
  std::exchange(high.finish, nullptr)();
  EXPECT_EQ(answers, 0);
  run();
  EXPECT_EQ(answers, 1);
  EXPECT_THAT(found, ElementsAre("c"));
}

TEST_F(UnitsTest, AComparisonGivesWayToChanges) {
  make().start();
  set<High>("a", "1");
  run();
  high.slow_reads = true;
  std::optional<std::size_t> drifts;
  reconciler->verify([&](const auto& found) { drifts = found.value().size(); });
  set<High>("b", "1");
  run();
  EXPECT_THAT(finish(high), ElementsAre("+b=1"));
  EXPECT_FALSE(drifts);
  finish(high);
  EXPECT_EQ(drifts, 0U);
}

TEST_F(UnitsTest, CountsWhatIsDone) {
  make().start();
  set<High>("a", "1");
  high.refuses = {"bad"};
  set<High>("bad", "1");
  run();
  const auto units = reconciler->units();
  ASSERT_EQ(units.size(), 2U);
  EXPECT_EQ(units[1].name, "high");
  EXPECT_EQ(units[1].desired, 2U);
  EXPECT_EQ(units[1].counts.reads, 1U);
  EXPECT_EQ(units[1].counts.writes, 1U);
  EXPECT_EQ(units[1].counts.entries, 1U);
  EXPECT_EQ(units[1].counts.failures, 1U);
}

}  // namespace
}  // namespace weft::reconcile
