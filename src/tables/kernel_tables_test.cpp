// SPDX-License-Identifier: Apache-2.0
// A namespace's tables as one: what is written is read back and differs in nothing, whatever the
// kind; and what carries other marks is not ours.
#include "tables/kernel_tables.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/temporary_directory.h"
#include "linux/netns_fixture.h"

namespace weft::tables {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

class KernelTablesTest : public NetnsFixture {
 protected:
  KernelTablesTest() {
    sh("ip link set lo up; ip link add eth0 type veth peer name far0; ip link set eth0 up;"
       "ip link set far0 up; ip addr add 172.31.0.11/24 dev eth0;"
       "ip addr add fd00:31::11/64 dev eth0 nodad; ip link add cni0 type bridge;"
       "ip link set cni0 up");
  }

  template <class Kind>
  std::vector<std::string> differences(const typename Kind::Table& desired) {
    std::vector<std::string> lines;
    const auto actual = tables_.read<Kind>();
    EXPECT_TRUE(actual) << actual.error().message;
    if (!actual) return {"unreadable"};
    for (const auto& change : reconcile::diff<Kind>(desired, *actual)) {
      const reconcile::Drift drift = reconcile::to_drift(change);
      lines.push_back(std::string(to_string(drift.problem)) + " " + drift.key + ": " +
                      drift.actual + " -> " + drift.desired);
    }
    return lines;
  }
  template <class Kind>
  void write(const typename Kind::Table& table) {
    const Result<> written = tables_.write(additions<Kind>(table));
    EXPECT_TRUE(written) << written.error().message;
  }

  Ownership owned_{
      .links = {"cni0"}, .protocol = 87, .route_tables = {RT_TABLE_MAIN, 1'000}, .port_group = 87};
  KernelTables tables_ = KernelTables::open(owned_).value();
};

TEST_F(KernelTablesTest, SeveralKindsGoInOneDatagram) {
  const LinkKind::Table links{{"cni0", {.type = netlink::Bridge{}, .mtu = 1450}}};
  const AddressKind::Table addresses{{{"cni0", prefix("10.244.1.1/24")}, {}}};
  const RouteKind::Table routes{{{prefix("10.244.2.0/24")}, {.link = "cni0"}}};
  const Result<> written = tables_.write(
      additions<LinkKind>(links), additions<AddressKind>(addresses), additions<RouteKind>(routes));
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_THAT(differences<LinkKind>(links), IsEmpty());
  EXPECT_THAT(differences<AddressKind>(addresses), IsEmpty());
  EXPECT_THAT(differences<RouteKind>(routes), IsEmpty());
}

TEST_F(KernelTablesTest, RoutesOfEveryShape) {
  RouteKind::Table routes;
  routes[{prefix("10.1.0.0/16")}] = {
      .next_hops = {{"eth0", ip("172.31.0.2"), false, 3}, {"eth0", ip("172.31.0.3"), false, 1}}};
  routes[{prefix("fd00:1::/64")}] = {
      .next_hops = {{"eth0", ip("fd00:31::2")}, {"eth0", ip("fd00:31::3")}}};
  routes[{prefix("10.2.0.0/16")}] = {.type = RTN_BLACKHOLE};
  routes[{prefix("fd00:2::/64")}] = {.type = RTN_UNREACHABLE};
  routes[{prefix("10.3.0.0/16"), 7, 1'000}] = {
      .link = "eth0", .gateway = ip("172.31.0.2"), .mtu = 1400, .advmss = 1360};
  routes[{prefix("fd00:3::/64"), 7, 1'000}] = {
      .link = "eth0", .gateway = ip("fd00:31::2"), .mtu = 1400, .advmss = 1340};
  routes[{prefix("10.4.0.0/16")}] = {.link = "eth0", .gateway = ip("fd00:31::2")};
  routes[{prefix("10.5.0.0/16")}] = {
      .link = "eth0", .source = ip("172.31.0.11"), .scope = std::uint8_t{RT_SCOPE_LINK}};
  write<RouteKind>(routes);
  EXPECT_THAT(differences<RouteKind>(routes), IsEmpty());
  EXPECT_THAT(sh("ip route show proto 87; ip -6 route show proto 87"),
              AllOf(HasSubstr("nexthop via 172.31.0.2 dev eth0 weight 3"),
                    HasSubstr("nexthop via fd00:31::3 dev eth0 weight 1"),
                    HasSubstr("blackhole 10.2.0.0/16"), HasSubstr("unreachable fd00:2::/64"),
                    HasSubstr("10.4.0.0/16 via inet6 fd00:31::2 dev eth0")));
  EXPECT_THAT(sh("ip route show table 1000"), HasSubstr("via 172.31.0.2 dev eth0 proto 87 metric 7 "
                                                        "mtu 1400 advmss 1360"));
  auto driver = tables_.driver<RouteKind>();
  const RouteKind::Table none;
  const auto actual = tables_.read<RouteKind>().value();
  ASSERT_TRUE(tables_.write(reconcile::diff<RouteKind>(none, actual)));
  EXPECT_EQ(sh("ip route show table all proto 87; ip -6 route show table all proto 87"), "");
}

TEST_F(KernelTablesTest, ARouteByAGroupOfNextHops) {
  sh("ip nexthop add id 11 via 172.31.0.2 dev eth0; ip nexthop add id 12 via 172.31.0.3 dev eth0;"
     "ip nexthop add id 20 group 11/12");
  RouteKind::Table routes;
  routes[{prefix("10.1.0.0/16")}] = {.next_hop_group = 20};
  write<RouteKind>(routes);
  EXPECT_THAT(differences<RouteKind>(routes), IsEmpty());
  EXPECT_THAT(sh("ip route show proto 87"), HasSubstr("10.1.0.0/16 nhid 20"));
}

TEST_F(KernelTablesTest, NextHopsThatDifferAreTold) {
  RouteKind::Table routes;
  routes[{prefix("10.1.0.0/16")}] = {
      .next_hops = {{"eth0", ip("172.31.0.2")}, {"eth0", ip("172.31.0.3")}}};
  sh("ip route add 10.1.0.0/16 proto 87 nexthop via 172.31.0.3 dev eth0 nexthop via 172.31.0.2 dev "
     "eth0");
  EXPECT_THAT(differences<RouteKind>(routes), IsEmpty()) << "their order does not matter";
  sh("ip route replace 10.1.0.0/16 proto 87 nexthop via 172.31.0.3 dev eth0 weight 2 nexthop via "
     "172.31.0.2 dev eth0");
  EXPECT_EQ(differences<RouteKind>(routes).size(), 1U);
}

TEST_F(KernelTablesTest, AddressesWithAllTheyCanHave) {
  AddressKind::Table addresses;
  addresses[{"cni0", prefix("10.1.0.1/24")}] = {.broadcast = ip("10.1.0.255"),
                                                .without_prefix_route = true};
  addresses[{"cni0", prefix("10.2.0.1/32")}] = {.scope = std::uint8_t{RT_SCOPE_LINK},
                                                .peer = ip("10.2.0.2")};
  addresses[{"cni0", prefix("fd00:1::1/64")}] = {.without_prefix_route = true};
  write<AddressKind>(addresses);
  EXPECT_THAT(differences<AddressKind>(addresses), IsEmpty());
  EXPECT_THAT(sh("ip addr show dev cni0"),
              AllOf(HasSubstr("inet 10.1.0.1/24 brd 10.1.0.255 scope global noprefixroute"),
                    HasSubstr("inet 10.2.0.1 peer 10.2.0.2/32 scope link"),
                    HasSubstr("inet6 fd00:1::1/64 scope global nodad noprefixroute")));
  // One that differs is made anew.
  addresses[{"cni0", prefix("10.1.0.1/24")}] = {.broadcast = ip("10.1.0.255"),
                                                .without_prefix_route = false};
  const auto actual = tables_.read<AddressKind>().value();
  ASSERT_TRUE(tables_.write(reconcile::diff<AddressKind>(addresses, actual)));
  EXPECT_THAT(differences<AddressKind>(addresses), IsEmpty());
}

TEST_F(KernelTablesTest, Rules) {
  RuleKind::Table rules;
  rules[{.priority = 100, .source = prefix("10.1.0.0/16")}] = {1'000};
  rules[{.family = IpFamily::kIpv6, .priority = 100, .mark = 0x10, .mask = 0xf0}] = {1'001};
  rules[{
      .priority = 101, .destination = prefix("10.2.0.0/16"), .in_link = "eth0", .invert = true}] = {
      254};
  sh("ip rule add from 10.9.0.0/16 priority 99 lookup 77");
  const std::string others = sh("ip rule show; ip -6 rule show");
  write<RuleKind>(rules);
  EXPECT_THAT(differences<RuleKind>(rules), IsEmpty());
  const RuleKind::Table wanted = [&] {
    RuleKind::Table table = rules;
    table.begin()->second.table = 1'002;
    return table;
  }();
  EXPECT_EQ(differences<RuleKind>(wanted).size(), 1U);
  auto actual = tables_.read<RuleKind>().value();
  ASSERT_TRUE(tables_.write(reconcile::diff<RuleKind>(wanted, actual)));
  EXPECT_THAT(differences<RuleKind>(wanted), IsEmpty());
  actual = tables_.read<RuleKind>().value();
  const RuleKind::Table none;
  ASSERT_TRUE(tables_.write(reconcile::diff<RuleKind>(none, actual)));
  EXPECT_EQ(sh("ip rule show; ip -6 rule show"), others);
}

TEST_F(KernelTablesTest, WhatIsNotOverRtnetlinkIsReadThroughItAsWell) {
  const TemporaryDirectory state;
  const FileKind::Table files{{state.path() + "/owned", "x"}};
  std::ofstream(state.path() + "/owned") << "x";
  sh("nft 'add table ip weft-test; add chain ip weft-test c'");
  owned_.nft_tables = {"weft-test"};
  owned_.state_directory = state.path();
  owned_.files = {state.path() + "/owned"};
  tables_ = KernelTables::open(owned_).value();
  EXPECT_EQ(tables_.read<NftKind>("weft-test")->size(), 2U);
  EXPECT_EQ(*tables_.read<FileKind>(), files);
  EXPECT_THAT(*tables_.read<SysctlKind>(), IsEmpty());
  // Another's, whatever it is called.
  EXPECT_EQ(tables_.read<NftKind>("weft-other").error().message,
            "nft table weft-other is not ours");
}

// Another Weft's, a plugin's, an operator's: each of a kind that is ours too.
TEST_F(KernelTablesTest, WhatCarriesOtherMarksIsNotOurs) {
  sh("ip link add weft.2 type bridge; ip link set weft.2 up; ip addr add 10.7.0.1/24 dev weft.2;"
     "ip neigh add 10.7.0.9 lladdr 02:00:00:00:00:09 dev weft.2 nud permanent;"
     "ip route add 10.8.0.0/16 via 172.31.0.2 proto 88; ip rule add priority 50 lookup 77;"
     "ip route add 10.8.0.0/16 via 172.31.0.2 table 77 proto 87");
  EXPECT_EQ(tables_.read<LinkKind>()->size(), 1U);
  EXPECT_THAT(*tables_.read<AddressKind>(), IsEmpty());
  EXPECT_THAT(*tables_.read<NeighborKind>(), IsEmpty());
  EXPECT_THAT(*tables_.read<FdbKind>(), IsEmpty());
  EXPECT_THAT(*tables_.read<RouteKind>(), IsEmpty());
  EXPECT_THAT(*tables_.read<RuleKind>(), IsEmpty());
}

}  // namespace
}  // namespace weft::tables
