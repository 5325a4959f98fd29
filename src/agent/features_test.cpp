// SPDX-License-Identifier: Apache-2.0
#include "agent/features.h"

#include <rapidcheck.h>

#include "agent/features_fixture.h"

namespace weft::agent {
namespace {

using model::Node;
using tables::FdbKind;
using tables::FileKind;
using tables::LinkKind;
using tables::RouteKind;

TEST_F(FeaturesTest, FirstUpdatePlansNodePeersAndServices) {
  state_.upsert(service("dns", "10.96.0.10"));
  ASSERT_TRUE(update());
  EXPECT_NE(reconciler_.find<LinkKind>("cni0"), nullptr);
  EXPECT_TRUE(has_route("10.244.2.0/24"));
  EXPECT_TRUE(has_route("10.244.3.0/24"));
  EXPECT_FALSE(has_route("10.244.1.0/24"));
  EXPECT_NE(reconciler_.find<FileKind>("base"), nullptr);
  EXPECT_NE(reconciler_.find<FileKind>("10.96.0.10:53/UDP"), nullptr);
  EXPECT_TRUE(says("Peers", "2"));
}

TEST_F(FeaturesTest, PeersComeChangeAndGo) {
  ASSERT_TRUE(update());
  state_.upsert(node("4"));
  Node moved = node("2");
  moved.pod_cidrs = {prefix("10.244.22.0/24")};
  state_.upsert(moved);
  state_.remove(model::key<model::Node>({"", "node3"}));
  ASSERT_TRUE(update());
  EXPECT_TRUE(has_route("10.244.4.0/24"));
  EXPECT_TRUE(has_route("10.244.22.0/24"));
  EXPECT_FALSE(has_route("10.244.2.0/24"));
  EXPECT_FALSE(has_route("10.244.3.0/24"));
  EXPECT_TRUE(says("Peers", "2"));
}

struct FreshFeatures final : FeaturesTest {
  explicit FreshFeatures(const char* transport = "vxlan",
                         const std::vector<Prefix>& more_cluster_cidrs = {}) {
    config_.pod_network.transport = transport;
    config_.cluster_cidrs.insert(config_.cluster_cidrs.end(), more_cluster_cidrs.begin(),
                                 more_cluster_cidrs.end());
    make();
  }
  void TestBody() override {}
  using FeaturesTest::features_;
  using FeaturesTest::keys;
  using FeaturesTest::problems;
  using FeaturesTest::reconciler_;
  using FeaturesTest::state_;
  using FeaturesTest::underlay_;
  Result<> plan() { return update(); }

  std::vector<std::string> podnet_entries() {
    std::vector<std::string> out;
    append<tables::NeighborKind>(out);
    append<FdbKind>(out);
    append<RouteKind>(out);
    return out;
  }

 private:
  template <class Kind>
  void append(std::vector<std::string>& out) {
    reconciler_.each<Kind>([&](const auto& key, const auto& value) {
      out.push_back(Kind::describe(key) + " " + Kind::describe(value));
    });
    std::sort(out.begin(), out.end());
  }
};

// Addresses and pod CIDRs from so few that the Nodes contradict each other.
Node random_node() {
  Node made;
  made.name.name = *rc::gen::element<std::string>("node0", "node1", "node2", "node3", "node4");
  if (made.name.name == "node1") {  // this one
    made.internal_ips = {ip("172.31.0.11")};
    made.pod_cidrs = {prefix(*rc::gen::element("10.244.1.0/24", "10.244.2.0/24"))};
    return made;
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    made.internal_ips.push_back(
        ip(*rc::gen::element("172.31.0.11", "172.31.0.12", "172.31.0.13", "172.31.0.64",
                             "10.244.2.1", "fd00::12", "fd00::13", "127.0.0.1")));
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    made.pod_cidrs.push_back(
        prefix(*rc::gen::element("10.244.1.0/24", "10.244.2.0/23", "10.244.2.0/24", "10.244.3.0/24",
                                 "10.244.3.64/26", "172.31.0.12/31", "172.31.0.64/26",
                                 "fd00:10:244:2::/64", "fd00:10:244:2::/63", "2000::/3")));
  return made;
}

// The tables and the problems are those of the Nodes there are, whatever came and went before.
TEST_F(FeaturesTest, TablesAreAFunctionOfTheNodes) {
  EXPECT_TRUE(rc::check([] {
    const char* const transport = *rc::gen::element("vxlan", "direct");
    // Of pods alone, or shared with the nodes.
    const std::vector<Prefix> more(*rc::gen::inRange(0U, 2U), prefix("172.31.0.0/24"));
    FreshFeatures incremental(transport, more);
    for (int step = 0; step < 40; ++step) {
      const Node node = random_node();
      if (node.name.name != "node1" && *rc::gen::inRange(0, 3) == 0)
        incremental.state_.remove(model::key<model::Node>(node.name));
      else
        incremental.state_.upsert(node);
      RC_ASSERT(incremental.plan().has_value());

      FreshFeatures fresh(transport, more);
      fresh.state_ = incremental.state_;
      RC_ASSERT(fresh.plan().has_value());
      RC_ASSERT(incremental.podnet_entries() == fresh.podnet_entries());
      RC_ASSERT(incremental.problems() == fresh.problems());
    }
  }));
}

// F7: of what did not change nothing is planned, and a Node costs that Node.
TEST_F(FeaturesTest, WhatDidNotChangeIsNotPlanned) {
  for (int i = 1; i <= 20; ++i)
    state_.upsert(
        service(("s" + std::to_string(i)).c_str(), ("10.96.0." + std::to_string(i)).c_str()));
  ASSERT_TRUE(update());
  EXPECT_GT(planned(), 20U);

  Node self = node("1");
  self.labels["zone"] = "a";
  state_.upsert(self);
  ASSERT_TRUE(update());
  EXPECT_EQ(planned(), 0U);

  Node peer = node("2");
  peer.labels["zone"] = "b";
  state_.upsert(peer);
  ASSERT_TRUE(update());
  EXPECT_EQ(planned(), 0U);

  peer.pod_cidrs = {prefix("10.244.22.0/24")};
  state_.upsert(peer);
  ASSERT_TRUE(update());
  EXPECT_EQ(planned(), 4U);  // a route and a neighbor go, two come

  state_.upsert(node("4"));
  ASSERT_TRUE(update());
  EXPECT_EQ(planned(), 3U);  // and an FDB entry

  state_.upsert(service("s21", "10.96.0.21"));
  ASSERT_TRUE(update());
  EXPECT_EQ(planned(), 1U);

  underlay_.mtu = 9000;
  ASSERT_TRUE(update());
  EXPECT_GT(planned(), 10U);
  const std::vector<PlanCounts> counts = features_->counts();
  EXPECT_EQ(counts.at(1).owner, "services");
  EXPECT_EQ(counts.at(1).plans, 4U);  // at first, for two Nodes and a Service; no underlay
}

// What the kernel refuses of the pod network holds up nothing that waits for Services.
TEST_F(FeaturesTest, EachThatPlansHasATicketOfItsOwn) {
  EXPECT_EQ(tickets().size(), 2U);
  EXPECT_TRUE(tickets().empty());
  state_.upsert(service("dns", "10.96.0.10"));
  EXPECT_EQ(tickets().size(), 1U);

  reconciler_.start();
  reconciler_.run();
  refused_ = RouteKind::kName;
  state_.upsert(node("4"));
  state_.upsert(service("web", "10.96.0.20"));
  const auto both = tickets();
  ASSERT_EQ(both.size(), 2U);
  reconciler_.run();
  EXPECT_FALSE(reconciler_.outcome(*both[0]).value());
  EXPECT_TRUE(reconciler_.outcome(*both[1]).value());
}

TEST_F(FeaturesTest, AProblemIsNewOnceAndGoesWithItsCause) {
  Node twin = node("3");
  twin.pod_cidrs = node("2").pod_cidrs;
  state_.upsert(twin);
  ASSERT_TRUE(update());
  const std::string problem =
      "node node3: spec.podCIDRs: 10.244.2.0/24 is not routed: it overlaps 10.244.2.0/24 of node "
      "node2";
  EXPECT_EQ(new_problems(), std::vector<std::string>{problem});
  state_.upsert(node("4"));
  ASSERT_TRUE(update());
  EXPECT_TRUE(new_problems().empty());
  EXPECT_EQ(problems(), std::set<std::string>{problem});

  state_.remove(model::key<model::Node>({"", "node2"}));
  ASSERT_TRUE(update());
  EXPECT_TRUE(problems().empty());
  EXPECT_TRUE(has_route("10.244.2.0/24"));
}

// A new pod CIDR or InternalIP of this node is a plan from scratch: nothing of the old one stays.
TEST_F(FeaturesTest, OwnNodeThatChangesIsPlannedAnew) {
  ASSERT_TRUE(update());
  Node self = node("1");
  self.pod_cidrs = {prefix("10.244.11.0/24")};
  state_.upsert(self);
  underlay_ = {.link = "eth1", .mtu = 9000, .address = ip("172.31.0.99")};
  ASSERT_TRUE(update());

  FreshFeatures fresh;
  fresh.underlay_ = underlay_;
  fresh.state_.upsert(self);
  ASSERT_TRUE(fresh.plan());
  EXPECT_EQ(keys<tables::AddressKind>(), fresh.keys<tables::AddressKind>());
  EXPECT_EQ(keys<RouteKind>(), fresh.keys<RouteKind>());
  EXPECT_EQ(*reconciler_.find<LinkKind>("cni0"), *fresh.reconciler_.find<LinkKind>("cni0"));
  EXPECT_EQ(reconciler_.find<LinkKind>("cni0")->mtu, 8950U);
}

TEST_F(FeaturesTest, PlanThatFailsKeepsWhatStandsAndFollowsTheRest) {
  ASSERT_TRUE(update());
  const auto addresses = keys<tables::AddressKind>();
  Node self = node("1");
  self.pod_cidrs.clear();
  state_.upsert(self);
  state_.upsert(node("4"));
  state_.upsert(service("web", "10.96.0.20"));
  const auto failed = update();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "node node1: spec.podCIDRs is empty");
  EXPECT_EQ(keys<tables::AddressKind>(), addresses);
  EXPECT_TRUE(has_route("10.244.4.0/24"));
  EXPECT_NE(reconciler_.find<FileKind>("10.96.0.20:53/UDP"), nullptr);

  state_.upsert(node("1"));
  EXPECT_TRUE(update());
}

TEST_F(FeaturesTest, FirstPlanThatFailsPlansNothing) {
  Node self = node("1");
  self.pod_cidrs.clear();
  state_.upsert(self);
  state_.upsert(service("dns", "10.96.0.10"));
  EXPECT_FALSE(update());
  EXPECT_FALSE(features_->has_planned());
  EXPECT_TRUE(keys<RouteKind>().empty());
  state_.upsert(node("1"));
  EXPECT_TRUE(update());
  EXPECT_TRUE(has_route("10.244.2.0/24"));
  EXPECT_NE(reconciler_.find<FileKind>("10.96.0.10:53/UDP"), nullptr);
}

}  // namespace
}  // namespace weft::agent
