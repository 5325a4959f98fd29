// SPDX-License-Identifier: Apache-2.0
#include "lab/settings.h"

#include <gtest/gtest.h>

#include <set>

namespace weft::lab {
namespace {

Settings dual() {
  Settings settings;
  settings.name = "a";
  settings.ip_family = "dual";
  return settings;
}

TEST(Settings, ASwitchedNodesAddresses) {
  const NodePlan node = plan_node(dual(), 3);
  EXPECT_EQ(node.name, "node3");
  ASSERT_EQ(node.links.size(), 2U);
  EXPECT_EQ(node.links[0].node.to_string(), "172.31.0.13/16");
  EXPECT_EQ(node.links[0].fabric.to_string(), "172.31.0.1/16");
  EXPECT_EQ(node.links[1].node.to_string(), "fd00:172:31::d/64");
  EXPECT_EQ(node.pod_cidrs[0].to_string(), "10.244.3.0/24");
  EXPECT_EQ(node.pod_cidrs[1].to_string(), "fd00:10:244:3::/64");
}

TEST(Settings, ARoutedNodesAddresses) {
  Settings settings = dual();
  settings.fabric = Fabric::kRouter;
  const NodePlan node = plan_node(settings, 3);
  EXPECT_EQ(node.links[0].node.to_string(), "172.31.0.14/30");
  EXPECT_EQ(node.links[0].fabric.to_string(), "172.31.0.13/30");
  EXPECT_EQ(node.links[1].node.to_string(), "fd00:172:31:3::2/64");
  EXPECT_TRUE(switch_addresses(settings).empty());
}

TEST(Settings, NodesShareNoAddressAndPodsStayInTheClusterCidr) {
  for (const Fabric fabric : {Fabric::kSwitch, Fabric::kRouter}) {
    Settings settings = dual();
    settings.nodes = kMostNodes;
    settings.fabric = fabric;
    std::set<IpAddress> seen;
    std::set<Prefix> pods;
    for (const NodePlan& node : plan_nodes(settings)) {
      for (const IpAddress& address : node.addresses()) {
        EXPECT_TRUE(seen.insert(address).second) << address.to_string();
      }
      for (std::size_t i = 0; i < node.pod_cidrs.size(); ++i) {
        EXPECT_TRUE(pods.insert(node.pod_cidrs[i]).second);
        EXPECT_TRUE(cluster_cidrs(settings)[i].contains(node.pod_cidrs[i]));
      }
    }
  }
}

TEST(Settings, SingleFamilies) {
  Settings settings = dual();
  settings.ip_family = "ipv6";
  EXPECT_EQ(plan_node(settings, 1).pod_cidrs.size(), 1U);
  EXPECT_EQ(plan_node(settings, 1).links.size(), 2U);  // the underlay is IPv4
  settings.ip_family = "ipv4";
  EXPECT_EQ(plan_node(settings, 1).links.size(), 1U);
  EXPECT_EQ(service_cidrs(settings).size(), 1U);
}

TEST(Settings, RefusalsNameTheOption) {
  const auto refusal = [](auto change) {
    Settings settings = dual();
    change(settings);
    const auto checked = check(settings);
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_EQ(refusal([](Settings&) {}), "accepted");
  EXPECT_NE(refusal([](Settings& s) { s.ip_family = "v4"; }).find("--ip-family v4"),
            std::string::npos);
  EXPECT_NE(refusal([](Settings& s) { s.transport = "bgp"; }).find("--transport bgp"),
            std::string::npos);
  EXPECT_NE(refusal([](Settings& s) { s.nodes = 0; }).find("--nodes 0"), std::string::npos);
  EXPECT_NE(refusal([](Settings& s) { s.nodes = 50; }).find("--fabric router"), std::string::npos);
  EXPECT_NE(refusal([](Settings& s) { s.services = "ipvs"; }).find("--services ipvs"),
            std::string::npos);
  EXPECT_NE(refusal([](Settings& s) {
              s.fabric = Fabric::kRouter;
              s.transport = "direct";
            }).find("share no link"),
            std::string::npos);
}

TEST(Settings, SurviveAsJson) {
  Settings settings = dual();
  settings.nodes = 5;
  const auto read = settings_from_json(to_json(settings));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, settings);
  EXPECT_FALSE(settings_from_json("{").has_value());
  EXPECT_EQ(settings_from_json("[]").error().message, "lab.json: not a JSON object");
  EXPECT_EQ(settings_from_json("{\"name\": \"a\",\n\"nodes\": \"5\"}").error().message,
            "lab.json:2: nodes: must be a number from 1 to 250, not \"5\"");
}

}  // namespace
}  // namespace weft::lab
