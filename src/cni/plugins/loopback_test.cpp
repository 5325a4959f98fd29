// SPDX-License-Identifier: Apache-2.0
// The loopback plugin, executed in real namespaces.
#include "cni/plugins/cluster_fixture.h"

namespace weft::cni {
namespace {

using testing::HasSubstr;

using LoopbackPlugin = ClusterFixture;

TEST_F(LoopbackPlugin, PassesThePreviousResultOn) {
  const std::string bridge = bridge_json(R"([[{"subnet":"10.244.1.0/24"}]])");
  const auto result =
      runtime_.add(network(bridge + R"(,{"type":"loopback"})"), attachment("abc", pod_));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->interfaces.size(), 3U);
  EXPECT_EQ(result->ips.size(), 1U);
}

TEST_F(LoopbackPlugin, Alone) {
  const ConfigurationList list = network(R"({"type":"loopback"})");
  const auto result = runtime_.add(list, attachment("abc", pod_));
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->interfaces.size(), 1U);
  EXPECT_EQ(result->interfaces[0].name, "lo");
  EXPECT_EQ(result->interfaces[0].mac, "00:00:00:00:00:00");
  ASSERT_EQ(result->ips.size(), 2U);
  EXPECT_EQ(result->ips[0].address.to_string(), "127.0.0.1/8");
  EXPECT_EQ(result->ips[1].address.to_string(), "::1/128");
  EXPECT_TRUE(can_ping(pod_, "127.0.0.1"));
  EXPECT_TRUE(runtime_.del(list, attachment("abc", pod_)));
  EXPECT_THAT(in(pod_, "ip -br link show dev lo"), HasSubstr("DOWN"));
}

}  // namespace
}  // namespace weft::cni
