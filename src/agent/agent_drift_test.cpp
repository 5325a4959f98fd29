// SPDX-License-Identifier: Apache-2.0
// What others do to our kernel objects, and how the agent mends it: ip, bridge and nft as oracles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "agent/agent_fixture.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class AgentDriftTest : public AgentFixture {
 protected:
  // As the bridge plugin makes it, but for the namespace.
  void start_and_settle_with_a_pod() {
    start_and_settle();
    sh("ip link add veth00000001 group 87 master cni0 type veth peer name pod;"
       " ip link set veth00000001 up; ip link set pod up");
    ASSERT_EQ(verify().exit_code, 0) << verify().text;
  }
};

struct DriftCase {
  const char* name;
  const char* command;
  const char* named;  // what verify must say
};

constexpr DriftCase kDrifts[] = {
    {"RouteDeleted", "ip route del 10.244.2.0/24", "route  10.244.2.0/24"},
    {"RouteAltered", "ip route replace 10.244.2.0/24 via 172.31.0.12 dev eth0 proto 87", "route"},
    {"Ipv6RouteDeleted", "ip -6 route del fd00:10:244:3::/64", "fd00:10:244:3::/64"},
    {"NeighborDeleted", "ip neigh del 10.244.2.0 dev weft.1", "neighbor"},
    {"NeighborAltered",
     "ip neigh replace 10.244.3.0 lladdr 02:00:00:00:00:09 dev weft.1 nud permanent", "neighbor"},
    {"FdbEntryDeleted", "bridge fdb del 02:57:ac:1f:00:0c dev weft.1", "fdb"},
    {"FdbEntryAltered", "bridge fdb replace 02:57:ac:1f:00:0c dev weft.1 dst 172.31.9.9", "fdb"},
    {"TableDeleted", "nft delete table ip weft-services", "weft-services"},
    {"MasqueradeTableDeleted", "nft delete table ip6 weft-podnet", "weft-podnet"},
    {"TableFlushed", "nft flush table ip weft-services", "weft-services"},
    {"MapElementDeleted",
     "nft delete element ip weft-services services '{ 10.96.0.10 . tcp . 80 }'", "10.96.0.10"},
    {"ForeignTableOfOurName", "nft add table inet weft-services", "weft-services"},
    {"SysctlAltered", "echo 0 >/proc/sys/net/ipv4/ip_forward", "net/ipv4/ip_forward"},
    {"Ipv6SysctlAltered", "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding",
     "net/ipv6/conf/all/forwarding"},
    {"BridgeForwardsNoMore", "echo 0 >/proc/sys/net/ipv4/conf/cni0/forwarding",
     "net/ipv4/conf/cni0/forwarding"},
    {"VxlanForwardsNoIpv6", "echo 0 >/proc/sys/net/ipv6/conf/weft.1/forwarding",
     "net/ipv6/conf/weft.1/forwarding"},
    {"RedirectsAllowed", "echo 1 >/proc/sys/net/ipv4/conf/eth0/send_redirects",
     "net/ipv4/conf/eth0/send_redirects"},
    {"BridgeSysctlAltered", "echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables",
     "bridge-nf-call-iptables"},
    {"AddressDeleted", "ip address del 10.244.1.1/24 dev cni0", "10.244.1.1/24"},
    {"Ipv6AddressDeleted", "ip address del fd00:10:244:1::1/64 dev cni0", "fd00:10:244:1::1/64"},
    {"AddressAdded", "ip address add 192.0.2.9/24 dev cni0", "192.0.2.9/24"},
    {"BridgeDeleted", "ip link del cni0", "cni0"},
    {"BridgeDown", "ip link set cni0 down", "cni0"},
    {"BridgeMtuAltered", "ip link set cni0 mtu 1300", "cni0"},
    {"PodDetached", "ip link set veth00000001 nomaster", "without port veth00000001"},
    {"VxlanDown", "ip link set weft.1 down", "weft.1"},
    {"BridgeStpOn", "ip link set cni0 type bridge stp_state 1", "bridge stp on"},
    {"VxlanTtlAltered", "ip link set weft.1 type vxlan ttl 1", "ttl 1"},
    {"VxlanDeleted", "ip link del weft.1", "weft.1"},
    // Where the agent is faster than the second command there is nothing to add.
    {"VxlanOfAnotherNetwork",
     "ip link del weft.1; ip link add weft.1 type vxlan id 9 dstport 8472 local 172.31.0.11 || "
     "true",
     "weft.1"},
    {"UnderlayDownAndUp", "ip link set eth0 down; ip link set eth0 up", ""},
};

TEST_F(AgentDriftTest, MendsDriftByItselfWithinASecond) {
  write_config("  resyncPeriod: 0\n");  // by notifications alone
  start_and_settle_with_a_pod();
  const auto expected = snapshot();
  for (const DriftCase& drift : kDrifts) {
    SCOPED_TRACE(drift.name);
    sh(drift.command);
    EXPECT_TRUE(eventually([&] { return snapshot() == expected; }, 1500ms))
        << difference(expected, snapshot()) << "\n"
        << verify().text;
    if (snapshot() != expected) repair();
  }
  std::ofstream(directory_ + "/cni/10-weft.conflist") << "{}";
  EXPECT_TRUE(eventually([&] {
    return sh("cat " + directory_ + "/cni/10-weft.conflist").find("1450") != std::string::npos;
  }));
  EXPECT_EQ(verify().exit_code, 0) << verify().text;
}

TEST_F(AgentDriftTest, VerifyNamesDriftAndRepairMendsIt) {
  write_config("  resyncPeriod: 0\n  watchKernel: false\n");
  start_and_settle_with_a_pod();
  const auto expected = snapshot();
  for (const DriftCase& drift : kDrifts) {
    SCOPED_TRACE(drift.name);
    sh(drift.command);
    if (*drift.named != '\0') {
      const Report found = verify();
      EXPECT_EQ(found.exit_code, 1);
      EXPECT_THAT(found.text, HasSubstr(drift.named));
      EXPECT_EQ(verify().text, found.text);  // nothing was written
    }
    const Report mended = repair();
    EXPECT_EQ(mended.exit_code, 0) << mended.text;
    EXPECT_THAT(mended.text, HasSubstr(drift.named));
    EXPECT_EQ(difference(expected, snapshot()), "");
    EXPECT_EQ(verify().exit_code, 0) << verify().text;
  }
}

TEST_F(AgentDriftTest, UnderlayThatIsMadeAnewIsSetAgain) {
  write_config("  resyncPeriod: 0\n  podNetwork: {transport: direct}\n");
  start_and_settle();
  const auto expected = snapshot();
  sh("ip link del eth0; ip link add eth0 type veth peer name far; ip link set far up;"
     " ip link set eth0 up; ip address add 172.31.0.11/24 dev eth0");
  EXPECT_TRUE(eventually([&] { return snapshot() == expected; }))
      << difference(expected, snapshot());
  sh("echo 1 >/proc/sys/net/ipv4/conf/eth0/send_redirects");
  EXPECT_TRUE(eventually([&] { return snapshot() == expected; }))
      << difference(expected, snapshot());
}

TEST_F(AgentDriftTest, ARouteComesSoonAfterAnothersInItsPlaceWent) {
  write_config("  resyncPeriod: 0\n");
  sh("ip route add 10.244.2.0/24 via 172.31.0.254");
  start_agent();
  ASSERT_TRUE(eventually([&] { return status().find("Failures      6") != std::string::npos; }))
      << status();  // the next one comes 6 s after the first
  sh("ip route del 10.244.2.0/24");
  EXPECT_TRUE(eventually([&] { return verify().exit_code == 0; }, 1500ms)) << verify().text;
}

TEST_F(AgentDriftTest, APeerThatCannotBeReachedKeepsNoPodsFromThisNode) {
  write_config("  podNetwork: {transport: direct}\n");
  write_node("3", "192.0.2.3");  // beyond a router
  sh("ip route add 10.244.2.0/24 via 172.31.0.254");
  start_agent();
  ASSERT_TRUE(eventually([&] {
    const std::string told = status();
    return told.find("10.244.2.0/24") != std::string::npos &&
           told.find("10.244.3.0/24") != std::string::npos;
  })) << status();
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::exists(directory_ + "/cni/10-weft.conflist");
  })) << status();
}

}  // namespace
}  // namespace weft::agent
