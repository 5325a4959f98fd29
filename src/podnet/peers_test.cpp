// SPDX-License-Identifier: Apache-2.0
#include "podnet/peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::podnet {
namespace {

using model::Node;
using model::ObjectName;
using tables::FdbKind;
using tables::NeighborKind;
using tables::RouteKind;
using tables::TableChanges;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

Node node(const std::string& name, const std::vector<const char*>& ips,
          const std::vector<const char*>& cidrs) {
  Node made;
  made.name.name = name;
  for (const char* text : ips) made.internal_ips.push_back(ip(text));
  for (const char* text : cidrs) made.pod_cidrs.push_back(Prefix::parse(text).value());
  return made;
}

Config config(const char* transport) {
  return {.node_name = "node1",
          .transport = find_transport(transport),
          .cluster_cidrs = {Prefix::parse("10.244.0.0/16").value(),
                            Prefix::parse("fd00:10:244::/48").value()}};
}

const Underlay kUnderlay{"eth0", 1500, IpAddress::parse("172.31.0.11").value()};
const Node kSelf =
    node("node1", {"172.31.0.11", "fd00:172:31::11"}, {"10.244.1.0/24", "fd00:10:244:1::/64"});
const Node kPeer =
    node("node2", {"172.31.0.12", "fd00:172:31::12"}, {"10.244.2.0/24", "fd00:10:244:2::/64"});

Peers::Nodes with_self(const std::vector<Node>& others) {
  Peers::Nodes nodes{{kSelf.name, kSelf}};
  for (const Node& other : others) nodes.emplace(other.name, other);
  return nodes;
}

Peers peers(const std::vector<Node>& others, const char* transport = "vxlan") {
  return {config(transport), kSelf, with_self(others)};
}

TableChanges changes(const std::vector<Node>& before, const std::vector<Node>& after,
                     const char* transport = "vxlan") {
  Peers known = peers(before, transport);
  std::set<ObjectName> changed;
  for (const auto* nodes : {&before, &after})
    for (const Node& node : *nodes) changed.insert(node.name);
  const PeerChange change = known.update(changed, with_self(after));
  TableChanges out;
  plan_peers(*find_transport(transport), kUnderlay, change.before, change.now, out);
  return out;
}

std::vector<std::string> problems(const Peers& peers) {
  std::vector<std::string> out;
  for (const auto& [node, problems] : peers.problems())
    out.insert(out.end(), problems.begin(), problems.end());
  return out;
}

// "key → value" of every edit of a kind, as an operator would read it.
template <class Kind>
std::vector<std::string> lines(const TableChanges& edits) {
  std::vector<std::string> out;
  for (const auto& edit : edits.of<Kind>())
    out.push_back(edit.value ? Kind::describe(edit.key) + " → " + Kind::describe(*edit.value)
                             : Kind::describe(edit.key) + " gone");
  return out;
}

TEST(PlanPeers, VxlanIsOneRouteAndNeighborAFamilyAndOneFdbEntry) {
  const TableChanges out = changes({}, {kPeer});
  EXPECT_THAT(lines<RouteKind>(out),
              ElementsAre("10.244.2.0/24 → via 10.244.2.0 dev weft.1 onlink",
                          "fd00:10:244:2::/64 → via fd00:10:244:2:: dev weft.1 onlink"));
  EXPECT_THAT(lines<NeighborKind>(out),
              ElementsAre("10.244.2.0 dev weft.1 → lladdr 02:57:ac:1f:00:0c permanent",
                          "fd00:10:244:2:: dev weft.1 → lladdr 02:57:ac:1f:00:0c permanent"));
  EXPECT_THAT(lines<FdbKind>(out), ElementsAre("02:57:ac:1f:00:0c dev weft.1 → dst 172.31.0.12"));
}

TEST(PlanPeers, DirectRoutesGoViaThePeersAddressOfTheFamily) {
  const TableChanges out = changes({}, {kPeer}, "direct");
  EXPECT_THAT(lines<RouteKind>(out),
              ElementsAre("10.244.2.0/24 → via 172.31.0.12 dev eth0",
                          "fd00:10:244:2::/64 → via fd00:172:31::12 dev eth0"));
  EXPECT_THAT(out.of<NeighborKind>(), IsEmpty());
  EXPECT_THAT(out.of<FdbKind>(), IsEmpty());
}

TEST(PlanPeers, APeerThatGoesTakesItsEntriesAlong) {
  const TableChanges out = changes({kPeer}, {});
  EXPECT_THAT(lines<RouteKind>(out), ElementsAre("10.244.2.0/24 gone", "fd00:10:244:2::/64 gone"));
  EXPECT_EQ(out.of<NeighborKind>().size(), 2U);
  EXPECT_THAT(lines<FdbKind>(out), ElementsAre("02:57:ac:1f:00:0c dev weft.1 gone"));
}

TEST(PlanPeers, APeerThatStaysAsItIsIsNotWritten) {
  Node labelled = kPeer;
  labelled.labels["zone"] = "a";
  const TableChanges out = changes({kPeer}, {labelled});
  EXPECT_THAT(out.of<RouteKind>(), IsEmpty());
  EXPECT_THAT(out.of<FdbKind>(), IsEmpty());
}

TEST(PlanPeers, APodCidrThatMovesBetweenNodesIsReplacedNotRemoved) {
  const Node heir = node("node0", {"172.31.0.10"}, {"10.244.2.0/24", "fd00:10:244:2::/64"});
  const TableChanges out = changes({kPeer}, {heir});
  EXPECT_THAT(lines<RouteKind>(out),
              ElementsAre("10.244.2.0/24 → via 10.244.2.0 dev weft.1 onlink",
                          "fd00:10:244:2::/64 → via fd00:10:244:2:: dev weft.1 onlink"));
}

TEST(PlanPeers, AnInternalIpOfTwoNodesKeepsItsFdbEntryWhenOneGoes) {
  const Node twin = node("node3", {"172.31.0.12"}, {"10.244.3.0/24"});
  EXPECT_THAT(lines<FdbKind>(changes({}, {kPeer, twin})),
              ElementsAre("02:57:ac:1f:00:0c dev weft.1 → dst 172.31.0.12"));
  EXPECT_THAT(lines<FdbKind>(changes({kPeer, twin}, {twin})), IsEmpty());
  EXPECT_THAT(lines<FdbKind>(changes({kPeer, twin}, {kPeer})), IsEmpty());
}

struct ProblemCase {
  const char* what;
  const char* transport;
  std::vector<Node> others;
  std::vector<std::string> routes;  // destination and next hop's link or address
  std::vector<std::string> problems;
};

class ProblemNodes : public testing::TestWithParam<ProblemCase> {};

TEST_P(ProblemNodes, AreNamedAndTheOthersRouted) {
  const ProblemCase& expected = GetParam();
  SCOPED_TRACE(expected.what);
  EXPECT_THAT(lines<RouteKind>(changes({}, expected.others, expected.transport)),
              UnorderedElementsAreArray(expected.routes));
  EXPECT_EQ(problems(peers(expected.others, expected.transport)), expected.problems);
}

constexpr const char* kVxlan = "vxlan";
constexpr const char* kDirect = "direct";

INSTANTIATE_TEST_SUITE_P(
    Table, ProblemNodes,
    testing::Values(
        ProblemCase{"no pod CIDR yet", kVxlan, {node("a", {"172.31.0.13"}, {})}, {}, {}},
        ProblemCase{"the same pod CIDR: the first by name",
                    kDirect,
                    {node("b", {"172.31.0.14"}, {"10.244.3.0/24"}),
                     node("a", {"172.31.0.13"}, {"10.244.3.0/24"})},
                    {"10.244.3.0/24 → via 172.31.0.13 dev eth0"},
                    {"node b: spec.podCIDRs: 10.244.3.0/24 is not routed: it overlaps "
                     "10.244.3.0/24 of node a"}},
        ProblemCase{"a smaller one within",
                    kDirect,
                    {node("a", {"172.31.0.13"}, {"10.244.2.0/23"}),
                     node("b", {"172.31.0.14"}, {"10.244.3.0/24", "10.244.4.0/24"})},
                    {"10.244.2.0/23 → via 172.31.0.13 dev eth0",
                     "10.244.4.0/24 → via 172.31.0.14 dev eth0"},
                    {"node b: spec.podCIDRs: 10.244.3.0/24 is not routed: it overlaps "
                     "10.244.2.0/23 of node a"}},
        ProblemCase{"a larger one around",
                    kDirect,
                    {node("a", {"172.31.0.13"}, {"10.244.3.0/24"}),
                     node("b", {"172.31.0.14"}, {"10.244.2.0/23"})},
                    {"10.244.3.0/24 → via 172.31.0.13 dev eth0"},
                    {"node b: spec.podCIDRs: 10.244.2.0/23 is not routed: it overlaps "
                     "10.244.3.0/24 of node a"}},
        ProblemCase{"what is refused is in nobody's way",
                    kDirect,
                    {node("a", {"172.31.0.13"}, {"10.244.3.0/24"}),
                     node("b", {"172.31.0.14"}, {"10.244.2.0/23"}),
                     node("c", {"172.31.0.15"}, {"10.244.2.0/24"})},
                    {"10.244.3.0/24 → via 172.31.0.13 dev eth0",
                     "10.244.2.0/24 → via 172.31.0.15 dev eth0"},
                    {"node b: spec.podCIDRs: 10.244.2.0/23 is not routed: it overlaps "
                     "10.244.3.0/24 of node a"}},
        ProblemCase{"this node's own, whatever the name",
                    kVxlan,
                    {node("a", {"172.31.0.13"}, {"10.244.1.0/24", "fd00:10:244:3::/64"})},
                    {"fd00:10:244:3::/64 → via fd00:10:244:3:: dev weft.1 onlink"},
                    {"node a: spec.podCIDRs: 10.244.1.0/24 is not routed: it overlaps "
                     "10.244.1.0/24 of this node"}},
        ProblemCase{"twice in one Node",
                    kDirect,
                    {node("a", {"172.31.0.13"}, {"10.244.3.0/24", "10.244.3.128/25"})},
                    {"10.244.3.0/24 → via 172.31.0.13 dev eth0"},
                    {"node a: spec.podCIDRs: 10.244.3.128/25 is not routed: it overlaps "
                     "10.244.3.0/24 of node a"}},
        ProblemCase{"outside clusterCIDRs, and in nobody's way",
                    kVxlan,
                    {node("a", {"172.31.0.13"},
                          {"172.31.0.0/17", "10.0.0.0/8", "2000::/3", "10.244.3.0/24"}),
                     node("b", {"172.31.0.14"}, {"10.244.4.0/24"})},
                    {"10.244.3.0/24 → via 10.244.3.0 dev weft.1 onlink",
                     "10.244.4.0/24 → via 10.244.4.0 dev weft.1 onlink"},
                    {"node a: spec.podCIDRs: 172.31.0.0/17 is not routed: it is outside "
                     "clusterCIDRs of the configuration",
                     "node a: spec.podCIDRs: 10.0.0.0/8 is not routed: it is outside clusterCIDRs "
                     "of the configuration",
                     "node a: spec.podCIDRs: 2000::/3 is not routed: it is outside clusterCIDRs of "
                     "the configuration"}},
        ProblemCase{"an InternalIP among pods takes nobody's pod CIDR away",
                    kVxlan,
                    {node("a", {"10.244.4.5"}, {"10.244.3.0/24"}),
                     node("b", {"172.31.0.14"}, {"10.244.4.0/24"})},
                    {"10.244.4.0/24 → via 10.244.4.0 dev weft.1 onlink"},
                    {"node a: status.addresses: 10.244.4.5 is within 10.244.0.0/16, where pods "
                     "are: 10.244.3.0/24 cannot be reached"}},
        ProblemCase{"this node's InternalIP",
                    kVxlan,
                    {node("a", {"172.31.0.11"}, {"10.244.3.0/24", "fd00:10:244:3::/64"})},
                    {},
                    {"node a: status.addresses: 172.31.0.11 is the InternalIP of this node too; "
                     "nothing is routed to it"}},
        ProblemCase{"another's InternalIP",
                    kVxlan,
                    {node("a", {"172.31.0.13"}, {"10.244.3.0/24"}),
                     node("b", {"172.31.0.13"}, {"10.244.4.0/24"})},
                    {"10.244.3.0/24 → via 10.244.3.0 dev weft.1 onlink",
                     "10.244.4.0/24 → via 10.244.4.0 dev weft.1 onlink"},
                    {"node b: status.addresses: 172.31.0.13 is the InternalIP of node a too"}},
        ProblemCase{"no InternalIP at all",
                    kVxlan,
                    {node("a", {}, {"10.244.3.0/24", "fd00:10:244:3::/64"})},
                    {},
                    {"node a: status.addresses: no InternalIP is IPv4: 10.244.3.0/24, "
                     "fd00:10:244:3::/64 cannot be reached"}},
        ProblemCase{"VXLAN needs the IPv4 one",
                    kVxlan,
                    {node("a", {"fd00:172:31::13"}, {"fd00:10:244:3::/64"})},
                    {},
                    {"node a: status.addresses: no InternalIP is IPv4: fd00:10:244:3::/64 cannot "
                     "be reached"}},
        ProblemCase{"direct routes need one of the family",
                    kDirect,
                    {node("a", {"172.31.0.13"}, {"10.244.3.0/24", "fd00:10:244:3::/64"})},
                    {"10.244.3.0/24 → via 172.31.0.13 dev eth0"},
                    {"node a: status.addresses: no InternalIP is IPv6: fd00:10:244:3::/64 cannot "
                     "be reached"}},
        ProblemCase{"addresses that are no node's",
                    kDirect,
                    {node("a", {"127.0.0.1", "ff02::1"}, {"10.244.3.0/24", "fd00:10:244:3::/64"}),
                     node("b", {"0.0.0.0", "::"}, {"10.244.4.0/24", "fd00:10:244:4::/64"})},
                    {},
                    {"node a: status.addresses: 127.0.0.1 is no node's InternalIP: 10.244.3.0/24 "
                     "cannot be reached",
                     "node a: status.addresses: ff02::1 is no node's InternalIP: "
                     "fd00:10:244:3::/64 cannot be reached",
                     "node b: status.addresses: 0.0.0.0 is no node's InternalIP: 10.244.4.0/24 "
                     "cannot be reached",
                     "node b: status.addresses: :: is no node's InternalIP: fd00:10:244:4::/64 "
                     "cannot be reached"}}));

struct SharedCase {
  const char* what;
  Node other;
  std::vector<std::string> routes;
  std::vector<std::string> problems;
};

// Nodes and pods in one cluster CIDR, as a configuration with 172.16.0.0/12 has it.
class SharedClusterCidr : public testing::TestWithParam<SharedCase> {};

TEST_P(SharedClusterCidr, IsThePodsButForTheNodesAddresses) {
  const SharedCase& expected = GetParam();
  SCOPED_TRACE(expected.what);
  Config shared = config("vxlan");
  shared.cluster_cidrs = {Prefix::parse("172.16.0.0/12").value()};
  const Node self = node("node1", {"172.31.0.11"}, {"172.16.1.0/24"});
  const Node twin = node("node2", {"172.31.0.12", "172.30.0.12"}, {"172.16.2.0/24"});
  const Peers found(shared, self,
                    {{self.name, self}, {twin.name, twin}, {expected.other.name, expected.other}});
  TableChanges out;
  plan_peers(*shared.transport, kUnderlay, {}, found.routes(), out);
  EXPECT_THAT(lines<RouteKind>(out), UnorderedElementsAreArray(expected.routes));
  EXPECT_EQ(problems(found), expected.problems);
}

const std::string kTwinsRoute = "172.16.2.0/24 → via 172.16.2.0 dev weft.1 onlink";

INSTANTIATE_TEST_SUITE_P(
    Table, SharedClusterCidr,
    testing::Values(
        SharedCase{"a pod CIDR apart from them",
                   node("a", {"172.31.0.13"}, {"172.16.3.0/24"}),
                   {"172.16.3.0/24 → via 172.16.3.0 dev weft.1 onlink", kTwinsRoute},
                   {}},
        SharedCase{"this node's",
                   node("a", {"192.168.0.13"}, {"172.31.0.8/29"}),
                   {kTwinsRoute},
                   {"node a: spec.podCIDRs: 172.31.0.8/29 is not routed: it contains 172.31.0.11, "
                    "an InternalIP of this node"}},
        SharedCase{"another's, be it one that nothing is sent to",
                   node("a", {"172.31.0.13"}, {"172.30.0.0/24"}),
                   {kTwinsRoute},
                   {"node a: spec.podCIDRs: 172.30.0.0/24 is not routed: it contains 172.30.0.12, "
                    "an InternalIP of node node2"}},
        SharedCase{"its own",
                   node("a", {"172.29.0.13"}, {"172.29.0.0/24"}),
                   {kTwinsRoute},
                   {"node a: spec.podCIDRs: 172.29.0.0/24 is not routed: it contains 172.29.0.13, "
                    "an InternalIP of node a"}},
        SharedCase{"an InternalIP among this node's pods",
                   node("a", {"172.16.1.5"}, {"172.16.3.0/24"}),
                   {kTwinsRoute},
                   {"node a: status.addresses: 172.16.1.5 is within 172.16.1.0/24, where pods are: "
                    "172.16.3.0/24 cannot be reached"}}));

}  // namespace
}  // namespace weft::podnet
