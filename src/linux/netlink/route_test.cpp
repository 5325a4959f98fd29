// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/route.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "linux/netlink/rtnetlink_fixture.h"

namespace weft::netlink {
namespace {

using testing::HasSubstr;

class RouteTest : public RtnetlinkFixture {
 protected:
  RouteTest() {
    sh("ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up;"
       "ip addr add 10.1.0.1/24 dev d0; ip addr add fd00:1::1/64 dev d0 nodad");
    d0_ = index_of("d0");
  }
  Route via(const char* destination, const char* gateway) const {
    Route route;
    route.destination = prefix(destination);
    if (gateway != nullptr) route.gateway = ip(gateway);
    route.link = d0_;
    route.protocol = 87;
    return route;
  }
  void put(const Route& route) {
    Batch batch;
    put_route(batch, route);
    run(batch);
  }
  static std::string shown(const std::string& destination) {
    const std::string family = destination.find(':') == std::string::npos ? "-4" : "-6";
    return sh("ip " + family + " route show " + destination);
  }
  std::uint32_t d0_ = 0;
};

TEST_F(RouteTest, EveryFieldAsIpShowsIt) {
  put(via("10.5.0.0/16", "10.1.0.2"));
  EXPECT_EQ(shown("10.5.0.0/16"), "10.5.0.0/16 via 10.1.0.2 dev d0 proto 87 \n");
  Route onlink = via("10.6.0.0/16", "192.0.2.9");
  onlink.onlink = true;
  onlink.source = ip("10.1.0.1");
  onlink.metric = 50;
  put(onlink);
  EXPECT_EQ(shown("10.6.0.0/16"),
            "10.6.0.0/16 via 192.0.2.9 dev d0 proto 87 src 10.1.0.1 metric 50 onlink \n");
  put(via("10.7.0.0/16", nullptr));
  EXPECT_EQ(shown("10.7.0.0/16"), "10.7.0.0/16 dev d0 proto 87 scope link \n");
  put(via("0.0.0.0/0", "10.1.0.3"));
  EXPECT_EQ(shown("default"), "default via 10.1.0.3 dev d0 proto 87 \n");

  put(via("fd00:5::/64", "fd00:1::2"));
  EXPECT_EQ(shown("fd00:5::/64"),
            "fd00:5::/64 via fd00:1::2 dev d0 proto 87 metric 1024 pref medium\n");
  onlink = via("fd00:6::/64", "2001:db8::9");
  onlink.onlink = true;
  onlink.source = ip("fd00:1::1");
  onlink.metric = 50;
  put(onlink);
  EXPECT_EQ(
      shown("fd00:6::/64"),
      "fd00:6::/64 via 2001:db8::9 dev d0 proto 87 src fd00:1::1 metric 50 onlink pref medium\n");
  put(via("::/0", "fd00:1::3"));
  EXPECT_THAT(shown("::/0"), HasSubstr("default via fd00:1::3 dev d0 proto 87"));
}

TEST_F(RouteTest, ReadsBackWhatWasPut) {
  std::vector<Route> routes{via("10.5.0.0/16", "10.1.0.2"), via("10.7.0.0/16", nullptr),
                            via("0.0.0.0/0", "10.1.0.3"),   via("fd00:5::/64", "fd00:1::2"),
                            via("fd00:7::/64", nullptr),    via("::/0", "fd00:1::3")};
  routes[0].metric = 7;
  routes[3].metric = 7;
  for (const Route& route : routes) put(route);
  sh("ip route add 10.8.0.0/16 via 10.1.0.2; ip route add 10.9.0.0/16 via 10.1.0.2 table 77 proto "
     "87");
  std::vector<std::string> read;
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    const auto listed = list_routes(socket_, {family, RT_TABLE_MAIN, 87});
    ASSERT_TRUE(listed) << listed.error().message;
    for (const Route& route : *listed)
      read.push_back(route.destination.to_string() + " " +
                     (route.gateway ? route.gateway->to_string() : "-") + " " +
                     std::to_string(route.metric) + (route.link == d0_ ? " d0" : ""));
  }
  EXPECT_THAT(read,
              testing::UnorderedElementsAre("10.5.0.0/16 10.1.0.2 7 d0", "10.7.0.0/16 - 0 d0",
                                            "0.0.0.0/0 10.1.0.3 0 d0", "fd00:5::/64 fd00:1::2 7 d0",
                                            "fd00:7::/64 - 0 d0", "::/0 fd00:1::3 0 d0"));
  EXPECT_EQ(list_routes(socket_, {IpFamily::kIpv4, 77, 0})->size(), 1U);
}

TEST_F(RouteTest, ReplacingNeverMultiplies) {
  for (const auto& [destination, first, second] :
       {std::tuple{"10.5.0.0/16", "10.1.0.2", "10.1.0.3"},
        std::tuple{"fd00:5::/64", "fd00:1::2", "fd00:1::3"}}) {
    put(via(destination, first));
    put(via(destination, second));
    EXPECT_THAT(shown(destination), HasSubstr(std::string("via ") + second));
    EXPECT_THAT(shown(destination), testing::Not(HasSubstr(first)));
    put(via(destination, nullptr));
    EXPECT_THAT(shown(destination), testing::Not(HasSubstr("via")));
    put(via(destination, first));
    EXPECT_THAT(shown(destination), HasSubstr(std::string("via ") + first));
    const std::string all = shown(destination);
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 1) << all;
  }
}

TEST_F(RouteTest, ReplacesAMultipathRouteWhole) {
  sh("ip -6 route add fd00:5::/64 proto 87 nexthop via fd00:1::2 nexthop via fd00:1::3");
  sh("ip route add 10.5.0.0/16 proto 87 nexthop via 10.1.0.2 nexthop via 10.1.0.3");
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    const auto before = list_routes(socket_, {family, RT_TABLE_MAIN, 87});
    ASSERT_EQ(before->size(), 1U);
    EXPECT_EQ(before->front().next_hops.size(), 2U);
  }
  put(via("fd00:5::/64", "fd00:1::4"));
  put(via("10.5.0.0/16", "10.1.0.4"));
  EXPECT_EQ(shown("fd00:5::/64"),
            "fd00:5::/64 via fd00:1::4 dev d0 proto 87 metric 1024 pref medium\n");
  EXPECT_EQ(shown("10.5.0.0/16"), "10.5.0.0/16 via 10.1.0.4 dev d0 proto 87 \n");
}

TEST_F(RouteTest, RemovesItsOwnProtocolAndMetricOnly) {
  sh("ip route add 10.5.0.0/16 via 10.1.0.9 proto static metric 10;"
     "ip -6 route add fd00:5::/64 via fd00:1::9 proto static metric 10");
  for (const auto& [destination, gateway] :
       {std::pair{"10.5.0.0/16", "10.1.0.2"}, std::pair{"fd00:5::/64", "fd00:1::2"}}) {
    Route route = via(destination, gateway);
    put(route);
    Batch batch;
    put_route_removal(batch, route);
    run(batch);
    EXPECT_THAT(shown(destination),
                testing::AllOf(HasSubstr("proto static"), testing::Not(HasSubstr("proto 87"))));
    put_route_removal(batch, route);
    EXPECT_EQ(error_of(batch), ESRCH);
    EXPECT_THAT(shown(destination), HasSubstr("proto static"));
  }
}

TEST_F(RouteTest, ANamespaceWithoutRoutesHasNone) {
  Socket there = Socket::open(NETLINK_ROUTE, fresh_netns()).value();
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6})
    EXPECT_TRUE(list_routes(there, {family, RT_TABLE_MAIN, 87})->empty());
}

}  // namespace
}  // namespace weft::netlink
