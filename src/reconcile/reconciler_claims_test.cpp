// SPDX-License-Identifier: Apache-2.0
// Several owners of one key, and tickets.
#include <gmock/gmock.h>

#include "reconcile/reconciler_fixture.h"

namespace weft::reconcile {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ClaimsTest : public ReconcilerTest {
 protected:
  void plan(std::string_view owner, const std::string& key, std::optional<std::string> value) {
    reconciler->merge<Low>(owner, {{key, std::move(value)}});
  }
  // "written", "waiting" or why not.
  std::string outcome(const Ticket& ticket) const {
    const auto outcome = reconciler->outcome(ticket);
    if (!outcome) return "waiting";
    return *outcome ? "written" : outcome->error().message;
  }
};

TEST_F(ClaimsTest, AnEntryStaysWhileAnyoneHoldsIt) {
  make().start();
  plan("podnet", "forwarding", "1");
  plan("services", "forwarding", "1");
  EXPECT_THAT(run(), ElementsAre("+forwarding=1"));
  plan("podnet", "forwarding", std::nullopt);
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_TRUE(reconciler->settled());
  EXPECT_EQ(low.entries.at("forwarding"), "1");
  reconciler->drop("services");
  EXPECT_THAT(run(), ElementsAre("-forwarding"));
}

TEST_F(ClaimsTest, AnotherValueIsAConflictUntilItsHolderGivesItUp) {
  make().start();
  plan("podnet", "cni0", "1");
  run();
  reconciler->merge<Low>("services", {{"other", "1"}, {"cni0", "2"}});
  EXPECT_THAT(run(), ElementsAre("+other=1")) << "all but what clashes is taken";
  EXPECT_THAT(failing(), ElementsAre("low: cni0: services plans 2, podnet holds it as 1"));
  EXPECT_FALSE(reconciler->settled());
  reconciler->drop("podnet");
  EXPECT_THAT(run(), ElementsAre("+cni0=2")) << "without another word of services";
  EXPECT_THAT(failing(), IsEmpty());
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(ClaimsTest, AConflictEndsWhenTheyAgree) {
  make().start();
  plan("a", "k", "1");
  plan("b", "k", "2");
  run();
  EXPECT_EQ(failing().size(), 1U);
  plan("a", "k", "2");
  EXPECT_THAT(run(), ElementsAre("+k=2"));
  EXPECT_TRUE(reconciler->settled());
  plan("a", "k", std::nullopt);
  EXPECT_THAT(run(), IsEmpty()) << "b holds it";
  plan("b", "k", std::nullopt);
  EXPECT_THAT(run(), ElementsAre("-k"));
}

TEST_F(ClaimsTest, BothMayMoveToAnotherValueInOnePass) {
  make().start();
  plan("a", "k", "1");
  plan("b", "k", "1");
  run();
  plan("a", "k", "2");
  plan("b", "k", "2");
  EXPECT_THAT(run(), ElementsAre("+k=2"));
  EXPECT_TRUE(reconciler->settled());
}

TEST_F(ClaimsTest, WhoWaitsMayThinkBetterOfIt) {
  make().start();
  plan("a", "k", "1");
  plan("b", "k", "2");
  run();
  plan("b", "k", std::nullopt);
  EXPECT_TRUE(reconciler->settled());
  plan("a", "k", std::nullopt);
  EXPECT_THAT(run(), ElementsAre("-k"));
}

TEST_F(ClaimsTest, ReplaceIsAllThatTheOwnerPlans) {
  make().start();
  reconciler->merge<Low>("a", {{"goes", "1"}, {"stays", "1"}, {"changes", "1"}, {"shared", "1"}});
  plan("b", "shared", "1");
  run();
  reconciler->replace<Low>("a", {{"stays", "1"}, {"changes", "2"}, {"comes", "1"}});
  EXPECT_THAT(run(), ElementsAre("+changes=2", "+comes=1", "-goes"));
}

// The new stands before the old goes, also where one write would do both.
TEST_F(ClaimsTest, ASwitchOfOwnersAddsBeforeItRemoves) {
  FakeKernel other;
  other.journal = &journal;
  make({}, true);
  reconciler->add<Last>(std::make_shared<FakeDriver<Last>>(other), {.stage = 1, .atomic = true});
  reconciler->start();
  plan("iptables", "rules", "1");
  run();
  reconciler->drop("iptables");
  reconciler->merge<Last>("nftables", {{"rules", "2"}});
  EXPECT_THAT(run(), ElementsAre("+rules=2", "-rules"));
  other.slow = true;
  reconciler->drop("nftables");
  reconciler->merge<Low>("iptables", {{"rules", "3"}});
  low.slow = true;
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_FALSE(other.finish) << "nothing is removed before the new is acknowledged";
  EXPECT_THAT(finish(low), ElementsAre("+rules=3"));
  EXPECT_THAT(finish(other), ElementsAre("-rules"));
}

TEST_F(ClaimsTest, ATicketTellsWhenItsKeysAreInTheKernel) {
  make().start();
  run();
  low.slow = true;
  const Ticket first = reconciler->ticket();
  reconciler->merge<Low>("a", {{"1", "x"}, {"2", "x"}}, first);
  reconciler->merge<High>("a", {{"3", "x"}}, first);
  EXPECT_EQ(outcome(first), "waiting");
  run();
  EXPECT_EQ(outcome(first), "waiting") << "in flight";
  low.slow = false;
  const Ticket second = reconciler->ticket();
  reconciler->merge<Low>("b", {{"2", "x"}}, second);
  EXPECT_EQ(outcome(second), "waiting") << "asked for by the other, and still in flight";
  finish(low);
  EXPECT_EQ(outcome(first), "written");
  EXPECT_EQ(outcome(second), "written");
  EXPECT_EQ(outcome(Ticket()), "written") << "of nothing";
}

TEST_F(ClaimsTest, ATicketTellsWhyNot) {
  make().start();
  run();
  low.refuses = {"bad"};
  const Ticket bad = reconciler->ticket();
  const Ticket good = reconciler->ticket();
  reconciler->merge<Low>("a", {{"bad", "1"}, {"good", "1"}}, bad);
  reconciler->merge<Low>("b", {{"good", "1"}}, good);
  run();
  EXPECT_EQ(outcome(bad), "low: bad: refused");
  EXPECT_EQ(outcome(good), "written") << "though both were asked for by the other too";
  low.refuses.clear();
  clock.time += milliseconds(100);
  run();
  EXPECT_EQ(outcome(bad), "written");
}

TEST_F(ClaimsTest, ATicketOfAnUnreadableKindAndOfAConflictSaySo) {
  low.unreadable = true;
  make().start();
  Ticket ticket = reconciler->ticket();
  reconciler->merge<Low>("a", {{"k", "1"}}, ticket);
  run();
  EXPECT_EQ(outcome(ticket), "low: read: cannot read");
  low.unreadable = false;
  clock.time += milliseconds(100);
  run();
  EXPECT_EQ(outcome(ticket), "written");
  ticket = reconciler->ticket();
  reconciler->merge<Low>("b", {{"k", "2"}}, ticket);
  run();
  EXPECT_EQ(outcome(ticket), "low: b plans low k, which a holds");
  reconciler->drop("a");
  run();
  EXPECT_EQ(outcome(ticket), "written");
}

TEST_F(ClaimsTest, WhoAsksAgainKeepsItsPlaceAndItsTicket) {
  make().start();
  plan("a", "k", "1");
  run();
  const Ticket ticket = reconciler->ticket();
  reconciler->merge<Low>("b", {{"k", "2"}}, ticket);
  plan("b", "k", "2");
  EXPECT_EQ(outcome(ticket), "low: b plans low k, which a holds");
  reconciler->drop("a");
  run();
  EXPECT_EQ(outcome(ticket), "written");
}

TEST_F(ClaimsTest, ATicketIsOverWhenItsKeyIsAskedOtherwise) {
  make().start();
  run();
  low.refuses = {"k"};
  const Ticket ticket = reconciler->ticket();
  reconciler->merge<Low>("a", {{"k", "1"}}, ticket);
  run();
  EXPECT_THAT(outcome(ticket), HasSubstr("refused"));
  plan("a", "k", "2");
  EXPECT_EQ(outcome(ticket), "written") << "there is nothing left to wait for";
}

TEST_F(ClaimsTest, ATicketWaitsForRemovals) {
  make().start();
  plan("a", "k", "1");
  run();
  low.refuses = {"k"};
  const Ticket ticket = reconciler->ticket();
  reconciler->merge<Low>("a", {{"k", std::nullopt}}, ticket);
  EXPECT_EQ(outcome(ticket), "waiting");
  run();
  EXPECT_EQ(outcome(ticket), "low: k: refused");
  low.refuses.clear();
  clock.time += milliseconds(100);
  run();
  EXPECT_EQ(outcome(ticket), "written");
}

}  // namespace
}  // namespace weft::reconcile
