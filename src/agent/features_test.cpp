// SPDX-License-Identifier: Apache-2.0
#include "agent/features.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "agent/pod_network_feature.h"
#include "agent/services_feature.h"
#include "tables/names.h"

namespace weft::agent {
namespace {

using model::Node;
using model::ObjectName;
using tables::FdbKind;
using tables::FileKind;
using tables::LinkKind;
using tables::RouteKind;
using tables::SysctlKind;

// A kernel that is never asked: these tests look at the desired tables only.
template <class Kind>
class NoDriver final : public reconcile::PromptDriver<Kind> {
 public:
  Result<typename Kind::Table> read() override { return typename Kind::Table(); }
  void write(const reconcile::Changes<Kind>&, const reconcile::Desired<Kind>&,
             reconcile::WriteDone<Kind> done) override {
    done({});
  }
};

// Renders a frontend as a file named after it, so that what is planned can be seen.
class FakeBackend final : public service::ServiceBackend {
 public:
  std::string_view name() const override { return "fake"; }
  void plan_base(const service::ServiceContext& context, tables::TableChanges& out) override {
    out.set<FileKind>("base", std::to_string(context.families.size()));
    for (const Prefix& cidr : context.service_cidrs) out.set<FileKind>(cidr.to_string(), "dropped");
  }
  void plan(const model::ServiceTable& table, const model::ServiceDelta& changed,
            tables::TableChanges& out) override {
    for (const model::FrontendChange& change : changed.frontends) {
      if (change.current)
        out.set<FileKind>(change.frontend.to_string(),
                          std::to_string(table.backends_of(*change.current).size()));
      else
        out.remove<FileKind>(change.frontend.to_string());
    }
  }
  Result<model::ServiceTable> interpret(tables::KernelTables&) const override {
    return fail("not asked for");
  }
};

struct FakeClock final : Clock {
  TimePoint now() const override { return {}; }
};

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
Prefix prefix(const char* text) { return *Prefix::parse(text); }

class FeaturesTest : public testing::Test {
 protected:
  FeaturesTest() {
    tables::TableChanges().each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>&) {
      tables_.add<Kind>(std::make_shared<NoDriver<Kind>>(), {});
    });
    config_.node_name = "node1";
    config_.cluster_cidrs = {prefix("10.244.0.0/16"), prefix("fd00:10:244::/48")};
    for (const char* n : {"1", "2", "3"}) state_.upsert(node(n));
    make();
  }

  static Node node(const std::string& number) {
    Node made;
    made.name.name = "node" + number;
    made.internal_ips = {ip(("172.31.0.1" + number).c_str())};
    made.pod_cidrs = {prefix(("10.244." + number + ".0/24").c_str())};
    return made;
  }

  static model::EndpointSlice slice(const char* service, const char* address) {
    model::EndpointSlice made;
    made.name = {"default", service};
    made.service_name = service;
    made.endpoints = {{{ip(address)}, true, true, false, ""}};
    made.ports = {{"", model::Protocol::kUdp, 53}};
    return made;
  }

  static model::Service service(const char* name, const char* cluster_ip) {
    model::Service made;
    made.name = {"default", name};
    made.cluster_ips = {ip(cluster_ip)};
    made.ports = {{"", model::Protocol::kUdp, 53, 0}};
    return made;
  }

  void make() {
    Features::List list;
    list.push_back(std::make_unique<PodNetworkFeature>(config_));
    list.push_back(std::make_unique<ServicesFeature>(
        config_, std::make_unique<FakeBackend>(),
        [this](const service::UdpFlows& flows) { served_ += flows.served.size(); }));
    features_.emplace(std::move(list));
  }

  Result<> update() { return update(state_.nodes().at({"", "node1"})); }
  Result<> update(const Node& self) {
    return features_->update(state_, state_.take_changes(), self, underlay_, tables_);
  }

  template <class Kind>
  std::vector<std::string> keys() {
    std::vector<std::string> out;
    tables_.each<Kind>([&](const auto& key, const auto&) { out.push_back(Kind::describe(key)); });
    std::sort(out.begin(), out.end());
    return out;
  }
  // What the FakeBackend made.
  std::set<std::string> rendered() {
    std::set<std::string> out;
    tables_.each<FileKind>([&](const std::string& key, const auto&) {
      if (!key.starts_with('/')) out.insert(key);
    });
    return out;
  }
  std::set<std::string> problems() {
    const std::vector<std::string> all = features_->problems();
    return {all.begin(), all.end()};
  }
  std::vector<std::string> new_problems() {
    std::vector<std::string> out;
    for (const auto& [owner, text] : features_->take_new_problems()) out.push_back(text);
    return out;
  }
  // How many entries were planned since the last call.
  std::uint64_t planned() {
    std::uint64_t now = 0;
    for (const PlanCounts& counts : features_->counts()) now += counts.entries;
    return now - std::exchange(planned_before_, now);
  }
  bool says(std::string_view title, std::string_view text) {
    for (const StatusSection& section : features_->status(state_))
      for (const StatusLine& line : section.lines)
        if (line.title == title) return line.text == text;
    return false;
  }
  bool has_route(const char* destination) {
    return tables_.find<RouteKind>({prefix(destination), 0}) != nullptr;
  }

  FakeClock clock_{};
  reconcile::Reconciler tables_{clock_, {}};
  Config config_{};
  model::ClusterState state_{};
  podnet::Underlay underlay_{.link = "eth0", .mtu = 1500, .address = ip("172.31.0.11")};
  std::optional<Features> features_{};
  std::size_t served_ = 0;  // UDP flows, told
  std::uint64_t planned_before_ = 0;
};

TEST_F(FeaturesTest, FirstUpdatePlansNodePeersAndServices) {
  state_.upsert(service("dns", "10.96.0.10"));
  ASSERT_TRUE(update());
  EXPECT_NE(tables_.find<LinkKind>("cni0"), nullptr);
  EXPECT_TRUE(has_route("10.244.2.0/24"));
  EXPECT_TRUE(has_route("10.244.3.0/24"));
  EXPECT_FALSE(has_route("10.244.1.0/24"));
  EXPECT_NE(tables_.find<FileKind>("base"), nullptr);
  EXPECT_NE(tables_.find<FileKind>("10.96.0.10:53/UDP"), nullptr);
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

TEST_F(FeaturesTest, ServicesFollowTheirChanges) {
  state_.upsert(service("dns", "10.96.0.10"));
  ASSERT_TRUE(update());
  state_.remove(model::key<model::Service>({"default", "dns"}));
  state_.upsert(service("web", "10.96.0.20"));
  ASSERT_TRUE(update());
  EXPECT_EQ(tables_.find<FileKind>("10.96.0.10:53/UDP"), nullptr);
  EXPECT_NE(tables_.find<FileKind>("10.96.0.20:53/UDP"), nullptr);
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
  using FeaturesTest::state_;
  using FeaturesTest::tables_;
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
    tables_.each<Kind>([&](const auto& key, const auto& value) {
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
  EXPECT_EQ(*tables_.find<LinkKind>("cni0"), *fresh.tables_.find<LinkKind>("cni0"));
  EXPECT_EQ(tables_.find<LinkKind>("cni0")->mtu, 8950U);
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
  EXPECT_NE(tables_.find<FileKind>("10.96.0.20:53/UDP"), nullptr);

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
  EXPECT_NE(tables_.find<FileKind>("10.96.0.10:53/UDP"), nullptr);
}

}  // namespace
}  // namespace weft::agent
