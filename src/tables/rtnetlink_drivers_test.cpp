// SPDX-License-Identifier: Apache-2.0
// Addresses, neighbors, FDB entries and routes: what one test can say of all four.
#include <gmock/gmock.h>

#include "tables/address_driver.h"
#include "tables/driver_fixture.h"
#include "tables/fdb_driver.h"
#include "tables/neighbor_driver.h"
#include "tables/route_driver.h"

namespace weft::tables {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class RtnetlinkDriversTest : public DriverFixture {
 protected:
  RtnetlinkDriversTest() {
    sh("ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up;"
       "ip addr add 172.31.0.11/24 dev eth0; ip link add cni0 type bridge; ip link set cni0 up;"
       "ip link add weft.1 type vxlan id 1 local 172.31.0.11 dev eth0 dstport 8472 nolearning;"
       "ip link set weft.1 up");
  }
  Ownership owned_{.links = {"cni0", "weft.1"}, .protocol = 87};
};

class AddressDriverTest : public RtnetlinkDriversTest {
 protected:
  static AddressKind::Table node() {
    AddressKind::Table table;
    table[{"cni0", prefix("10.244.1.1/24")}];
    table[{"cni0", prefix("fd00:10:244:1::1/64")}];
    table[{"weft.1", prefix("10.244.1.0/32")}];
    table[{"weft.1", prefix("fd00:10:244:1::/128")}];
    return table;
  }
  AddressDriver driver_{socket_, owned_};
};

TEST_F(AddressDriverTest, WritesAndReadsBack) {
  EXPECT_THAT(drift(driver_, {}), IsEmpty());  // link-local ones are the kernel's
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip -o addr show dev cni0"),
              AllOf(HasSubstr("inet 10.244.1.1/24 scope global"),
                    HasSubstr("inet6 fd00:10:244:1::1/64 scope global nodad")));
}

TEST_F(AddressDriverTest, MendsWhatDrifted) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip addr del 10.244.1.1/24 dev cni0; ip addr add 10.244.1.1/16 dev cni0;"
     "ip addr add 192.0.2.1/32 dev weft.1; ip addr del fd00:10:244:1::/128 dev weft.1;"
     "ip addr add 198.51.100.1/24 dev eth0");
  EXPECT_THAT(drift(driver_, node()),
              UnorderedElementsAre("missing 10.244.1.1/24 dev cni0:  -> present",
                                   "unexpected 10.244.1.1/16 dev cni0: present -> ",
                                   "unexpected 192.0.2.1/32 dev weft.1: present -> ",
                                   "missing fd00:10:244:1::/128 dev weft.1:  -> present"));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip -o addr show dev eth0"),
              AllOf(HasSubstr("172.31.0.11/24"), HasSubstr("198.51.100.1/24")));
}

TEST_F(AddressDriverTest, AnAddressThatWouldEndIsMadePermanentAgain) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip addr change 10.244.1.1/24 dev cni0 valid_lft 100 preferred_lft 100;"
     "ip addr change fd00:10:244:1::1/64 dev cni0 valid_lft 100 preferred_lft 100");
  EXPECT_EQ(drift(driver_, node()).size(), 2U);
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip -o addr show dev cni0 dynamic"), Not(HasSubstr("10.244")));
}

TEST_F(AddressDriverTest, ALinkLocalAddressOfOursIsNotTheKernels) {
  // The one that the kernel makes itself, and another.
  const std::string kernels = sh("ip -o -6 addr show dev weft.1 scope link");
  const std::size_t at = kernels.find("fe80");
  ASSERT_NE(at, std::string::npos) << kernels;
  for (const std::string& text :
       {std::string("fe80::1/64"), kernels.substr(at, kernels.find(' ', at) - at)}) {
    const AddressKind::Table desired{{{"weft.1", prefix(text)}, {}}};
    EXPECT_EQ(drift(driver_, desired).size(), 1U);
    EXPECT_THAT(repair(driver_, desired), IsEmpty());
    sh("ip addr flush dev weft.1");
    EXPECT_EQ(drift(driver_, desired).size(), 1U);
    EXPECT_THAT(repair(driver_, desired), IsEmpty());
    EXPECT_THAT(repair(driver_, {}), IsEmpty());
    sh("ip link set weft.1 down; ip link set weft.1 up");
  }
}

TEST_F(AddressDriverTest, WhatIsGoneIsRemovedAlready) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip addr flush dev cni0; ip link del weft.1");
  EXPECT_THAT(remove(driver_, node()), IsEmpty());
  EXPECT_THAT(drift(driver_, {}), IsEmpty());
}

TEST_F(AddressDriverTest, AMissingLinkIsAnErrorThatNamesIt) {
  EXPECT_THAT(add<AddressKind>(driver_, {{{"nil0", prefix("10.0.0.1/24")}, {}}}),
              ElementsAre("10.0.0.1/24 dev nil0: link nil0: No such device"));
}

TEST_F(AddressDriverTest, OneThatIsGoneAndIsRefusedAsItShallBeIsHalfDone) {
  AddressKind::Table table{{{"cni0", prefix("10.244.1.1/24")}, {}},
                           {{"cni0", prefix("10.244.1.2/24")}, {}}};
  ASSERT_THAT(repair(driver_, table), IsEmpty());
  table.at({"cni0", prefix("10.244.1.2/24")}).scope = RT_SCOPE_LINK;  // a subnet has one
  EXPECT_THAT(repair(driver_, table),
              ElementsAre(StartsWith("half done, 10.244.1.2/24 dev cni0: RTM_NEWADDR: Invalid")));
  EXPECT_THAT(sh("ip -o addr show dev cni0"), Not(HasSubstr("10.244.1.2")));
  EXPECT_THAT(repair(driver_, table),
              ElementsAre(StartsWith("10.244.1.2/24 dev cni0: RTM_NEWADDR: Invalid")));
}

class NeighborDriverTest : public RtnetlinkDriversTest {
 protected:
  static NeighborKind::Table node() {
    NeighborKind::Table table;
    table[{"weft.1", ip("10.244.2.0")}] = {mac("02:57:00:00:00:02")};
    table[{"weft.1", ip("fd00:10:244:2::")}] = {mac("02:57:00:00:00:02")};
    return table;
  }
  NeighborDriver driver_{socket_, owned_};
};

TEST_F(NeighborDriverTest, WritesReadsBackAndMends) {
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:01 dev weft.1 nud permanent;"
     "ip neigh del fd00:10:244:2:: dev weft.1;"
     "ip neigh add 10.244.9.0 lladdr 02:00:00:00:00:09 dev weft.1 nud permanent;"
     "ip neigh add 10.244.8.0 lladdr 02:00:00:00:00:08 dev weft.1 nud stale;"
     "ip neigh add 172.31.0.99 lladdr 02:00:00:00:00:09 dev eth0 nud permanent");
  EXPECT_THAT(drift(driver_, node()),
              UnorderedElementsAre(
                  "different 10.244.2.0 dev weft.1: lladdr 02:00:00:00:00:01 permanent -> lladdr "
                  "02:57:00:00:00:02 permanent",
                  "missing fd00:10:244:2:: dev weft.1:  -> lladdr 02:57:00:00:00:02 permanent",
                  "unexpected 10.244.9.0 dev weft.1: lladdr 02:00:00:00:00:09 permanent -> "));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip neigh"), AllOf(HasSubstr("172.31.0.99"), HasSubstr("10.244.8.0")));
}

TEST_F(NeighborDriverTest, ADemotedEntryIsMadePermanentAgain) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip neigh change 10.244.2.0 lladdr 02:57:00:00:00:02 dev weft.1 nud stale");
  EXPECT_THAT(drift(driver_, node()), ElementsAre(StartsWith("missing 10.244.2.0")));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
}

TEST_F(NeighborDriverTest, WhatIsGoneIsRemovedAlready) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip neigh flush dev weft.1 nud permanent");
  EXPECT_THAT(remove(driver_, node()), IsEmpty());
  sh("ip link del weft.1");
  EXPECT_THAT(remove(driver_, node()), IsEmpty());
}

class FdbDriverTest : public RtnetlinkDriversTest {
 protected:
  static FdbKind::Table node() {
    FdbKind::Table table;
    table[{"weft.1", mac("02:57:00:00:00:02")}] = {ip("172.31.0.12")};
    table[{"weft.1", mac("02:57:00:00:00:03")}] = {ip("172.31.0.13")};
    return table;
  }
  FdbDriver driver_{socket_, owned_};
};

TEST_F(FdbDriverTest, WritesReadsBackAndMends) {
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_EQ(sh("bridge fdb show dev weft.1 | sort"),
            "02:57:00:00:00:02 dst 172.31.0.12 self permanent\n"
            "02:57:00:00:00:03 dst 172.31.0.13 self permanent\n");
  sh("bridge fdb replace 02:57:00:00:00:02 dev weft.1 dst 172.31.0.99 self permanent;"
     "bridge fdb del 02:57:00:00:00:03 dev weft.1;"
     "bridge fdb append 00:00:00:00:00:00 dev weft.1 dst 172.31.0.98 self permanent;"
     "bridge fdb append 00:00:00:00:00:00 dev weft.1 dst 172.31.0.97 self permanent;"
     "bridge fdb add 02:57:00:00:00:04 dev weft.1 dst 172.31.0.14 self permanent;"
     "bridge fdb add 02:57:00:00:00:05 dev weft.1 dst 172.31.0.15 self static");
  EXPECT_THAT(drift(driver_, node()),
              UnorderedElementsAre(
                  "different 02:57:00:00:00:02 dev weft.1: dst 172.31.0.99 -> dst 172.31.0.12",
                  "missing 02:57:00:00:00:03 dev weft.1:  -> dst 172.31.0.13",
                  StartsWith("unexpected 00:00:00:00:00:00 dev weft.1: dst 172.31.0.9"),
                  "unexpected 02:57:00:00:00:04 dev weft.1: dst 172.31.0.14 -> "));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("bridge fdb show dev weft.1"), HasSubstr("dst 172.31.0.15 self static"));
  EXPECT_THAT(repair(driver_, {}), IsEmpty());
}

class RouteDriverTest : public RtnetlinkDriversTest {
 protected:
  static RouteKind::Value via(std::string_view gateway, const std::string& link, bool onlink) {
    RouteKind::Value value;
    value.link = link;
    value.gateway = ip(gateway);
    value.onlink = onlink;
    return value;
  }
  static RouteKind::Table node() {
    RouteKind::Table table;
    table[{prefix("10.244.2.0/24"), 0}] = via("10.244.2.0", "weft.1", true);
    table[{prefix("fd00:10:244:2::/64"), 0}] = via("fd00:10:244:2::", "weft.1", true);
    table[{prefix("10.244.3.0/24"), 50}] = via("172.31.0.13", "eth0", false);
    RouteKind::Value direct;
    direct.link = "cni0";
    table[{prefix("10.245.0.0/16"), 0}] = direct;
    table[{prefix("fd00:10:245::/48"), 0}] = direct;
    return table;
  }
  RouteDriver driver_{socket_, owned_};
};

TEST_F(RouteDriverTest, WritesAndReadsBack) {
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip route show proto 87"),
              StartsWith("10.244.2.0/24 via 10.244.2.0 dev weft.1 onlink \n"
                         "10.244.3.0/24 via 172.31.0.13 dev eth0 metric 50 \n"
                         "10.245.0.0/16 dev cni0 scope link "));
}

TEST_F(RouteDriverTest, MendsWhatDriftedAndLeavesTheRest) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip route replace 10.244.2.0/24 via 172.31.0.2 proto 87; ip route del 10.244.3.0/24;"
     "ip -6 route replace fd00:10:244:2::/64 dev cni0 proto 87;"
     "ip route add 10.250.0.0/16 via 172.31.0.2 proto 87; ip route add 10.251.0.0/16 via "
     "172.31.0.2;"
     "ip route add 10.244.3.0/24 via 172.31.0.2 metric 51");
  EXPECT_THAT(
      drift(driver_, node()),
      UnorderedElementsAre(
          "different 10.244.2.0/24: via 172.31.0.2 dev eth0 -> via 10.244.2.0 dev weft.1 onlink",
          "different fd00:10:244:2::/64: dev cni0 -> via fd00:10:244:2:: dev weft.1 onlink",
          "missing 10.244.3.0/24 metric 50:  -> via 172.31.0.13 dev eth0",
          "unexpected 10.250.0.0/16: via 172.31.0.2 dev eth0 -> "));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip route"), AllOf(HasSubstr("10.251.0.0/16"),
                                    HasSubstr("10.244.3.0/24 via 172.31.0.2 dev eth0 metric 51")));
}

TEST_F(RouteDriverTest, SeveralNextHopsBecomeOneAgain) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip -6 addr add fd00:31::11/64 dev eth0 nodad;"
     "ip -6 route append fd00:10:244:2::/64 via fd00:31::2 proto 87;"
     "ip route append 10.244.2.0/24 via 172.31.0.2 proto 87;"
     "ip route append 10.244.2.0/24 via 172.31.0.3 proto 87;"
     "ip route append 10.245.0.0/16 via 172.31.0.3 proto 87;"
     "ip -6 route append fd00:10:245::/48 via fd00:31::2 proto 87");
  EXPECT_THAT(drift(driver_, node()),
              UnorderedElementsAre(
                  "different 10.244.2.0/24: several routes -> via 10.244.2.0 dev weft.1 onlink",
                  "different 10.245.0.0/16: several routes -> dev cni0",
                  AllOf(StartsWith("different fd00:10:244:2::/64: nexthop via "),
                        HasSubstr("nexthop via fd00:31::2 dev eth0 weight 1")),
                  "different fd00:10:245::/48: several routes -> dev cni0"));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip route append 10.244.2.0/24 via 172.31.0.2 proto 87");
  EXPECT_THAT(repair(driver_, {}), IsEmpty());
  EXPECT_EQ(sh("ip route show proto 87; ip -6 route show proto 87"), "");
}

TEST_F(RouteDriverTest, SomebodyElsesRouteStaysAndIsNamed) {
  sh("ip route add 10.244.2.0/24 via 172.31.0.2 proto static;"
     "ip route add 10.245.0.0/16 dev eth0 metric 7;"
     "ip -6 route add fd00:10:244:2::/64 dev cni0 proto bird;"
     "ip -6 route add fd00:10:245::/48 dev eth0");
  const std::string before = sh("ip route; ip -6 route");
  EXPECT_THAT(repair(driver_, node()),
              UnorderedElementsAre(
                  "10.244.2.0/24: somebody else's route is there (protocol static via 172.31.0.2)",
                  "fd00:10:244:2::/64: somebody else's route is there (protocol bird)",
                  "fd00:10:245::/48: somebody else's route is there (protocol boot)"));
  EXPECT_THAT(sh("ip route show proto 87"),
              AllOf(HasSubstr("10.244.3.0/24"), HasSubstr("10.245.0.0/16 dev cni0")));
  EXPECT_THAT(repair(driver_, {}), IsEmpty());
  EXPECT_EQ(sh("ip route; ip -6 route"), before);
  sh("ip route del 10.244.2.0/24; ip -6 route del fd00:10:244:2::/64;"
     "ip -6 route del fd00:10:245::/48");
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
}

TEST_F(RouteDriverTest, SomebodyElsesRouteThatLeadsNowhereIsNamedToo) {
  sh("ip route add blackhole 10.244.2.0/24 proto bird;"
     "ip -6 route add unreachable fd00:10:245::/48 proto 186");
  EXPECT_THAT(repair(driver_, node()),
              UnorderedElementsAre(
                  "10.244.2.0/24: somebody else's blackhole route is there (protocol bird)",
                  "fd00:10:245::/48: somebody else's unreachable route is there (protocol bgp)"));
}

TEST_F(RouteDriverTest, WhatTookThePlaceOfOursIsReplaced) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip route replace 10.244.2.0/24 via 172.31.0.2;"
     "ip -6 route replace fd00:10:244:2::/64 dev cni0");
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_EQ(sh("ip route show 10.244.2.0/24"),
            "10.244.2.0/24 via 10.244.2.0 dev weft.1 proto 87 onlink \n");
  EXPECT_THAT(sh("ip -6 route show fd00:10:244:2::/64"), HasSubstr("dev weft.1 proto 87"));
}

TEST_F(RouteDriverTest, OneThatIsGoneAndIsRefusedAsItShallBeIsHalfDoneAndNoLongerOurs) {
  const RouteKind::Key key{prefix("fd00:10:244:2::/64"), 0};
  RouteKind::Value direct;
  direct.link = "cni0";
  ASSERT_THAT(repair(driver_, {{key, direct}}), IsEmpty());
  sh("ip -6 addr add fd00:10:244:2::5/128 dev cni0 nodad");
  const RouteKind::Table desired{{key, via("fd00:10:244:2::5", "weft.1", true)}};
  EXPECT_THAT(repair(driver_, desired),
              ElementsAre(StartsWith("half done, fd00:10:244:2::/64: RTM_NEWROUTE: Invalid")));
  sh("ip -6 route add fd00:10:244:2::/64 dev eth0; ip addr del fd00:10:244:2::5/128 dev cni0");
  EXPECT_THAT(repair(driver_, desired), ElementsAre(HasSubstr("somebody else's route is there")));
}

TEST_F(RouteDriverTest, WhatIsLeftOutHasNothingRemoved) {
  RouteKind::Table table = node();
  ASSERT_THAT(repair(driver_, table), IsEmpty());
  sh("ip route append 10.244.2.0/24 via 172.31.0.2 proto 87");
  table[{prefix("10.244.2.0/24"), 0}].link = "nil0";
  EXPECT_THAT(repair(driver_, table), ElementsAre("10.244.2.0/24: link nil0: No such device"));
  EXPECT_EQ(sh("ip route show 10.244.2.0/24 proto 87 | wc -l"), "2\n");
}

TEST_F(RouteDriverTest, AThousandRoutesInOneWrite) {
  RouteKind::Table table;
  for (std::uint64_t i = 0; i < 1'000; ++i)
    table[{Prefix{ip("10.128.0.0").plus(i << 8), 24}, 0}] = via("172.31.0.2", "eth0", false);
  EXPECT_THAT(repair(driver_, table), IsEmpty());
  EXPECT_EQ(sh("ip route show proto 87 | wc -l"), "1000\n");
  EXPECT_THAT(repair(driver_, {}), IsEmpty());
}

TEST_F(RouteDriverTest, OneBadRouteLeavesTheOthersGood) {
  RouteKind::Table table = node();
  table[{prefix("10.99.0.0/16"), 0}] = via("203.0.113.1", "eth0", false);
  table[{prefix("10.98.0.0/16"), 0}] = via("203.0.113.1", "nil0", true);
  EXPECT_THAT(
      repair(driver_, table),
      UnorderedElementsAre("10.98.0.0/16: link nil0: No such device",
                           StartsWith("10.99.0.0/16: RTM_NEWROUTE: Network is unreachable (")));
  EXPECT_EQ(drift(driver_, table).size(), 2U);
}

}  // namespace
}  // namespace weft::tables
