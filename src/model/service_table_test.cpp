// SPDX-License-Identifier: Apache-2.0
#include "model/service_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(Text, OfFrontendsAndBackends) {
  EXPECT_EQ((Frontend{ip("10.96.0.10"), Protocol::kUdp, 53}).to_string(), "10.96.0.10:53/UDP");
  EXPECT_EQ((Frontend{ip("fd00::1"), Protocol::kTcp, 80}).to_string(), "[fd00::1]:80/TCP");
  EXPECT_EQ((Backend{ip("fd00::2"), 80, false}).to_string(), "[fd00::2]:80");
}

// A table as it is read from the kernel has other pools than a compiled one: every frontend moves.
TEST(Difference, BetweenPoolsOfOtherNames) {
  const Frontend web{ip("10.96.0.10"), Protocol::kTcp, 80};
  const Backend one{ip("10.244.1.2"), 8080, false};
  const Backend two{ip("10.244.2.2"), 8080, false};
  ServiceTable left;
  add_with_own_pool(left, web, {FrontendKind::kClusterIp, {one, two}, false});
  const PoolKey pool{{"default", "web"}, "http", Protocol::kTcp, IpFamily::kIpv4};
  ServiceTable now;
  now.frontends[web] = {FrontendKind::kClusterIp, false, pool};
  now.pools[pool] = {{two}, {web}};
  now.cluster_ips[web.address] = 1;

  const ServiceDelta delta = difference(left, now);
  ASSERT_EQ(delta.frontends.size(), 1U);
  EXPECT_TRUE(delta.frontends[0].moved());
  EXPECT_THAT(delta.cluster_ips, IsEmpty());
  ASSERT_EQ(delta.pools.size(), 2U);
  EXPECT_THAT(delta.find(pool)->frontends, IsEmpty());
  EXPECT_EQ(size_before(now, delta, delta.frontends[0].previous->pool), 2U);
  EXPECT_THAT(backends_before(now, delta, delta.frontends[0].previous->pool),
              ElementsAre(one, two));
  EXPECT_EQ(size_before(now, delta, pool), 0U);
}

}  // namespace
}  // namespace weft::model
