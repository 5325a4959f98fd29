// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/pod_route.h"

#include <gtest/gtest.h>

namespace weft::cni {
namespace {

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

std::string error_of(const Route& route) {
  const auto entry = pod_route(route, "eth0", ip("10.1.0.1"));
  return entry ? "" : entry.error().message + " (" + std::to_string(entry.error().code) + ")";
}

TEST(PodRoute, GoesThroughTheFamilysGatewayWhereItHasNone) {
  const auto [key, value] =
      pod_route({.destination = prefix("192.0.2.0/24")}, "eth0", ip("10.1.0.1")).value();
  EXPECT_EQ(key, (tables::RouteKind::Key{prefix("192.0.2.0/24")}));
  EXPECT_EQ(value, (tables::RouteKind::Value{.link = "eth0", .gateway = ip("10.1.0.1")}));
}

TEST(PodRoute, TakesEveryFieldOfTheSpecification) {
  const auto [key, value] = pod_route({.destination = prefix("192.0.2.0/24"),
                                       .gateway = ip("10.1.0.9"),
                                       .mtu = 1400,
                                       .advmss = 1200,
                                       .priority = 7,
                                       .table = 1000,
                                       .scope = 0},
                                      "eth0", ip("10.1.0.1"))
                                .value();
  EXPECT_EQ(key, (tables::RouteKind::Key{prefix("192.0.2.0/24"), 7, 1000}));
  EXPECT_EQ(
      value,
      (tables::RouteKind::Value{
          .link = "eth0", .gateway = ip("10.1.0.9"), .scope = 0, .mtu = 1400, .advmss = 1200}));
}

TEST(PodRoute, ZeroIsUnset) {
  const auto [key, value] =
      pod_route({.destination = prefix("::/0"), .mtu = 0, .advmss = 0, .priority = 0, .table = 0},
                "eth0", ip("fd00::1"))
          .value();
  EXPECT_EQ(key, (tables::RouteKind::Key{prefix("::/0")}));
  EXPECT_EQ(value, (tables::RouteKind::Value{.link = "eth0", .gateway = ip("fd00::1")}));
}

TEST(PodRoute, OfScopeLinkOrHostItLiesOnTheLink) {
  for (const std::uint32_t scope : {253U, 254U}) {
    const auto v4 =
        pod_route({.destination = prefix("192.0.2.0/24"), .scope = scope}, "eth0", ip("10.1.0.1"));
    EXPECT_EQ(v4->second.gateway, std::nullopt);
    EXPECT_EQ(v4->second.scope, scope);
    const auto v6 =
        pod_route({.destination = prefix("2001:db8::/64"), .scope = scope}, "eth0", ip("fd00::1"));
    EXPECT_EQ(v6->second.gateway, std::nullopt);
    EXPECT_EQ(v6->second.scope, std::nullopt);  // the kernel has none there
  }
}

TEST(PodRoute, TheKernelsDefaultMetricOfIpv6IsNone) {
  EXPECT_EQ(pod_route({.destination = prefix("::/0"), .priority = 1024}, "eth0", {})->first.metric,
            0U);
  EXPECT_EQ(
      pod_route({.destination = prefix("0.0.0.0/0"), .priority = 1024}, "eth0", {})->first.metric,
      1024U);
}

TEST(PodRoute, BadValuesAreNamed) {
  const Prefix v4 = prefix("192.0.2.0/24");
  const Prefix v6 = prefix("2001:db8::/64");
  EXPECT_EQ(error_of({.destination = v4, .mtu = 67}),
            "route 192.0.2.0/24: mtu: 67 is not within 68 and 65520 (7)");
  EXPECT_EQ(error_of({.destination = v6, .mtu = 1279}),
            "route 2001:db8::/64: mtu: 1279 is not within 1280 and 65520 (7)");
  EXPECT_EQ(error_of({.destination = v4, .advmss = 65496}),
            "route 192.0.2.0/24: advmss: 65496 is not within 1 and 65495 (7)");
  EXPECT_EQ(error_of({.destination = v4, .scope = 200}),
            "route 192.0.2.0/24: scope: 200 is not 0 (global), 253 (link) or 254 (host) (7)");
  EXPECT_EQ(error_of({.destination = v4, .gateway = ip("10.1.0.9"), .scope = 253}),
            "route 192.0.2.0/24: scope: 253 is not that of a route through a gateway (7)");
  EXPECT_EQ(error_of({.destination = v6, .gateway = ip("fd00::9"), .scope = 253}), "");
}

}  // namespace
}  // namespace weft::cni
