// SPDX-License-Identifier: Apache-2.0
#include "tables/notifications.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <chrono>

#include "tables/driver_fixture.h"

namespace weft::tables {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

class NotificationsTest : public DriverFixture {
 protected:
  NotificationsTest() {
    // Without link-local addresses, whose detection of duplicates would speak up seconds later.
    sh("echo 1 > /proc/sys/net/ipv6/conf/default/addr_gen_mode;"
       "ip link set lo up; ip link add eth0 type veth peer name far0; ip link set eth0 up;"
       "ip link set far0 up; ip addr add 172.31.0.11/24 dev eth0; ip link add cni0 type bridge;"
       "ip link set cni0 up; ip link add weft.1 type vxlan id 1 local 172.31.0.11 dev eth0 "
       "dstport 8472 nolearning; ip link set weft.1 up;"
       "ip link add veth1 type veth peer name pod1; ip link set veth1 group 87 up;"
       "ip link set pod1 group 87 up");
    for (const char* link : {"eth0", "far0", "veth1", "pod1"}) wait_until_up(link);
    all_.rest_on({.links = {"eth0"}, .addresses = {ip("172.31.0.11")}});
    route_ =
        netlink::Listener::open(NETLINK_ROUTE, netns_, Notifications::kRouteGroups, {}).value();
    netfilter_ =
        netlink::Listener::open(NETLINK_NETFILTER, netns_, Notifications::kNetfilterGroups, {})
            .value();
  }

  // That a link has its carrier, a work queue finds and tells, a second later maybe.
  static void wait_until_up(const std::string& link) {
    sh("for i in $(seq 500); do ip -o link show " + link +
       " | grep -q 'state UP' && break; sleep 0.02; done");
  }
  // A bridge tells of its first port, and of the MAC address it takes from its ports.
  static void give_bridge_a_port() {
    sh("ip link set cni0 address 02:58:00:00:00:01; ip link add eth7 type veth peer name far7;"
       "ip link set eth7 up master cni0; ip link set far7 up");
    wait_until_up("cni0");
  }

  // What a command touches.
  Notifications::Touched after(const std::string& command) {
    drain();
    sh(command);
    return drain();
  }
  // Whether it touches `kind`, now or (an IPv6 address is told of by a work queue) soon.
  bool touches(std::string_view kind, const std::string& command) {
    Notifications::Touched touched = after(command);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!touched.kinds.contains(kind) && std::chrono::steady_clock::now() < deadline) {
      pollfd waiting{route_.fd(), POLLIN, 0};
      poll(&waiting, 1, 100);
      touched = drain();
    }
    return touched.kinds.contains(kind);
  }
  Notifications::Touched drain() {
    const auto route = route_.receive([&](const auto& message) { all_.take_route(message); });
    const auto nft = netfilter_.receive([&](const auto& message) { all_.take_netfilter(message); });
    EXPECT_TRUE(route && nft && !route->lost && !nft->lost);
    return all_.collect();
  }

  Notifications all_{socket_,
                     {.links = {"cni0", "weft.1"},
                      .protocol = 87,
                      .port_group = 87,
                      .nft_tables = {"weft-podnet", "weft-services"}}};
  netlink::Listener route_{};
  netlink::Listener netfilter_{};
};

TEST_F(NotificationsTest, ALinkOfOursTouchesWhatRestsOnIt) {
  EXPECT_THAT(after("ip link set weft.1 down").kinds,
              UnorderedElementsAre("link", "address", "neighbor", "fdb", "route", "sysctl"));
  EXPECT_THAT(after("ip link del weft.1").kinds, IsSupersetOf({"link", "route"}));
  EXPECT_THAT(after("ip link add weft.1 type bridge").kinds, IsSupersetOf({"link", "address"}));
  EXPECT_THAT(after("ip link set cni0 down; ip link set cni0 name cni9").kinds, Contains("link"));
}

TEST_F(NotificationsTest, TheUnderlaysStateAndItsAddress) {
  const auto mtu = after("ip link set eth0 mtu 1400");
  EXPECT_TRUE(mtu.underlay);
  EXPECT_THAT(mtu.kinds, UnorderedElementsAre("link", "route", "sysctl"));
  const auto down = after("ip link set eth0 down");
  EXPECT_TRUE(down.underlay);
  EXPECT_THAT(down.kinds, Contains("route"));
  EXPECT_TRUE(after("ip link set eth0 up").underlay);
  const auto same = after("ip link set eth0 alias uplink; ip link set eth0 promisc on");
  EXPECT_FALSE(same.underlay);
  EXPECT_THAT(same.kinds, IsEmpty()) << "nothing that anything rests on";
  const auto second = after("ip addr add 172.31.0.12/24 dev eth0");
  EXPECT_FALSE(second.underlay);
  EXPECT_THAT(second.kinds, IsEmpty());
  const auto gone = after("ip addr del 172.31.0.11/24 dev eth0");
  EXPECT_TRUE(gone.underlay);
  EXPECT_THAT(gone.kinds, Contains("route"));
  EXPECT_TRUE(after("ip addr add 172.31.0.11/24 dev far0").underlay) << "it moves there";
  EXPECT_TRUE(after("ip link set eth0 down; ip link set eth0 name eth1").underlay);
  EXPECT_TRUE(after("ip link add eth0 type bridge").underlay);
}

TEST_F(NotificationsTest, LinksThatNothingOfOursRestsOn) {
  const auto others = after(
      "ip link add br7 type bridge; ip link set br7 up; ip addr add 10.7.0.1/24 dev br7;"
      "ip link set far0 master br7; ip link set far0 nomaster; ip link set br7 mtu 1400;"
      "ip addr del 10.7.0.1/24 dev br7; ip link del br7");
  EXPECT_THAT(others.kinds, IsEmpty());
  EXPECT_FALSE(others.underlay);
  EXPECT_FALSE(others.links_anew);
}

TEST_F(NotificationsTest, ALinkThatWasHeardOfMayBeAnotherAfterALoss) {
  after("ip link set far0 mtu 1400");  // heard of as far0
  sh("ip link del cni0; ip link set far0 down; ip link set far0 name cni0; ip link set cni0 up");
  wait_until_up("cni0");
  (void)route_.receive([](const auto&) {});  // lost
  EXPECT_THAT(after("ip addr add 10.244.1.1/24 dev cni0").kinds, IsEmpty()) << "so it would be";
  all_.forget();
  EXPECT_THAT(after("ip addr add 10.244.1.2/24 dev cni0").kinds, Contains("address"));
}

TEST_F(NotificationsTest, PodsLinksAreNobodysBusiness) {
  after("ip link set veth1 mtu 1400");
  const auto pod = after(
      "ip link set veth1 mtu 1300; ip addr add 10.9.9.9/32 dev veth1;"
      "ip neigh add 10.9.9.8 lladdr 02:00:00:00:00:01 dev veth1 nud permanent");
  EXPECT_THAT(pod.kinds, IsEmpty());
  EXPECT_FALSE(pod.underlay);
}

TEST_F(NotificationsTest, APodsLinkThatLosesItsBridgeTouchesLinks) {
  give_bridge_a_port();
  sh("ip link set veth1 master cni0");
  EXPECT_THAT(after("ip link set veth1 nomaster").kinds, UnorderedElementsAre("link"));
  EXPECT_THAT(after("ip link set veth1 alias pod").kinds, IsEmpty()) << "it was told of";
  EXPECT_THAT(after("ip link set veth1 master cni0").kinds, IsEmpty());
  EXPECT_THAT(
      after("ip link set veth1 down; ip link set veth1 nomaster; ip link set veth1 up").kinds,
      UnorderedElementsAre("link"));
}

TEST_F(NotificationsTest, PodsThatComeAndGoTouchNothing) {
  give_bridge_a_port();
  EXPECT_THAT(
      after("ip link add veth2 group 87 master cni0 up type veth peer name pod2 group 87").kinds,
      IsEmpty());
  EXPECT_THAT(sh("ip -o link show veth2"), AllOf(HasSubstr("master cni0"), HasSubstr("UP")));
  EXPECT_THAT(after("ip link del veth2").kinds, IsEmpty());
}

TEST_F(NotificationsTest, AddressesAndNeighborsOfOurLinksOnly) {
  EXPECT_THAT(after("ip addr add 10.244.1.1/24 dev cni0").kinds, Contains("address"));
  EXPECT_TRUE(touches("address", "ip addr add fd00:10:244:1::1/64 dev cni0 nodad"));
  EXPECT_THAT(
      after("ip neigh add 10.244.1.9 lladdr 02:00:00:00:00:01 dev cni0 nud reachable").kinds,
      Not(Contains("neighbor")));
  EXPECT_THAT(after("ip neigh add 10.244.2.0 lladdr 02:00:00:00:00:01 dev weft.1 nud stale").kinds,
              Contains("neighbor"));
  EXPECT_THAT(
      after("bridge fdb add 02:00:00:00:00:05 dev weft.1 dst 172.31.0.15 self permanent").kinds,
      Contains("fdb"));
  sh("ip link add vx9 type vxlan id 9 local 172.31.0.11 dev eth0 dstport 9999; ip link set vx9 up");
  EXPECT_THAT(after("bridge fdb add 02:00:00:00:00:05 dev vx9 dst 172.31.0.15 self permanent;"
                    "ip neigh add 172.31.0.44 lladdr 02:00:00:00:00:01 dev eth0 nud permanent")
                  .kinds,
              AllOf(Not(Contains("fdb")), Not(Contains("neighbor"))));
}

TEST_F(NotificationsTest, RoutesOfOursAndThoseThatTakeTheirPlace) {
  EXPECT_THAT(after("ip route add 10.244.2.0/24 via 172.31.0.2 proto 87").kinds, Contains("route"));
  const auto replaced = after("ip route replace 10.244.2.0/24 via 172.31.0.3 proto static");
  EXPECT_THAT(replaced.kinds, IsEmpty()) << "whoever knows what is desired says whether it matters";
  EXPECT_THAT(replaced.replaced, ElementsAre(RouteKind::Key{prefix("10.244.2.0/24"), 0}));
  EXPECT_THAT(after("ip -6 route add fd00:10:244:2::/64 dev cni0 proto 87").kinds,
              Contains("route"));
  EXPECT_THAT(after("ip -6 route del fd00:10:244:2::/64 proto 87").kinds, Contains("route"));
  EXPECT_THAT(after("ip route add 10.77.0.0/16 via 172.31.0.2; ip route del 10.77.0.0/16;"
                    "ip route add 10.77.0.0/16 via 172.31.0.2 table 77 proto 87")
                  .kinds,
              Not(Contains("route")));
}

TEST_F(NotificationsTest, AnothersRouteThatGoesIsTold) {
  EXPECT_FALSE(after("ip route add 10.244.2.0/24 via 172.31.0.2").others_route);
  EXPECT_TRUE(after("ip route del 10.244.2.0/24").others_route);
  EXPECT_FALSE(after("ip route add blackhole 10.244.2.0/24 table 77;"
                     "ip route del blackhole 10.244.2.0/24 table 77")
                   .others_route);
}

TEST_F(NotificationsTest, SysctlsThatForward) {
  sh("echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
  EXPECT_THAT(after("echo 1 > /proc/sys/net/ipv4/ip_forward").kinds, Contains("sysctl"));
  EXPECT_THAT(after("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding").kinds, Contains("sysctl"));
  for (const std::string links : {"ipv4/conf", "ipv6/conf"}) {
    const std::string directory = "echo 0 > /proc/sys/net/" + links;
    EXPECT_THAT(after(directory + "/cni0/forwarding").kinds, UnorderedElementsAre("sysctl"));
    EXPECT_THAT(after(directory + "/veth1/forwarding").kinds, IsEmpty());
  }
}

TEST_F(NotificationsTest, OurNftTables) {
  EXPECT_THAT(after("nft add table ip weft-podnet").kinds, UnorderedElementsAre("nft weft-podnet"));
  EXPECT_THAT(after("nft add chain ip weft-podnet c; nft add rule ip weft-podnet c accept").kinds,
              UnorderedElementsAre("nft weft-podnet"));
  EXPECT_THAT(after("nft add set ip weft-podnet s '{ type ipv4_addr; }';"
                    "nft add element ip weft-podnet s '{ 10.0.0.1 }'")
                  .kinds,
              UnorderedElementsAre("nft weft-podnet"));
  EXPECT_THAT(after("nft add table ip other; nft add chain ip other c").kinds, IsEmpty());
  EXPECT_THAT(after("nft add table ip weft-another").kinds, IsEmpty()) << "another Weft's";
  EXPECT_THAT(after("nft delete table ip weft-podnet").kinds,
              UnorderedElementsAre("nft weft-podnet"));
}

}  // namespace
}  // namespace weft::tables
