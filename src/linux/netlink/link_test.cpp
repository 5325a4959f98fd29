// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "linux/netlink/rtnetlink_fixture.h"

namespace weft::netlink {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class LinkTest : public RtnetlinkFixture {
 protected:
  void add(const Link& link) {
    Batch batch;
    put_link(batch, link);
    run(batch);
  }
  void change(const Link& link) {
    Batch batch;
    put_link_change(batch, link);
    run(batch);
  }
  static Link named(const std::string& name) {
    Link link;
    link.name = name;
    return link;
  }
  void add_veth(const std::string& name, const std::string& peer) {
    Link link = named(name);
    link.type = Veth{{peer}};
    add(link);
  }
};

TEST_F(LinkTest, Bridge) {
  Link link = named("br0");
  link.type = Bridge{};
  link.up = true;
  link.mac = mac("02:00:00:00:00:01");
  link.mtu = 1450;
  link.group = 87;
  add(link);
  EXPECT_THAT(sh("ip -d -o link show br0"),
              AllOf(HasSubstr("mtu 1450"), HasSubstr("group 87"), HasSubstr("02:00:00:00:00:01"),
                    HasSubstr(" bridge "), HasSubstr(",UP")));
  const Link read = link_named("br0");
  EXPECT_EQ(read.kind, "bridge");
  EXPECT_TRUE(std::holds_alternative<Bridge>(read.type));
  EXPECT_EQ(read.mtu, 1450U);
  EXPECT_EQ(read.group, 87U);
  EXPECT_EQ(read.mac, link.mac);
  EXPECT_EQ(read.up, true);
  EXPECT_EQ(read.master, 0U);
  EXPECT_EQ(read.hairpin, std::nullopt);
}

TEST_F(LinkTest, VxlanOfBothFamilies) {
  add_veth("under0", "under1");
  for (const char* local : {"192.0.2.1", "2001:db8::1"}) {
    Link link = named("vx0");
    link.type = Vxlan{7, 8472, ip(local)};
    link.lower = index_of("under0");
    add(link);
    EXPECT_THAT(sh("ip -d -o link show vx0"),
                AllOf(HasSubstr("vxlan id 7"), HasSubstr(std::string("local ") + local + " "),
                      HasSubstr("dev under0"), HasSubstr("dstport 8472"), HasSubstr("nolearning")));
    EXPECT_EQ(link_named("vx0").type, link.type);
    EXPECT_EQ(link_named("vx0").lower, link.lower);
    Batch batch;
    put_link_removal(batch, "vx0");
    run(batch);
    EXPECT_EQ(*find_link(socket_, "vx0"), std::nullopt);
  }
}

TEST_F(LinkTest, SettingsOfATypeChangeInPlace) {
  add_veth("under0", "under1");
  const auto write = [&](const Link& link) {
    Batch batch;
    put_link_type_change(batch, link);
    run(batch);
  };
  Link bridge = named("br0");
  bridge.type = Bridge{true};
  add(bridge);
  Link vxlan = named("vx0");
  vxlan.type = Vxlan{7, 8472, ip("192.0.2.1"), 5};
  vxlan.lower = index_of("under0");
  add(vxlan);
  EXPECT_EQ(link_named("br0").type, bridge.type);
  EXPECT_EQ(link_named("vx0").type, vxlan.type);
  bridge.index = index_of("br0");
  bridge.type = Bridge{};
  write(bridge);
  vxlan.index = index_of("vx0");
  std::get<Vxlan>(vxlan.type).ttl = 0;
  write(vxlan);
  EXPECT_THAT(sh("ip -d -o link show br0"), HasSubstr("stp_state 0"));
  EXPECT_EQ(link_named("vx0").type, vxlan.type);
}

TEST_F(LinkTest, VethWithItsPeerBornInAnotherNamespace) {
  const Netns pod = fresh_netns();
  Link bridge = named("br0");
  bridge.type = Bridge{};
  add(bridge);
  Link link = named("veth1");
  link.type = Veth{{"eth0", mac("02:00:00:00:00:22"), 1400}};
  link.peer_netns = pod.fd();
  link.mac = mac("02:00:00:00:00:11");
  link.mtu = 1400;
  link.master = index_of("br0");
  link.group = 87;
  link.up = true;
  link.hairpin = true;
  add(link);
  EXPECT_THAT(sh("ip -d -o link show veth1"),
              AllOf(HasSubstr("mtu 1400"), HasSubstr("master br0"), HasSubstr("hairpin on"),
                    HasSubstr("02:00:00:00:00:11"), HasSubstr("group 87")));
  const Link read = link_named("veth1");
  EXPECT_EQ(read.hairpin, true);
  EXPECT_EQ(read.master, link.master);
  const NetnsGuard inside = NetnsGuard::enter(pod).value();
  EXPECT_THAT(sh("ip -d -o link show eth0"),
              AllOf(HasSubstr("mtu 1400"), HasSubstr("02:00:00:00:00:22"), Not(HasSubstr(",UP"))));
}

TEST_F(LinkTest, SettingsChangeInPlace) {
  add_veth("a0", "a1");
  Link bridge = named("br0");
  bridge.type = Bridge{};
  add(bridge);
  const std::uint32_t index = index_of("a0");
  Link link = named("a0");
  link.mtu = 1300;
  link.mac = mac("02:00:00:00:00:33");
  link.up = true;
  link.group = 5;
  link.master = index_of("br0");
  link.hairpin = true;
  change(link);
  EXPECT_THAT(sh("ip -d -o link show a0"),
              AllOf(HasSubstr("mtu 1300"), HasSubstr("02:00:00:00:00:33"), HasSubstr("group 5"),
                    HasSubstr("master br0"), HasSubstr("hairpin on"), HasSubstr(",UP")));
  Link back;
  back.index = index;
  back.master = 0;
  back.up = false;
  change(back);
  EXPECT_EQ(index_of("a0"), index);
  EXPECT_EQ(link_named("a0").master, 0U);
  EXPECT_EQ(link_named("a0").up, false);
  EXPECT_EQ(link_named("a0").mtu, 1300U);
}

TEST_F(LinkTest, ErrorsAreTheKernels) {
  Batch batch;
  put_link_removal(batch, "nonesuch");
  EXPECT_EQ(error_of(batch), ENODEV);
  put_link_change(batch, named("nonesuch"));
  EXPECT_EQ(error_of(batch), ENODEV);
  add_veth("a0", "a1");
  Link link = named("a0");
  link.type = Bridge{};
  put_link(batch, link);
  EXPECT_EQ(error_of(batch), EEXIST);
  EXPECT_EQ(*find_link(socket_, 999), std::nullopt);
}

}  // namespace
}  // namespace weft::netlink
