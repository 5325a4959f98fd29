// SPDX-License-Identifier: Apache-2.0
#include "podnet/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "podnet/addresses.h"
#include "tables/names.h"

namespace weft::podnet {
namespace {

using tables::TableChanges;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Prefix cidr(const char* text) { return Prefix::parse(text).value(); }

model::Node node(const std::string& name, std::vector<IpAddress> ips, std::vector<Prefix> cidrs) {
  model::Node made;
  made.name.name = name;
  made.internal_ips = std::move(ips);
  made.pod_cidrs = std::move(cidrs);
  return made;
}

Config config(const char* transport = "vxlan") {
  return {.node_name = "node1",
          .transport = find_transport(transport),
          .cluster_cidrs = {cidr("10.244.0.0/16"), cidr("fd00:10:244::/48")},
          .cni_configuration_directory = "/etc/cni/net.d"};
}

const Underlay kUnderlay{"eth0", 1500, IpAddress::parse("172.31.0.11").value()};

// "key → value" of every edit of a kind, as an operator would read it.
template <class Kind>
std::vector<std::string> lines(const TableChanges& changes) {
  std::vector<std::string> out;
  for (const auto& edit : changes.of<Kind>())
    out.push_back(edit.value ? Kind::describe(edit.key) + " → " + Kind::describe(*edit.value)
                             : Kind::describe(edit.key) + " gone");
  return out;
}

TEST(PodMtu, ComesFromTheUnderlay) {
  EXPECT_EQ(pod_mtu(config(), kUnderlay), 1450);
  EXPECT_EQ(pod_mtu(config("direct"), kUnderlay), 1500);
  Config fixed = config();
  fixed.mtu = 1400;
  EXPECT_EQ(pod_mtu(fixed, kUnderlay), 1400);
}

TEST(PodMtu, IsNoMoreThanTheUnderlayAllows) {
  Config fixed = config();
  fixed.mtu = 1451;
  EXPECT_EQ(pod_mtu(fixed, kUnderlay), 1450);
  fixed.transport = find_transport("direct");
  EXPECT_EQ(pod_mtu(fixed, kUnderlay), 1451);
  fixed.mtu = 9000;
  EXPECT_EQ(pod_mtu(fixed, kUnderlay), 1500);
  EXPECT_EQ(pod_mtu(config(), {"eth0", 40, ip("172.31.0.11")}), 0);
}

TEST(PlanNode, BridgeVtepAndGatewaysForBothFamilies) {
  TableChanges out;
  const auto self =
      node("node1", {ip("172.31.0.11")}, {cidr("10.244.1.0/24"), cidr("fd00:10:244:1::/64")});
  ASSERT_TRUE(plan_node(config(), self, kUnderlay, out));
  std::map<std::string, tables::LinkKind::Value> links;
  for (const auto& edit : out.of<tables::LinkKind>()) links[edit.key] = *edit.value;
  ASSERT_EQ(links.size(), 2u);
  EXPECT_EQ(links["cni0"].mtu, 1450u);
  EXPECT_EQ(links["weft.1"].mtu, 1450u);
  EXPECT_EQ(links["weft.1"].mac->to_string(), "02:57:ac:1f:00:0b");
  const auto vxlan = std::get<netlink::Vxlan>(links["weft.1"].type);
  EXPECT_EQ(vxlan, (netlink::Vxlan{1, 8472, ip("172.31.0.11")}));
  EXPECT_EQ(links["weft.1"].lower, "eth0");
  std::vector<std::string> addresses;
  for (const auto& edit : out.of<tables::AddressKind>())
    addresses.push_back(edit.key.link + " " + edit.key.prefix.to_string());
  EXPECT_THAT(addresses, UnorderedElementsAre("cni0 10.244.1.1/24", "cni0 fd00:10:244:1::1/64",
                                              "cni0 fe80::1/64", "weft.1 10.244.1.0/32",
                                              "weft.1 fd00:10:244:1::/128"));
}

TEST(PlanNode, OneFamilyLeavesTheOthersSysctlsAlone) {
  TableChanges out;
  ASSERT_TRUE(plan_node(config(), node("node1", {ip("172.31.0.11")}, {cidr("10.244.1.0/24")}),
                        kUnderlay, out));
  std::vector<std::string> keys;
  for (const auto& edit : out.of<tables::SysctlKind>()) keys.push_back(edit.key);
  EXPECT_THAT(keys, UnorderedElementsAre(
                        "net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables",
                        "net/ipv4/conf/all/send_redirects", "net/ipv4/conf/eth0/send_redirects",
                        "net/ipv4/conf/cni0/forwarding", "net/ipv4/conf/weft.1/forwarding",
                        "net/ipv6/conf/cni0/accept_ra", "net/ipv6/conf/weft.1/accept_ra"));
}

TEST(PlanNode, LinksOfOurOwnForwardTheFamiliesOfThePods) {
  for (const char* transport : {"vxlan", "direct"}) {
    TableChanges out;
    ASSERT_TRUE(plan_node(
        config(transport),
        node("node1", {ip("172.31.0.11")}, {cidr("10.244.1.0/24"), cidr("fd00:10:244:1::/64")}),
        kUnderlay, out));
    std::vector<std::string> expected{"net/ipv4/conf/cni0/forwarding → 1",
                                      "net/ipv6/conf/cni0/forwarding → 1"};
    if (std::string_view(transport) == "vxlan")
      expected.insert(expected.end(), {"net/ipv4/conf/weft.1/forwarding → 1",
                                       "net/ipv6/conf/weft.1/forwarding → 1"});
    expected.emplace_back("net/ipv6/conf/all/forwarding → 1");
    std::vector<std::string> forwarding;
    for (const std::string& line : lines<tables::SysctlKind>(out))
      if (line.find("/forwarding") != std::string::npos) forwarding.push_back(line);
    EXPECT_THAT(forwarding, testing::UnorderedElementsAreArray(expected));
  }
}

TEST(PlanNode, NoRouterIsBelievedBehindLinksOfOurOwn) {
  for (const bool has_ipv6 : {true, false}) {
    for (const char* transport : {"vxlan", "direct"}) {
      Underlay underlay = kUnderlay;
      underlay.has_ipv6 = has_ipv6;
      TableChanges out;
      ASSERT_TRUE(plan_node(config(transport),
                            node("node1", {ip("172.31.0.11")}, {cidr("10.244.1.0/24")}), underlay,
                            out));
      std::vector<std::string> expected;
      if (has_ipv6) expected.emplace_back("net/ipv6/conf/cni0/accept_ra → 0");
      if (has_ipv6 && std::string_view(transport) == "vxlan")
        expected.emplace_back("net/ipv6/conf/weft.1/accept_ra → 0");
      std::vector<std::string> ipv6;
      for (const std::string& line : lines<tables::SysctlKind>(out))
        if (line.starts_with("net/ipv6/")) ipv6.push_back(line);
      EXPECT_EQ(ipv6, expected);
    }
  }
}

// The kernel sends redirects where the link's sysctl or the one of all links says so.
TEST(PlanNode, ForwardingTellsNobodyOfShorterWays) {
  for (const char* transport : {"vxlan", "direct"}) {
    TableChanges out;
    const Underlay vlan{"eth0.100", 1500, ip("172.31.0.11")};
    ASSERT_TRUE(plan_node(config(transport),
                          node("node1", {ip("172.31.0.11")}, {cidr("10.244.1.0/24")}), vlan, out));
    EXPECT_THAT(lines<tables::SysctlKind>(out),
                IsSupersetOf({"net/ipv4/conf/all/send_redirects → 0",
                              "net/ipv4/conf/eth0.100/send_redirects → 0"}));
  }
}

TEST(PlanNode, CniConfigurationIsWhatARuntimeReads) {
  TableChanges out;
  ASSERT_TRUE(plan_node(config(), node("node1", {ip("172.31.0.11")}, {cidr("10.244.1.0/24")}),
                        kUnderlay, out));
  ASSERT_EQ(out.of<tables::FileKind>().size(), 1u);
  const auto& file = out.of<tables::FileKind>().front();
  EXPECT_EQ(file.key, "/etc/cni/net.d/10-weft.conflist");
  const auto list = nlohmann::json::parse(*file.value);
  const auto& bridge = list.at("plugins").at(0);
  EXPECT_EQ(bridge.at("bridge"), "cni0");
  EXPECT_EQ(bridge.at("mtu"), 1450);
  EXPECT_EQ(bridge.at("ipam").at("ranges").at(0).at(0).at("subnet"), "10.244.1.0/24");
}

TEST(PlanNode, SaysWhichFieldIsWrong) {
  TableChanges out;
  EXPECT_EQ(plan_node(config(), node("node1", {}, {}), kUnderlay, out).error().message,
            "node node1: spec.podCIDRs is empty");
  EXPECT_EQ(
      plan_node(config(), node("node1", {}, {cidr("10.0.0.0/31")}), kUnderlay, out).error().message,
      "node node1: spec.podCIDRs: 10.0.0.0/31 has no room for pods");
  EXPECT_EQ(plan_node(config(), node("node1", {}, {cidr("10.0.0.0/24"), cidr("10.0.0.128/25")}),
                      kUnderlay, out)
                .error()
                .message,
            "node node1: spec.podCIDRs: 10.0.0.128/25 overlaps 10.0.0.0/24");
  EXPECT_EQ(
      plan_node(config(), node("node1", {ip("fd00::1"), ip("10.244.1.9")}, {cidr("10.244.1.0/24")}),
                kUnderlay, out)
          .error()
          .message,
      "node node1: spec.podCIDRs: 10.244.1.0/24 contains 10.244.1.9, the node's InternalIP");
  const Underlay v6{"eth0", 1500, ip("fd00::1")};
  EXPECT_EQ(
      plan_node(config(), node("node1", {}, {cidr("10.244.1.0/24")}), v6, out).error().message,
      "node node1: status.addresses: VXLAN needs an IPv4 InternalIP, not fd00::1");
}

TEST(UnderlayAddress, IsTheFirstIpv4OneOrElseTheFirst) {
  EXPECT_FALSE(underlay_address(node("a", {}, {})));
  EXPECT_EQ(underlay_address(node("a", {ip("fd00::1"), ip("fd00::2")}, {})), ip("fd00::1"));
  EXPECT_EQ(underlay_address(node("a", {ip("fd00::1"), ip("172.31.0.11")}, {})), ip("172.31.0.11"));
}

TEST(NodeProblems, NameTheFieldAndTheValue) {
  const auto dual = node("node1", {ip("172.31.0.11"), ip("fd00:172:31::11")},
                         {cidr("10.244.1.0/24"), cidr("fd00:10:244:1::/64")});
  EXPECT_THAT(node_problems(config(), dual, kUnderlay), IsEmpty());

  Config large = config();
  large.mtu = 1500;
  EXPECT_THAT(node_problems(large, dual, kUnderlay),
              ElementsAre("configuration: spec.podNetwork.mtu: 1500 is more than 1450 (eth0 has "
                          "1500, VXLAN takes 50)"));
  large.transport = find_transport("direct");
  EXPECT_THAT(node_problems(large, dual, kUnderlay), IsEmpty());
  const Underlay small{"eth0", 1200, ip("172.31.0.11")};
  EXPECT_THAT(node_problems(large, dual, small),
              ElementsAre("configuration: spec.podNetwork.mtu: 1500 is more than 1200 (eth0 has "
                          "1200)",
                          "node node1: IPv6 needs an MTU of 1280, pods have 1200 (eth0 has 1200)"));

  const auto outside = node("node1", {ip("172.31.0.11")}, {cidr("192.168.1.0/24")});
  EXPECT_THAT(
      node_problems(config(), outside, kUnderlay),
      ElementsAre("node node1: spec.podCIDRs: 192.168.1.0/24 is outside clusterCIDRs of the "
                  "configuration: its pods are treated as outsiders"));

  const auto inside = node("node1", {ip("172.31.0.11"), ip("10.244.9.9")}, {cidr("10.244.1.0/24")});
  EXPECT_THAT(node_problems(config(), inside, kUnderlay),
              ElementsAre("configuration: spec.clusterCIDRs: 10.244.0.0/16 contains 10.244.9.9, "
                          "this node's InternalIP: nodes in it are treated as pods, and what pods "
                          "send to them is not masqueraded"));

  const auto lacking =
      node("node1", {ip("172.31.0.11")}, {cidr("10.244.1.0/24"), cidr("fd00:10:244:1::/64")});
  EXPECT_THAT(node_problems(config(), lacking, kUnderlay), IsEmpty());
  EXPECT_THAT(node_problems(config("direct"), lacking, kUnderlay),
              ElementsAre("node node1: status.addresses: no InternalIP is IPv6: "
                          "fd00:10:244:1::/64 cannot be reached"));
}

}  // namespace
}  // namespace weft::podnet
