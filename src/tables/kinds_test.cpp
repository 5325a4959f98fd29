// SPDX-License-Identifier: Apache-2.0
#include "tables/kinds.h"

#include <gtest/gtest.h>

namespace weft::tables {
namespace {

TEST(LinkKind, WhatIsUnsetIsTheKernels) {
  LinkKind::Value desired;
  LinkKind::Value actual;
  actual.type = netlink::Bridge{};
  actual.mtu = 1500;
  actual.mac = MacAddress{{2}};
  actual.master = "";
  actual.group = 0;
  EXPECT_TRUE(LinkKind::same(desired, actual));
  desired.mtu = 1450;
  EXPECT_FALSE(LinkKind::same(desired, actual));
  desired.mtu = 1500;
  desired.up = false;
  EXPECT_FALSE(LinkKind::same(desired, actual));
  actual.up = false;
  desired.type = netlink::Vxlan{};
  EXPECT_FALSE(LinkKind::same(desired, actual));
}

TEST(LinkKind, ABridgeIsDifferentWithoutItsPorts) {
  LinkKind::Value desired;
  LinkKind::Value actual;
  actual.missing_ports = {"veth1"};
  EXPECT_FALSE(LinkKind::same(desired, actual));
  EXPECT_EQ(LinkKind::describe(actual), "up without port veth1");
  actual.missing_ports = {"veth1", "veth2", "veth3"};
  EXPECT_EQ(LinkKind::describe(actual), "up without ports veth1, veth2, veth3");
  actual.missing_ports = {"veth1", "veth2", "veth3", "veth4", "veth5"};
  EXPECT_EQ(LinkKind::describe(actual), "up without ports veth1, veth2, veth3 and 2 more");
}

TEST(LinkKind, AVethsPeerIsOutOfSight) {
  LinkKind::Value desired;
  desired.type = netlink::Veth{{"eth0"}};
  desired.peer_netns = "/run/netns/pod";
  LinkKind::Value actual;
  actual.type = netlink::Veth{};
  EXPECT_TRUE(LinkKind::same(desired, actual));
  actual.type = netlink::Bridge{};
  EXPECT_FALSE(LinkKind::same(desired, actual));
}

TEST(Kinds, DescribeAsAnOperatorWouldWriteIt) {
  RouteKind::Value route;
  route.link = "weft.1";
  route.gateway = IpAddress::parse("10.244.2.0").value();
  route.onlink = true;
  EXPECT_EQ(RouteKind::describe(RouteKind::Key{Prefix::parse("10.244.2.0/24").value(), 0}),
            "10.244.2.0/24");
  EXPECT_EQ(RouteKind::describe(route), "via 10.244.2.0 dev weft.1 onlink");
  EXPECT_EQ(FileKind::describe("/etc/cni/net.d/10-weft.conflist"),
            "/etc/cni/net.d/10-weft.conflist");
  EXPECT_EQ(FileKind::describe("{}\n"), "3 bytes (6c4b9579)");
  EXPECT_NE(FileKind::describe("{1}"), FileKind::describe("{2}"));
}

TEST(SysctlKind, ComparesFields) {
  EXPECT_TRUE(SysctlKind::same("4096 16384", "4096\t16384"));
  EXPECT_FALSE(SysctlKind::same("4096 16384", "409616384"));
}

}  // namespace
}  // namespace weft::tables
