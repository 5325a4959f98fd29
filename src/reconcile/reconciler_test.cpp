// SPDX-License-Identifier: Apache-2.0
#include "reconcile/reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace weft::reconcile {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct FakeClock final : Clock {
  TimePoint time{};
  TimePoint now() const override { return time; }
};

template <int N>
struct TextKind {
  using Key = std::string;
  using Value = std::string;
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = N == 0 ? "low" : N == 1 ? "high" : "last";
  static bool same(const Value& desired, const Value& actual) { return desired == actual; }
  static std::string describe(const std::string& text) { return text; }
};
using Low = TextKind<0>;
using High = TextKind<1>;
using Last = TextKind<2>;

// A kernel of one table: what is in it, what it refuses, and everything that was written to it.
struct FakeKernel {
  std::map<std::string, std::string> entries{};
  std::set<std::string> refuses{};
  std::set<std::string> forgets{};  // acknowledged, and not kept
  bool unreadable = false;
  bool slow = false;  // completes when finish() is called
  std::function<void()> finish{};
  std::vector<std::string>* journal = nullptr;
  int reads = 0;
};

template <class Kind>
class FakeDriver final : public Driver<Kind> {
 public:
  explicit FakeDriver(FakeKernel& kernel) : kernel_(kernel) {}

  Result<typename Kind::Table> read() override {
    ++kernel_.reads;
    if (kernel_.unreadable) return fail("cannot read");
    return kernel_.entries;
  }

  void write(const Changes<Kind>& changes, const Desired<Kind>& desired,
             WriteDone<Kind> done) override {
    for (const Change<Kind>& change : changes)
      EXPECT_EQ(desired.find(change.key) != nullptr, change.value != nullptr) << change.key;
    auto finish = [this, &changes, done = std::move(done)] { done(apply(changes)); };
    if (kernel_.slow)
      kernel_.finish = std::move(finish);
    else
      finish();
  }

 private:
  std::vector<WriteFailure<Kind>> apply(const Changes<Kind>& changes) {
    std::vector<WriteFailure<Kind>> failures;
    for (const Change<Kind>& change : changes) {
      if (kernel_.refuses.contains(change.key)) {
        failures.push_back({change.key, Error{"refused", 1}});
        continue;
      }
      const auto held = kernel_.entries.find(change.key);
      EXPECT_EQ(change.previous != nullptr, held != kernel_.entries.end()) << change.key;
      if (change.value) {
        kernel_.journal->push_back("+" + change.key + "=" + *change.value);
        if (!kernel_.forgets.contains(change.key)) kernel_.entries[change.key] = *change.value;
      } else {
        kernel_.journal->push_back("-" + change.key);
        kernel_.entries.erase(change.key);
      }
    }
    return failures;
  }

  FakeKernel& kernel_;
};

class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() {
    low.journal = &journal;
    high.journal = &journal;
  }

  Reconciler& make(ReconcilerOptions options = {}, bool atomic = false) {
    reconciler = std::make_unique<Reconciler>(
        clock, options,
        ReconcilerEvents{[this](const Error& error) { failures.push_back(error.message); },
                         [this](const Drift& drift) { drifted.push_back(drift.key); }});
    reconciler->add<High>(std::make_unique<FakeDriver<High>>(high),
                          {.stage = 2, .rests_on_links = true});
    reconciler->add<Low>(std::make_unique<FakeDriver<Low>>(low),
                         {.stage = 1, .atomic = atomic, .rests_on_links = true, .cascades = true});
    return *reconciler;
  }

  template <class Kind>
  void set(const std::string& key, const std::string& value) {
    ASSERT_TRUE(reconciler->merge<Kind>("feature", {{key, value}}));
  }
  template <class Kind>
  void remove(const std::string& key) {
    ASSERT_TRUE(reconciler->merge<Kind>("feature", {{key, std::nullopt}}));
  }
  std::vector<std::string> run() {
    journal.clear();
    reconciler->run();
    return journal;
  }

  FakeClock clock{};
  FakeKernel low{}, high{};
  std::vector<std::string> journal{}, failures{}, drifted{};
  std::unique_ptr<Reconciler> reconciler{};
};

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
  EXPECT_THAT(run(), ElementsAre("+missing=3", "+wrong=2", "-orphan"));
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
  high.finish();
  EXPECT_THAT(journal, ElementsAre("+a=1", "+a=2", "+b=1")) << "what is in flight stays";
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(ReconcilerTest, AFailureBacksOffThenResyncs) {
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
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_TRUE(reconciler->settled());
  set<High>("bad", "2");
  run();
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100));
}

TEST_F(ReconcilerTest, BackOffHasALimitAndANewEditHastens) {
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
  set<High>("good", "1");
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100));
  clock.time += milliseconds(100);
  EXPECT_THAT(run(), ElementsAre("+good=1"));
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
  run();
  low.forgets = {"a"};
  set<Low>("a", "1");
  EXPECT_LE(run().size(), 6U);
  EXPECT_THAT(failures, ElementsAre("low: a is still missing after writing it"));
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(100));
  clock.time += milliseconds(100);
  run();
  EXPECT_EQ(reconciler->deadline(), clock.time + milliseconds(200)) << "doubles";
  low.forgets.clear();
  clock.time += milliseconds(200);
  EXPECT_THAT(run(), ElementsAre("+a=1"));
  EXPECT_TRUE(reconciler->settled());
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

TEST_F(ReconcilerTest, FailingTellsCausesFirstAndIsEmptyWhenAllIsWell) {
  low.refuses = {"link"};
  high.refuses = {"r1", "r2"};
  make().start();
  set<High>("r1", "1");
  set<High>("r2", "1");
  set<Low>("link", "1");
  run();
  std::vector<std::string> failing;
  for (const Error& error : reconciler->failing()) failing.push_back(error.message);
  EXPECT_THAT(failing, ElementsAre("low: link: refused", "high: r1: refused", "high: r2: refused"));
  low.refuses.clear();
  high.refuses.clear();
  clock.time += milliseconds(100);
  run();
  EXPECT_TRUE(reconciler->settled());
  EXPECT_THAT(reconciler->failing(), IsEmpty());
}

TEST_F(ReconcilerTest, WhatWaitsForAKindComesOnceThatIsNotFailing) {
  make();
  FakeKernel last;
  last.journal = &journal;
  reconciler->add<Last>(std::make_unique<FakeDriver<Last>>(last),
                        {.stage = 3, .waits_for = {Low::kName}});
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

TEST_F(ReconcilerTest, WhatFailsIsNotHastenedByAStormOfMarks) {
  make().start();
  run();
  high.refuses = {"bad"};
  set<High>("bad", "1");
  run();
  const int reads = high.reads;
  for (int i = 0; i < 1000; ++i) {
    clock.time += milliseconds(10);
    reconciler->mark("high");
    run();
  }
  EXPECT_LE(high.reads - reads, 4 + 10) << "100, 200, 400, 800 ms, then each second";
  high.refuses.clear();
  reconciler->mark("high");
  EXPECT_LE(*reconciler->deadline(), clock.time + milliseconds(1000)) << "but no 30 s";
}

TEST_F(ReconcilerTest, TwoPlansForOneKeyAreABugThatSaysSo) {
  make();
  ASSERT_TRUE(reconciler->merge<Low>("podnet", {{"cni0", "1"}}));
  const auto clash = reconciler->merge<Low>("service", {{"other", "1"}, {"cni0", "2"}});
  EXPECT_EQ(clash.error().message, "service plans low cni0, which podnet holds");
  reconciler->start();
  EXPECT_THAT(run(), ElementsAre("+cni0=1", "+other=1")) << "all but what clashes is taken";
}

TEST_F(ReconcilerTest, DropRemovesAnOwnersEntriesOnly) {
  make().start();
  ASSERT_TRUE(reconciler->merge<Low>("a", {{"1", "x"}, {"2", "x"}}));
  ASSERT_TRUE(reconciler->merge<Low>("b", {{"3", "x"}}));
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
  const auto drift = reconciler->verify().value();
  std::vector<std::string> lines;
  for (const Drift& d : drift)
    lines.push_back(d.kind + " " + d.key + " " + std::string(to_string(d.problem)) + " " +
                    d.desired + "/" + d.actual);
  EXPECT_THAT(lines,
              testing::UnorderedElementsAre("low missing missing 1/", "low different different 1/2",
                                            "low unexpected unexpected /1"));
  EXPECT_THAT(journal, IsEmpty());
}

// Whatever the order of edits, drift, failures and runs: once all is quiet, the kernel is the
// desired table, as a from-scratch resync would make it.
TEST_F(ReconcilerTest, RandomHistoriesEndWhereAResyncWould) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    low = FakeKernel{};
    low.journal = &journal;
    high = FakeKernel{};
    high.journal = &journal;
    make().start();
    std::map<std::string, std::string> model;
    for (int step = 0; step < 60; ++step) {
      const std::string key(1, static_cast<char>('a' + pick(5)));
      const std::string value(1, static_cast<char>('0' + pick(3)));
      switch (pick(6)) {
        case 0:
        case 1:
          set<High>(key, value);
          model[key] = value;
          break;
        case 2:
          remove<High>(key);
          model.erase(key);
          break;
        case 3:
          high.refuses = pick(2) ? std::set<std::string>{key} : std::set<std::string>{};
          break;
        case 4:
          if (high.slow) {
            high.slow = false;
            if (auto finish = std::exchange(high.finish, nullptr)) finish();
          } else {
            high.slow = pick(2) == 0;
          }
          break;
        default:
          clock.time += milliseconds(pick(300));
      }
      if (pick(2)) reconciler->run();
    }
    high.slow = false;
    high.refuses.clear();
    if (auto finish = std::exchange(high.finish, nullptr)) finish();
    for (int i = 0; i < 20 && !reconciler->settled(); ++i) {
      if (const auto next = reconciler->deadline()) clock.time = std::max(clock.time, *next);
      reconciler->run();
    }
    EXPECT_TRUE(reconciler->settled()) << "seed " << seed;
    EXPECT_EQ(high.entries, model) << "seed " << seed;
  }
}

}  // namespace
}  // namespace weft::reconcile
