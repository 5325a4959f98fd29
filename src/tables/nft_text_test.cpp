// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tables/nft_sample_test.h"

namespace weft::tables {
namespace {

TEST(NftTextTest, DescribesAsAnOperatorWritesIt) {
  const Sample sample(IpFamily::kIpv4);
  const auto definition = [&](const std::string& name) {
    remember_definition(sample.key(NftType::kSet, name).name,
                        sample.table().at(sample.key(NftType::kSet, name)).set());
  };
  definition("services");
  definition("endpoints");
  definition("pod-cidrs");
  const NftKind::Key service = sample.service(10, 53, IPPROTO_UDP);
  EXPECT_EQ(NftKind::describe(service), "ip weft-test map services { 10.96.0.10 . udp . 53 }");
  EXPECT_EQ(NftKind::describe(service, nft_verdict(NFT_GOTO, "n2")), "goto n2");
  EXPECT_EQ(NftKind::describe(sample.endpoint(1, 80, 3)),
            "ip weft-test map endpoints { 10.96.0.1 . tcp . 80 . 3 }");
  EXPECT_EQ(NftKind::describe(sample.endpoint(1, 80, 3), sample.backend(256, 8080)),
            "10.96.1.0 . 8080");
  const NftKind::Key pods =
      sample.element("pod-cidrs", {IpAddress::parse("10.244.0.0").value().bytes()});
  EXPECT_EQ(NftKind::describe(pods, sample.table().at(pods)), "to 10.244.255.255");
  const NftKind::Key chain = sample.key(NftType::kChain, "pre-nat");
  EXPECT_EQ(NftKind::describe(chain), "ip weft-test chain pre-nat");
  EXPECT_EQ(NftKind::describe(chain, sample.table().at(chain)),
            "type nat hook prerouting priority -100; policy accept; ip saddr != @pod-cidrs counter "
            "comment "
            "\"off-cluster\"; ip daddr . meta l4proto . th dport vmap @services");
  EXPECT_EQ(NftKind::describe(sample.key(NftType::kTable, "")), "ip weft-test");
  EXPECT_EQ(NftKind::describe(sample.table().at(sample.key(NftType::kSet, "affinity"))),
            "type ipv4_addr . ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; "
            "flags timeout,dynamic; size 65536");
}

}  // namespace
}  // namespace weft::tables
