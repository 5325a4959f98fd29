// SPDX-License-Identifier: Apache-2.0
#include "tables/link_driver.h"

#include <gmock/gmock.h>

#include "tables/driver_fixture.h"

namespace weft::tables {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class LinkDriverTest : public DriverFixture {
 protected:
  LinkDriverTest() { sh("ip link add eth0 type veth peer name far0; ip link set eth0 up"); }

  static LinkKind::Table node() {
    LinkKind::Table table;
    LinkKind::Value bridge;
    bridge.type = netlink::Bridge{};
    bridge.mtu = 1450;
    bridge.mac = mac("02:58:00:00:00:01");
    table["cni0"] = bridge;
    LinkKind::Value vxlan;
    vxlan.type = netlink::Vxlan{1, 8472, ip("172.31.0.11")};
    vxlan.lower = "eth0";
    vxlan.mtu = 1450;
    vxlan.mac = mac("02:57:00:00:00:01");
    table["weft.1"] = vxlan;
    return table;
  }
  static std::string index_of(const std::string& link) {
    return sh("cat /sys/class/net/" + link + "/ifindex 2>/dev/null || ip -o link show " + link +
              " | cut -d: -f1");
  }

  LinkDriver driver_{socket_, {.links = {"cni0", "weft.1"}, .port_group = 87}};
};

TEST_F(LinkDriverTest, WritesAndReadsBackANodesLinks) {
  EXPECT_THAT(
      drift(driver_, node()),
      ElementsAre(
          "missing cni0:  -> bridge up mtu 1450 address 02:58:00:00:00:01",
          "missing weft.1:  -> vxlan id 1 local 172.31.0.11 dstport 8472 dev eth0 up mtu 1450 "
          "address 02:57:00:00:00:01"));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip -d -o link show weft.1"),
              AllOf(HasSubstr("vxlan id 1 local 172.31.0.11 dev eth0"), HasSubstr("nolearning"),
                    HasSubstr("mtu 1450")));
}

TEST_F(LinkDriverTest, SettingsAreMendedInPlace) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  const std::string index = index_of("weft.1");
  sh("ip link set weft.1 down mtu 1400 address 02:00:00:00:00:09; ip link set cni0 down");
  EXPECT_THAT(drift(driver_, node()),
              ElementsAre(StartsWith("different cni0: bridge down"),
                          StartsWith("different weft.1: vxlan id 1 local 172.31.0.11 dstport 8472 "
                                     "dev eth0 down mtu 1400 address 02:00:00:00:00:09")));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_EQ(index_of("weft.1"), index);
}

TEST_F(LinkDriverTest, SettingsOfATypeAreMendedInPlace) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  const std::string bridge = index_of("cni0");
  const std::string vxlan = index_of("weft.1");
  sh("ip link set cni0 type bridge stp_state 1; ip link set weft.1 type vxlan ttl 1");
  EXPECT_THAT(
      drift(driver_, node()),
      ElementsAre(StartsWith("different cni0: bridge stp on up"),
                  StartsWith("different weft.1: vxlan id 1 local 172.31.0.11 dstport 8472 ttl 1 "
                             "dev eth0 up")));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_EQ(index_of("cni0"), bridge);
  EXPECT_EQ(index_of("weft.1"), vxlan);
  EXPECT_THAT(sh("ip -d link show weft.1"),
              AllOf(HasSubstr("vxlan id 1 local 172.31.0.11 dev eth0"), HasSubstr("mtu 1450"),
                    HasSubstr("nolearning")));
}

TEST_F(LinkDriverTest, ALinkThatBecameAnotherIsMadeAnew) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip link add eth1 type veth peer name far1");
  using netlink::Vxlan;
  for (const auto& [vxlan, lower] : {std::pair{Vxlan{2, 8472, ip("172.31.0.11")}, "eth0"},
                                     std::pair{Vxlan{2, 4789, ip("172.31.0.11")}, "eth0"},
                                     std::pair{Vxlan{2, 4789, ip("172.31.0.12")}, "eth0"},
                                     std::pair{Vxlan{2, 4789, ip("172.31.0.12")}, "eth1"},
                                     std::pair{Vxlan{2, 4789, ip("2001:db8::1")}, "eth1"}}) {
    const std::string index = index_of("weft.1");
    LinkKind::Table desired = node();
    desired["weft.1"].type = vxlan;
    desired["weft.1"].lower = lower;
    if (vxlan.local.is_v6()) desired["weft.1"].mtu = 1430;
    EXPECT_THAT(repair(driver_, desired), IsEmpty());
    EXPECT_NE(index_of("weft.1"), index);
  }
  sh("ip link del weft.1; ip link add weft.1 type bridge");
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
}

TEST_F(LinkDriverTest, RemovesItsOwnAndNothingElse) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip link add cni1 type bridge");
  EXPECT_THAT(repair(driver_, {}), IsEmpty());
  EXPECT_THAT(sh("ip -o link"), AllOf(HasSubstr("eth0"), HasSubstr("cni1"), Not(HasSubstr("cni0")),
                                      Not(HasSubstr("weft.1"))));
  EXPECT_THAT(remove<LinkKind>(driver_, {{"cni0", {}}}), IsEmpty());
}

TEST_F(LinkDriverTest, ABridgeKeepsItsMtuWhenItsLastPortGoes) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip link add p0 mtu 1400 type veth peer name p1; ip link set p0 master cni0; ip link del p0");
  EXPECT_THAT(drift(driver_, node()), IsEmpty());
}

TEST_F(LinkDriverTest, ARenamedLinkGetsItsNameBackWithItsPorts) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  const std::string bridge = index_of("cni0");
  const std::string vxlan = index_of("weft.1");
  sh("ip link add p0 type veth peer name p1; ip link set p0 master cni0;"
     "ip link set cni0 down; ip link set cni0 name other0;"
     "ip link set weft.1 down; ip link set weft.1 name other1");
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_EQ(index_of("cni0"), bridge);
  EXPECT_EQ(index_of("weft.1"), vxlan);
  EXPECT_THAT(sh("ip -o link show p0"), HasSubstr("master cni0"));
  EXPECT_THAT(sh("ip -o link"), Not(HasSubstr("other")));
}

TEST_F(LinkDriverTest, ABridgeThatWasDeletedTakesBackItsPods) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("for i in 1 2; do ip link add p$i type veth peer name q$i; ip link set p$i group 87 master "
     "cni0;"
     "done; ip link add p3 type veth peer name q3; ip link set p3 master cni0;"
     "ip link add br9 type bridge; ip link add p4 type veth peer name q4;"
     "ip link set p4 group 87 master br9; ip link del cni0");
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  for (const char* port : {"p1", "p2"})
    EXPECT_THAT(sh(std::string("ip -d -o link show ") + port),
                AllOf(HasSubstr("master cni0"), HasSubstr("hairpin on")));
  EXPECT_THAT(sh("ip -o link show p3"), Not(HasSubstr("master")));
  EXPECT_THAT(sh("ip -o link show p4"), HasSubstr("master br9"));
}

TEST_F(LinkDriverTest, ABridgeThatLacksAPodsPortIsDifferentUntilItHasIt) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  const std::string index = index_of("cni0");
  sh("for i in 1 2; do ip link add p$i type veth peer name q$i; ip link set p$i group 87 master "
     "cni0;"
     "done; ip link set p1 nomaster");
  EXPECT_THAT(drift(driver_, node()),
              ElementsAre("different cni0: bridge up mtu 1450 address 02:58:00:00:00:01 without "
                          "port p1 -> bridge up mtu 1450 address 02:58:00:00:00:01"));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_THAT(sh("ip -d -o link show p1"),
              AllOf(HasSubstr("master cni0"), HasSubstr("hairpin on")));
  EXPECT_EQ(index_of("cni0"), index);
  // Made by an agent that was killed before it attached them.
  sh("ip link del cni0; ip link add cni0 address 02:58:00:00:00:01 type bridge;"
     "ip link set cni0 up mtu 1450");
  EXPECT_THAT(drift(driver_, node()), ElementsAre(HasSubstr(" without ports p1, p2 -> ")));
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
}

TEST_F(LinkDriverTest, APortThatCannotBeAttachedIsNamedAndTriedAgain) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip link add p1 group 87 type veth peer name q1; ip link add taken link p1 type macvlan");
  EXPECT_THAT(repair(driver_, node()),
              ElementsAre("cni0: port p1: RTM_NEWLINK: Device or resource busy"));
  EXPECT_THAT(drift(driver_, node()), ElementsAre(HasSubstr("without port p1")));
  sh("ip link set cni0 mtu 1400");
  EXPECT_THAT(repair(driver_, node()),
              ElementsAre("half done, cni0: port p1: RTM_NEWLINK: Device or resource busy"));
  sh("ip link add p2 group 87 type veth peer name q2");
  EXPECT_THAT(repair(driver_, node()),
              ElementsAre("half done, cni0: port p1: RTM_NEWLINK: Device or resource busy"));
  sh("ip link del cni0");
  EXPECT_THAT(repair(driver_, node()),
              ElementsAre("half done, cni0: port p1: RTM_NEWLINK: Device or resource busy"));
  sh("ip link del taken");
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
}

// Another process has the port; what was made stays down, so that trying again tells nobody.
TEST_F(LinkDriverTest, ATakenUdpPortIsNamedAndTheLinkComesUpOnceItIsFree) {
  sh("ip link add vx9 type vxlan id 9 local 172.31.0.11 dev eth0 dstport 8472 gbp;"
     " ip link set vx9 up");  // with an extension, which no other link can share the port with
  const std::string taken = "weft.1: UDP port 8472 is taken: RTM_NEWLINK: Address already in use";
  EXPECT_THAT(repair(driver_, node()), ElementsAre("half done, " + taken));
  const std::string index = index_of("weft.1");
  EXPECT_THAT(drift(driver_, node()), ElementsAre(StartsWith("different weft.1: vxlan id 1 local "
                                                             "172.31.0.11 dstport 8472 dev eth0 "
                                                             "down mtu 1450")));
  EXPECT_THAT(repair(driver_, node()), ElementsAre(taken));
  sh("ip link del vx9");
  EXPECT_THAT(repair(driver_, node()), IsEmpty());
  EXPECT_EQ(index_of("weft.1"), index);
}

TEST_F(LinkDriverTest, AnotherVxlanInTheWayIsNamedAndNotTouched) {
  sh("ip link add flannel.1 type vxlan id 1 local 172.31.0.11 dev eth0 dstport 8472");
  EXPECT_THAT(repair(driver_, node()),
              ElementsAre("weft.1: VNI 1, port 8472 is taken by link flannel.1"));
  sh("ip link show flannel.1");
}

TEST_F(LinkDriverTest, OneThatIsGoneAndCannotBeMadeAnewIsHalfDone) {
  ASSERT_THAT(repair(driver_, node()), IsEmpty());
  sh("ip link add flannel.2 type vxlan id 2 local 172.31.0.11 dev eth0 dstport 8472");
  LinkKind::Table desired = node();
  desired["weft.1"].type = netlink::Vxlan{2, 8472, ip("172.31.0.11")};
  EXPECT_THAT(repair(driver_, desired),
              ElementsAre(StartsWith("half done, weft.1: RTM_NEWLINK: File exists")));
  EXPECT_THAT(sh("ip -o link"), Not(HasSubstr("weft.1")));
}

TEST_F(LinkDriverTest, AddingWhatIsThereTakesItOver) {
  sh("ip link add cni0 type bridge");
  const auto desired = node();
  EXPECT_THAT(add<LinkKind>(driver_, desired), IsEmpty());
  EXPECT_THAT(drift(driver_, desired), IsEmpty());
}

TEST_F(LinkDriverTest, AVethWithMasterGroupAndHairpinInOneWrite) {
  const Netns pod = fresh_netns();
  LinkDriver driver(socket_, {.links = {"cni0", "veth1"}});
  LinkKind::Table desired = node();
  desired.erase("weft.1");
  LinkKind::Value veth;
  veth.type = netlink::Veth{{"eth0", mac("02:00:00:00:00:22"), 1450}};
  veth.peer_netns = path_of(pod);
  veth.mtu = 1450;
  veth.master = "cni0";
  veth.group = 87;
  veth.hairpin = true;
  desired["veth1"] = veth;
  reconcile::Changes<LinkKind> changes;
  for (const std::string name : {"veth1", "cni0"})
    changes.emplace_back(desired.find(name)->first, nullptr, &desired.at(name));
  EXPECT_THAT(write<LinkKind>(driver, changes), IsEmpty());
  EXPECT_THAT(drift(driver, desired), IsEmpty());
  {
    const NetnsGuard inside = NetnsGuard::enter(pod).value();
    EXPECT_THAT(sh("ip -o link show eth0"),
                AllOf(HasSubstr("02:00:00:00:00:22"), HasSubstr("1450")));
  }
  sh("ip link set veth1 nomaster group 0");
  EXPECT_THAT(drift(driver, desired), ElementsAre(StartsWith("different veth1: veth up mtu 1450")));
  EXPECT_THAT(repair(driver, desired), IsEmpty());
  sh("bridge link set dev veth1 hairpin off");
  EXPECT_THAT(drift(driver, desired), ElementsAre(HasSubstr("hairpin off -> veth peer eth0")));
  EXPECT_THAT(repair(driver, desired), IsEmpty());
  desired["veth1"].master = "";
  desired["veth1"].group = 0;
  desired["veth1"].hairpin.reset();
  EXPECT_THAT(repair(driver, desired), IsEmpty());
}

TEST_F(LinkDriverTest, ErrorsNameTheLink) {
  LinkKind::Value vxlan = node().at("weft.1");
  vxlan.lower = "nonesuch";
  EXPECT_THAT(add<LinkKind>(driver_, {{"weft.1", vxlan}}),
              ElementsAre("weft.1: link nonesuch: No such device"));
  vxlan.type = netlink::Vxlan{1U << 24, 8472, ip("172.31.0.11")};
  vxlan.lower = "eth0";
  EXPECT_THAT(add<LinkKind>(driver_, {{"weft.1", vxlan}}),
              ElementsAre(StartsWith("weft.1: RTM_NEWLINK: ")));
  LinkKind::Value settings;
  EXPECT_THAT(add<LinkKind>(driver_, {{"eth9", settings}}),
              ElementsAre("eth9: link eth9: No such device"));
}

TEST_F(LinkDriverTest, OnlySettingsOfALinkThatIsThereAnyway) {
  LinkDriver driver(socket_, {.links = {"far0"}});
  LinkKind::Value settings;
  settings.mtu = 1280;
  EXPECT_THAT(repair(driver, {{"far0", settings}}), IsEmpty());
  EXPECT_THAT(sh("ip -o link show far0"), AllOf(HasSubstr("mtu 1280"), HasSubstr("UP")));
}

}  // namespace
}  // namespace weft::tables
