// SPDX-License-Identifier: Apache-2.0
// Services among the features: what is planned of them follows the Services, and this node's and
// the other Nodes' addresses.
#include "agent/features_fixture.h"

namespace weft::agent {
namespace {

using model::Node;
using tables::FileKind;

TEST_F(FeaturesTest, ServicesFollowTheirChanges) {
  state_.upsert(service("dns", "10.96.0.10"));
  ASSERT_TRUE(update());
  state_.remove(model::key<model::Service>({"default", "dns"}));
  state_.upsert(service("web", "10.96.0.20"));
  ASSERT_TRUE(update());
  EXPECT_EQ(reconciler_.find<FileKind>("10.96.0.10:53/UDP"), nullptr);
  EXPECT_NE(reconciler_.find<FileKind>("10.96.0.20:53/UDP"), nullptr);
}

// A Service CIDR that is this node's network would cut it off.
TEST_F(FeaturesTest, NothingIsDroppedWhereThisNodeIs) {
  config_.service_cidrs = {prefix("10.96.0.0/16"), prefix("172.31.0.0/16")};
  make();
  state_.upsert(service("dns", "10.96.0.10"));
  state_.upsert(slice("dns", "10.244.1.2"));
  ASSERT_TRUE(update());
  EXPECT_EQ(rendered(), (std::set<std::string>{"10.96.0.0/16", "10.96.0.10:53/UDP", "base"}));
  EXPECT_EQ(problems(),
            std::set<std::string>{"configuration: spec.serviceCIDRs: 172.31.0.0/16 contains "
                                  "172.31.0.11, this node's InternalIP: what is sent to an address "
                                  "in it that no Service has is not dropped"});
  served_ = 0;

  Node moved = node("1");
  moved.internal_ips = {ip("192.168.0.11"), ip("10.96.1.1")};
  state_.upsert(moved);
  state_.upsert(service("web", "10.96.0.20"));
  state_.upsert(slice("web", "10.244.1.3"));
  ASSERT_TRUE(update());
  EXPECT_EQ(rendered(), (std::set<std::string>{"10.96.0.10:53/UDP", "10.96.0.20:53/UDP",
                                               "172.31.0.0/16", "base"}));
  EXPECT_EQ(served_, 1U);  // planned anew is not changed
  EXPECT_EQ(problems().size(), 1U);
}

TEST_F(FeaturesTest, NoServiceTakesTheAddressOfANodeNorANodeThatOfAService) {
  config_.service_cidrs = {prefix("10.96.0.0/16")};
  make();
  state_.upsert(service("dns", "10.96.0.10"));
  state_.upsert(service("own", "172.31.0.11"));
  state_.upsert(service("peer", "172.31.0.14"));
  ASSERT_TRUE(update());
  EXPECT_EQ(rendered(), (std::set<std::string>{"10.96.0.0/16", "10.96.0.10:53/UDP",
                                               "172.31.0.14:53/UDP", "base"}));
  Node peer = node("4");
  peer.internal_ips.push_back(ip("10.96.0.10"));
  state_.upsert(peer);
  ASSERT_TRUE(update());
  EXPECT_EQ(rendered(), (std::set<std::string>{"10.96.0.0/16", "10.96.0.10:53/UDP", "base"}));
  state_.remove(model::key<model::Node>({"", "node4"}));
  ASSERT_TRUE(update());
  EXPECT_TRUE(rendered().contains("172.31.0.14:53/UDP"));
}

// What somebody else put beside it is told once, and loses nothing.
TEST_F(FeaturesTest, WhatIsUnderstoodOfWhatWasLeftIsTakenOver) {
  auto kernel = tables::KernelTables::open({}).value();
  state_.upsert(service("dns", "10.96.0.10"));
  state_.upsert(slice("dns", "10.244.1.2"));
  left_->foreign = {"services { x }: drop", "services { y }: drop"};
  model::add_with_own_pool(
      left_->services, {ip("10.96.0.10"), model::Protocol::kUdp, 53},
      {.kind = model::FrontendKind::kClusterIp, .backends = {{ip("10.244.1.2"), 53, false}}});
  make();
  features_->take_over(kernel);
  ASSERT_TRUE(update());
  EXPECT_EQ(served_, 0U) << "it was so before";
  EXPECT_EQ(new_problems(),
            std::vector<std::string>{
                "what an earlier agent left: services { x }: drop, and 1 more, is nothing that "
                "this agent writes"});
  EXPECT_EQ(problems(), std::set<std::string>());
}

TEST_F(FeaturesTest, ThatNothingCouldBeTakenOverIsTold) {
  auto kernel = tables::KernelTables::open({}).value();
  left_ = fail("no memory");
  make();
  features_->take_over(kernel);
  ASSERT_TRUE(update());
  EXPECT_EQ(new_problems(),
            std::vector<std::string>{"what an earlier agent left could not be read: no memory"});
}

}  // namespace
}  // namespace weft::agent
