// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "reconcile/reconciler_fixture.h"

namespace weft::reconcile {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(ReconcilerTest, ARefusedEntryBacksOffAndIsTriedAgainAlone) {
  make().start();
  run();
  high.refuses = {"bad"};
  set<High>("bad", "1");
  set<High>("good", "1");
  EXPECT_THAT(run(), ElementsAre("+good=1"));
  EXPECT_THAT(failures, ElementsAre("high: bad: refused"));
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100));
  clock.time += milliseconds(100);
  run();
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(200)) << "doubles";
  high.refuses.clear();
  clock.time += milliseconds(200);
  EXPECT_THAT(run(), ElementsAre("+bad=1"));
  EXPECT_TRUE(reconciler->settled());
  EXPECT_THAT(drifted, IsEmpty());
}

TEST_F(ReconcilerTest, BackOffBeginsAnewAfterSomebodyElseMendedIt) {
  make().start();
  run();
  high.refuses = {"bad"};
  set<High>("bad", "1");
  for (int i = 0; i < 5; ++i) {
    run();
    clock.time = *reconciler->deadline();
  }
  high.entries["bad"] = "1";
  reconciler->mark("high");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_TRUE(reconciler->settled());
  set<High>("bad", "2");
  run();
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100));
}

TEST_F(ReconcilerTest, BackOffHasALimitAndANewValueIsTriedAtOnce) {
  make({.backoff_limit = milliseconds(1000)}).start();
  run();
  high.refuses = {"bad"};
  set<High>("bad", "1");
  for (int i = 0; i < 10; ++i) {
    run();
    clock.time = *reconciler->deadline();
  }
  run();
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(1000));
  high.refuses.clear();
  set<High>("bad", "2");
  EXPECT_THAT(run(), ElementsAre("+bad=2"));
  EXPECT_TRUE(reconciler->settled());
}

// One entry that the kernel refuses for ever, and others beside it.
TEST_F(ReconcilerTest, WhatIsRefusedHoldsUpNothingAndCausesNoRead) {
  make().start();
  run();
  high.refuses = {"bad"};
  set<High>("bad", "1");
  run();
  const int reads = high.reads;
  for (int i = 0; i < 20; ++i) {
    clock.time += milliseconds(1000);
    const std::string key = "k" + std::to_string(i);
    set<High>(key, "1");
    EXPECT_THAT(run(), ElementsAre("+" + key + "=1")) << "in its own pass";
  }
  EXPECT_EQ(high.reads, reads);
  EXPECT_THAT(failing(), ElementsAre("high: bad: refused"));
  EXPECT_LE(failures.size(), 10U) << "100, 200, 400 … ms: not with every pass";
  remove<High>("bad");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_TRUE(reconciler->settled());
}

// Also of what others rest on: nothing has changed in the kernel.
TEST_F(ReconcilerTest, AChangeThatIsRefusedBelowBacksOffAndCausesNoRead) {
  make().start();
  set<Low>("link", "1");
  set<High>("route", "1");
  run();
  low.refuses = {"link"};
  set<Low>("link", "2");
  run();
  const int reads = low.reads + high.reads;
  for (int i = 0; i < 100; ++i) {
    clock.time += milliseconds(100);
    run();
  }
  EXPECT_EQ(low.reads + high.reads, reads);
  EXPECT_LE(failures.size(), 8U) << "in ten seconds: 0, 100, 300, 700 ms …";
}

TEST_F(ReconcilerTest, ARemovalThatIsRefusedIsTriedAgainAlone) {
  make().start();
  set<High>("stays", "1");
  set<High>("goes", "1");
  run();
  high.refuses = {"goes"};
  remove<High>("goes");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_THAT(failing(), ElementsAre("high: goes: refused"));
  clock.time += milliseconds(100);
  EXPECT_THAT(run(), IsEmpty());
  high.refuses.clear();
  clock.time += milliseconds(200);
  EXPECT_THAT(run(), ElementsAre("-goes"));
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(ReconcilerTest, AnEntryThatComesAgainWhileItsRemovalIsRefusedStays) {
  make().start();
  set<High>("a", "1");
  run();
  high.refuses = {"a"};
  remove<High>("a");
  run();
  set<High>("a", "1");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_TRUE(reconciler->settled());
  EXPECT_EQ(high.entries.count("a"), 1U);
}

// Nobody knows what was written: only then everything is read.
TEST_F(ReconcilerTest, AWriteThatBreaksIsReadAndWrittenAgain) {
  make().start();
  run();
  high.breaks = true;
  set<High>("a", "1");
  const int reads = high.reads;
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_THAT(failing(), ElementsAre("high: broken"));
  high.entries["a"] = "1";  // it was
  high.breaks = false;
  clock.time += milliseconds(100);
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(high.reads, reads + 1);
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(ReconcilerTest, WhatFailsForWantOfALinkIsTriedSoonOnceThatIsWritten) {
  make().start();
  run();
  high.refuses = {"route"};
  set<High>("route", "1");
  for (int i = 0; i < 10; ++i) {
    run();
    clock.time = *reconciler->deadline();
  }
  run();
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(30'000));
  set<Low>("link", "1");
  high.refuses.clear();
  EXPECT_THAT(run(), ElementsAre("+link=1"));
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100));
  clock.time += milliseconds(100);
  EXPECT_THAT(run(), ElementsAre("+route=1"));
}

TEST_F(ReconcilerTest, WhatTheKernelAcknowledgesAndDoesNotKeepIsAFailureThatBacksOff) {
  make().start();
  set<Low>("a", "0");
  run();
  low.forgets = {"a"};
  set<Low>("a", "1");
  EXPECT_LE(run().size(), 6U);
  EXPECT_THAT(failures, IsEmpty());
  set<Low>("other", "1");
  for (int i = 0; i < 4; ++i) {
    set<Low>("other", std::to_string(i));
    run();
  }
  EXPECT_THAT(failing(), ElementsAre("low: a: is still missing after writing it"));
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100));
  clock.time += milliseconds(100);
  run();
  EXPECT_THAT(failing(), ElementsAre("low: a: is still missing after writing it"));
  low.forgets.clear();
  clock.time += milliseconds(1000);
  EXPECT_THAT(run(), ElementsAre("+a=1"));
  EXPECT_TRUE(reconciler->settled());
}

// A link that is made anew takes its route along each time: none of that is the route's failure.
TEST_F(ReconcilerTest, AnEntryMayBeLostAnyNumberOfTimes) {
  make().start();
  set<Low>("link", "0");
  set<High>("route", "1");
  run();
  for (int i = 1; i <= 10; ++i) {
    clock.time += std::chrono::minutes(3);
    high.entries.clear();
    set<Low>("link", std::to_string(i));
    EXPECT_THAT(run(), ElementsAre("+link=" + std::to_string(i), "+route=1"));
    EXPECT_THAT(failing(), IsEmpty());
    EXPECT_TRUE(reconciler->settled());
  }
}

TEST_F(ReconcilerTest, AnUnreadableKindKeepsTheOthersGoing) {
  high.unreadable = true;
  make().start();
  set<Low>("l", "1");
  set<High>("h", "1");
  EXPECT_THAT(run(), ElementsAre("+l=1"));
  EXPECT_THAT(failures.at(0), HasSubstr("high: read: cannot read"));
  high.unreadable = false;
  clock.time = *reconciler->deadline();
  EXPECT_THAT(run(), ElementsAre("+h=1"));
}

TEST_F(ReconcilerTest, FailingTellsCausesFirstAndIsEmptyWhenAllIsWell) {
  low.refuses = {"link"};
  high.refuses = {"r1", "r2"};
  make().start();
  set<High>("r1", "1");
  set<High>("r2", "1");
  set<Low>("link", "1");
  run();
  EXPECT_THAT(failing(),
              ElementsAre("low: link: refused", "high: r1: refused", "high: r2: refused"));
  low.refuses.clear();
  high.refuses.clear();
  clock.time += milliseconds(100);
  run();
  EXPECT_TRUE(reconciler->settled());
  EXPECT_THAT(failing(), IsEmpty());
}

TEST_F(ReconcilerTest, WhatWaitsForAKindComesOnceThatIsNotFailing) {
  make();
  FakeKernel last;
  last.journal = &journal;
  reconciler->add<Last>(std::make_shared<FakeDriver<Last>>(last),
                        {.stage = 3, .waits_for = {std::string(Low::kName)}});
  reconciler->start();
  low.refuses = {"link"};
  high.refuses = {"route to a peer"};  // which nothing waits for
  set<High>("route to a peer", "1");
  set<Last>("file", "1");
  set<Low>("link", "1");
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100)) << "it does not spin";
  low.refuses.clear();
  clock.time += milliseconds(100);
  EXPECT_THAT(run(), ElementsAre("+link=1", "+file=1"));
  low.refuses = {"link"};
  remove<Last>("file");
  remove<Low>("link");
  EXPECT_THAT(run(), ElementsAre("-file")) << "removals do not wait";
}

TEST_F(ReconcilerTest, WhatFailsIsNotHastenedByAStormOfMarks) {
  make().start();
  run();
  high.refuses = {"bad"};
  set<High>("bad", "1");
  run();
  failures.clear();
  for (int i = 0; i < 1000; ++i) {
    clock.time += milliseconds(10);
    reconciler->mark("high");
    run();
  }
  EXPECT_LE(failures.size(), 4U + 10U) << "100, 200, 400, 800 ms, then each second";
  high.refuses.clear();
  clock.time += milliseconds(60);
  reconciler->mark("high");
  run();
  EXPECT_LE(*reconciler->deadline(), clock.time + milliseconds(1000)) << "but no 30 s";
}

TEST_F(ReconcilerTest, WhatIsHalfDoneIsNotWhatItWas) {
  make().start();
  set<Low>("a", "1");
  run();
  low.halves = low.slow_reads = true;
  low.refuses = {"a"};
  set<Low>("a", "2");
  run();
  ASSERT_FALSE(low.entries.contains("a"));
  set<Low>("a", "1");  // as it was before
  low.refuses.clear();
  run();
  EXPECT_THAT(finish(low), ElementsAre("+a=1")) << "before a read has told";
}

TEST_F(ReconcilerTest, ManyThatComeAndGoWhileNothingCanBeWritten) {
  make().start();
  low.unreadable = true;
  run();
  for (int i = 0; i < 500; ++i) {
    set<Low>("k" + std::to_string(i), "1");
    set<Low>("k" + std::to_string(i), "2");
    if (i % 7 != 0) remove<Low>("k" + std::to_string(i));
  }
  set<Low>("k7", "3");
  remove<Low>("k14");
  low.unreadable = false;
  clock.time += std::chrono::seconds(60);
  run();
  EXPECT_EQ(low.entries.size(), 71U);
  EXPECT_EQ(low.entries["k7"], "3");
  EXPECT_FALSE(low.entries.contains("k14"));
  EXPECT_TRUE(reconciler->settled());
}

}  // namespace
}  // namespace weft::reconcile
