// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "reconcile/reconciler_fixture.h"

namespace weft::reconcile {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ReconcilerTest, WritesNothingBeforeItIsStarted) {
  make();
  set<Low>("a", "1");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_FALSE(reconciler->deadline());
  reconciler->start();
  EXPECT_THAT(run(), ElementsAre("+a=1"));
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(ReconcilerTest, StartTouchesOnlyWhatIsWrong) {
  low.entries = {{"right", "1"}, {"wrong", "1"}, {"orphan", "1"}};
  make();
  set<Low>("right", "1");
  set<Low>("wrong", "2");
  set<Low>("missing", "3");
  reconciler->start();
  EXPECT_THAT(run(), ElementsAre("+wrong=2", "+missing=3", "-orphan"));
  EXPECT_THAT(drifted, IsEmpty()) << "what start finds is not drift";
}

TEST_F(ReconcilerTest, AddsUpwardAndRemovesDownward) {
  make().start();
  set<High>("h", "1");
  set<Low>("l", "1");
  EXPECT_THAT(run(), ElementsAre("+l=1", "+h=1"));
  remove<Low>("l");
  remove<High>("h");
  EXPECT_THAT(run(), ElementsAre("-h", "-l"));
}

TEST_F(ReconcilerTest, AnAtomicKindIsWrittenWholeOnTheWayUp) {
  make({}, true).start();
  set<Low>("a", "1");
  run();
  remove<Low>("a");
  set<Low>("b", "1");
  set<High>("h", "1");
  EXPECT_THAT(run(), ElementsAre("-a", "+b=1", "+h=1"));
}

TEST_F(ReconcilerTest, ChangesCostNoReadWhereNothingCascades) {
  make().start();
  run();
  const int reads = high.reads;
  set<High>("h", "1");
  EXPECT_THAT(run(), ElementsAre("+h=1"));
  set<High>("h", "1");
  EXPECT_THAT(run(), IsEmpty()) << "the same again is no change";
  EXPECT_EQ(high.reads, reads);
}

TEST_F(ReconcilerTest, ALinkWriteHasWhatRestsOnItReadAgain) {
  make().start();
  set<Low>("link", "1");
  set<High>("route", "1");
  run();
  high.entries.clear();  // the kernel took the route along
  set<Low>("link", "2");
  EXPECT_THAT(run(), ElementsAre("+link=2", "+route=1"));
}

TEST_F(ReconcilerTest, EditsBeforeTheWriteCollapse) {
  make().start();
  run();
  set<High>("a", "1");
  remove<High>("a");
  EXPECT_THAT(run(), IsEmpty());
  set<High>("b", "1");
  run();
  remove<High>("b");
  set<High>("b", "2");
  EXPECT_THAT(run(), ElementsAre("+b=2"));
  set<High>("b", "3");
  remove<High>("b");
  EXPECT_THAT(run(), ElementsAre("-b"));
}

TEST_F(ReconcilerTest, WhatIsPlannedAnewAsItWasIsNotTouched) {
  make().start();
  set<High>("a", "1");
  set<High>("b", "1");
  run();
  reconciler->drop("feature");
  set<High>("a", "1");
  set<High>("b", "2");
  EXPECT_THAT(run(), ElementsAre("+b=2"));
}

TEST_F(ReconcilerTest, OneWriteInFlightTheRestCoalesces) {
  make().start();
  run();
  high.slow = true;
  set<High>("a", "1");
  run();
  set<High>("a", "2");
  set<High>("b", "1");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_FALSE(reconciler->deadline());
  journal.clear();
  high.slow = false;
  EXPECT_THAT(finish(high), ElementsAre("+a=1", "+a=2", "+b=1")) << "what is in flight stays";
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(ReconcilerTest, DriftIsRepairedOnAMarkAndOnThePeriod) {
  make({.resync_period = milliseconds(1000)}).start();
  set<High>("h", "1");
  run();
  high.entries.clear();
  EXPECT_THAT(run(), IsEmpty());
  clock.time += milliseconds(60);
  reconciler->mark("high");
  EXPECT_THAT(run(), ElementsAre("+h=1"));
  high.entries = {{"h", "9"}, {"x", "1"}};
  clock.time += milliseconds(1000);
  EXPECT_THAT(run(), ElementsAre("+h=1", "-x"));
  EXPECT_THAT(drifted, ElementsAre("h", "h", "x"));
}

TEST_F(ReconcilerTest, WhatWasNeverThereIsNoDrift) {
  high.refuses = {"bad", "orphan"};
  high.entries = {{"orphan", "1"}};
  make().start();
  set<High>("bad", "1");
  set<High>("good", "1");
  run();
  for (int i = 0; i < 5; ++i) {
    clock.time += milliseconds(1000);
    reconciler->mark("high");
    run();
  }
  EXPECT_THAT(drifted, IsEmpty());
  high.entries.erase("good");
  clock.time += milliseconds(1000);
  reconciler->mark("high");
  run();
  EXPECT_THAT(drifted, ElementsAre("good"));
}

TEST_F(ReconcilerTest, AStormOfMarksReadsAtItsInterval) {
  make({.mark_interval = milliseconds(50)}).start();
  run();
  const int reads = high.reads;
  for (int i = 0; i < 120; ++i) {
    reconciler->mark("high");
    run();
    clock.time += milliseconds(1);
  }
  EXPECT_LE(high.reads - reads, 3);
  EXPECT_GE(high.reads - reads, 2);
}

TEST_F(ReconcilerTest, DropRemovesAnOwnersEntriesOnly) {
  make().start();
  reconciler->merge<Low>("a", {{"1", "x"}, {"2", "x"}});
  reconciler->merge<Low>("b", {{"3", "x"}});
  run();
  reconciler->drop("a");
  EXPECT_THAT(run(), ElementsAre("-1", "-2"));
}

TEST_F(ReconcilerTest, VerifyReadsAndWritesNothing) {
  make().start();
  set<Low>("missing", "1");
  set<Low>("different", "1");
  run();
  low.entries = {{"different", "2"}, {"unexpected", "1"}};
  journal.clear();
  std::vector<Drift> drift;
  reconciler->verify([&](const Result<std::vector<Drift>>& found) {
    ASSERT_TRUE(found);
    drift = *found;
  });
  std::vector<std::string> lines;
  for (const Drift& d : drift)
    lines.push_back(d.kind + " " + d.key + " " + std::string(to_string(d.problem)) + " " +
                    d.desired + "/" + d.actual);
  EXPECT_THAT(lines,
              testing::UnorderedElementsAre("low missing missing 1/", "low different different 1/2",
                                            "low unexpected unexpected /1"));
  EXPECT_THAT(journal, IsEmpty());
}

}  // namespace

template class TableState<Low>;
template class TableState<High>;
template class TableState<Last>;

}  // namespace weft::reconcile
