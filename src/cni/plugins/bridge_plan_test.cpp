// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/bridge_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cni/plugins/neighbor_groups.h"
#include "tables/names.h"

namespace weft::cni {
namespace {

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

CniResult dual() {
  return {.ips = {{prefix("10.1.0.7/24"), ip("10.1.0.1"), std::nullopt},
                  {prefix("fd00::7/64"), std::nullopt, std::nullopt}},
          .routes = {{.destination = prefix("192.0.2.0/24")}}};
}

BridgeConfig default_gateway() {
  BridgeConfig config;
  config.is_gateway = config.is_default_gateway = true;
  return config;
}

TEST(HostLinkName, IsStableAndDiffersByEveryPart) {
  const std::string name = host_link_name("abc", "eth0", 0);
  EXPECT_EQ(name, host_link_name("abc", "eth0", 0));
  EXPECT_TRUE(name.starts_with("veth"));
  EXPECT_EQ(name.size(), 12U);
  EXPECT_NE(name, host_link_name("abd", "eth0", 0));
  EXPECT_NE(name, host_link_name("abc", "eth1", 0));
  EXPECT_NE(name, host_link_name("abc", "eth0", 1));
}

TEST(HostLinkName, SpreadsSimilarIds) {
  std::set<std::string> names;
  for (int i = 0; i < 10'000; ++i)
    names.insert(host_link_name("49aef1" + std::to_string(i), "eth0", 0));
  EXPECT_GE(names.size(), 9'999U);  // 32 bits: a collision is possible, two are not plausible
}

TEST(Macs, ArePrivateUnicastAndFollowTheAddress) {
  EXPECT_EQ(pod_mac(ip("10.1.0.7")).to_string(), "0a:58:0a:01:00:07");
  EXPECT_EQ(pod_mac(ip("fd00::1:2")).to_string(), "0a:58:00:01:00:02");
  const MacAddress host = named_mac(0xfe, "veth12345678");
  EXPECT_EQ(host.bytes[0], 0xfe);
  EXPECT_NE(host, named_mac(0xfe, "veth12345679"));
}

TEST(NeighborGroups, AreTheRfcs) {
  EXPECT_EQ(solicited_node_group(ip("4037::1:800:200e:8c6c")), ip("ff02::1:ff0e:8c6c"));
}

TEST(Complete, FillsInGatewaysAndDefaultRoutes) {
  const CniResult result = complete(dual(), default_gateway()).value();
  EXPECT_EQ(result.ips[1].gateway, ip("fd00::1"));
  EXPECT_EQ(result.ips[0].interface, 2U);
  ASSERT_EQ(result.routes.size(), 3U);
  EXPECT_EQ(result.routes[1],
            (Route{.destination = prefix("0.0.0.0/0"), .gateway = ip("10.1.0.1")}));
  EXPECT_EQ(result.routes[2], (Route{.destination = prefix("::/0"), .gateway = ip("fd00::1")}));
}

TEST(Complete, KeepsADefaultRouteThatIpamGave) {
  CniResult ipam = dual();
  ipam.routes = {{.destination = prefix("0.0.0.0/0"), .gateway = ip("10.1.0.9")}};
  const CniResult result = complete(ipam, default_gateway()).value();
  EXPECT_EQ(result.routes.size(), 2U);  // and one for IPv6
}

TEST(Complete, WithoutGatewayNothingIsInvented) {
  const CniResult result = complete(dual(), {}).value();
  EXPECT_EQ(result.ips[1].gateway, std::nullopt);
  EXPECT_EQ(result.routes.size(), 1U);
}

TEST(Complete, ConfiguredDnsReplacesIpams) {
  CniResult ipam = dual();
  ipam.dns.domain = "ipam";
  EXPECT_EQ(complete(ipam, {})->dns.domain, "ipam");
  BridgeConfig config;
  config.dns.nameservers = {"10.0.0.1"};
  EXPECT_EQ(complete(ipam, config)->dns, config.dns);
}

TEST(Complete, AResultWithoutAddressIsAnError) { EXPECT_FALSE(complete({}, {})); }

TEST(Gateways, HaveTheSubnetsLength) {
  const CniResult result = complete(dual(), default_gateway()).value();
  EXPECT_THAT(gateway_addresses(result),
              testing::ElementsAre(prefix("10.1.0.1/24"), prefix("fd00::1/64")));
}

TEST(PlanPod, IsWhatThePodGets) {
  BridgeConfig config = default_gateway();
  config.mtu = 1450;
  config.hairpin = true;
  const PodNames names{"veth1", "eth0", "/run/netns/x", named_mac(0xfe, "a"), named_mac(0x0a, "b")};
  const CniResult result = complete(dual(), config).value();
  const PodTables tables = plan_pod(config, names, result).value();

  const tables::LinkKind::Value& pair = tables.host_links.at("veth1");
  EXPECT_EQ(std::get<netlink::Veth>(pair.type),
            (netlink::Veth{{"eth0", names.pod_mac, config.mtu}}));
  EXPECT_EQ(pair.peer_netns, "/run/netns/x");
  EXPECT_EQ(pair.master, "cni0");
  EXPECT_EQ(pair.group, tables::kPodLinkGroup);
  EXPECT_EQ(pair.mtu, 1450U);
  EXPECT_EQ(pair.hairpin, true);
  EXPECT_EQ(pair.mac, names.host_mac);
  EXPECT_EQ(tables.pod_links.size(), 2U);
  EXPECT_TRUE(tables.pod_links.at("lo").up && tables.pod_links.at("eth0").up);
  EXPECT_TRUE(tables.pod_addresses.contains({"eth0", prefix("10.1.0.7/24")}));
  EXPECT_TRUE(tables.pod_addresses.contains({"eth0", prefix("fd00::7/64")}));
  // A route without gateway goes through the family's.
  EXPECT_EQ(tables.pod_routes.at({prefix("192.0.2.0/24"), 0}).gateway, ip("10.1.0.1"));
  EXPECT_EQ(tables.pod_routes.at({prefix("::/0"), 0}).gateway, ip("fd00::1"));
}

TEST(PlanPod, APortOfAnotherBridgeIsNotOfThePodNetwork) {
  BridgeConfig config = default_gateway();
  config.bridge = "br-storage";
  const PodNames names{"veth1", "net1", "/run/netns/x", named_mac(0xfe, "a"), named_mac(0x0a, "b")};
  const PodTables tables = plan_pod(config, names, complete(dual(), config).value()).value();
  EXPECT_EQ(tables.host_links.at("veth1").master, "br-storage");
  EXPECT_EQ(tables.host_links.at("veth1").group, std::nullopt);
}

TEST(PlanPod, RefusesARouteWithABadValue) {
  CniResult result = dual();
  result.routes[0].mtu = 1;
  const auto tables = plan_pod({}, {}, result);
  ASSERT_FALSE(tables);
  EXPECT_EQ(tables.error().code, 7U);
}

TEST(PlanPod, OneWayToADestination) {
  CniResult result = dual();
  result.routes.push_back(result.routes[0]);
  EXPECT_TRUE(plan_pod({}, {}, result));
  result.routes[1].gateway = ip("10.1.0.9");
  EXPECT_FALSE(plan_pod({}, {}, result));
  result.routes[1].priority = 5;
  EXPECT_TRUE(plan_pod({}, {}, result));
  result.routes[1] = {.destination = result.routes[0].destination, .table = 1000};
  EXPECT_TRUE(plan_pod({}, {}, result));
}

}  // namespace
}  // namespace weft::cni
