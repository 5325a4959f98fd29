// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link_types.h"

#include <gtest/gtest.h>

namespace weft::netlink {
namespace {

Vxlan vxlan() { return {1, 8472, *IpAddress::parse("192.0.2.1")}; }

TEST(LinkTypes, ALinkIsAnotherWhereMoreThanASettingDiffers) {
  Vxlan ttl = vxlan();
  ttl.ttl = 5;
  EXPECT_FALSE(same(vxlan(), ttl));
  EXPECT_TRUE(changes_in_place(vxlan(), ttl));
  Vxlan vni = vxlan();
  vni.vni = 2;
  EXPECT_FALSE(same(vxlan(), vni));
  EXPECT_FALSE(changes_in_place(vxlan(), vni));
  EXPECT_TRUE(changes_in_place(Bridge{true}, Bridge{}));
  EXPECT_FALSE(changes_in_place(Bridge{}, vxlan()));
  EXPECT_FALSE(changes_in_place(Bridge{}, {}));
}

TEST(LinkTypes, WhoDesiresNoTypeTakesAny) {
  EXPECT_TRUE(same({}, vxlan()));
  EXPECT_TRUE(same({}, {}));
}

TEST(LinkTypes, APeerIsOutOfSight) {
  EXPECT_TRUE(same(Veth{{"eth0"}}, Veth{}));
  EXPECT_TRUE(is_pair(Veth{}));
  EXPECT_FALSE(is_pair(Bridge{}));
}

TEST(LinkTypes, TwoOfOneVniPortAndFamilyClash) {
  Vxlan other = vxlan();
  other.local = *IpAddress::parse("192.0.2.2");
  EXPECT_EQ(clash(vxlan(), other), "VNI 1, port 8472");
  other.local = *IpAddress::parse("2001:db8::1");
  EXPECT_EQ(clash(vxlan(), other), "");
  EXPECT_EQ(clash(vxlan(), Bridge{}), "");
}

TEST(LinkTypes, AreWrittenAsAnOperatorWould) {
  EXPECT_EQ(to_string(LinkType{}), "");
  EXPECT_EQ(to_string(Bridge{true}), "bridge stp on");
  EXPECT_EQ(to_string(Veth{{"eth0"}}), "veth peer eth0");
  Vxlan ttl = vxlan();
  ttl.ttl = 5;
  EXPECT_EQ(to_string(ttl), "vxlan id 1 local 192.0.2.1 dstport 8472 ttl 5");
  EXPECT_EQ(udp_port(ttl), 8472);
  EXPECT_EQ(udp_port(Bridge{}), std::nullopt);
}

}  // namespace
}  // namespace weft::netlink
