// SPDX-License-Identifier: Apache-2.0
// The agent as a process in a network namespace, with ip, bridge and nft as oracles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/agent_fixture.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class AgentTest : public AgentFixture {
 protected:
  // From now on `ip monitor`, `bridge monitor` and `nft monitor` write down what changes.
  void start_monitors() const {
    // `set -e` in the subshell would hide a monitor that cannot start.
    const std::string out = directory_ + "/monitor";
    sh("( ip monitor link address route neigh >" + out + ".ip 2>&1 & echo $! >" + out +
       ".pids; bridge monitor fdb >" + out + ".fdb 2>&1 & echo $! >>" + out +
       ".pids; stdbuf -oL nft monitor >" + out + ".nft 2>&1 & echo $! >>" + out +
       ".pids ) </dev/null");
    // They hear when each has told of something foreign.
    ASSERT_TRUE(eventually([&] {
      shell(
          "ip address add 192.0.2.1/32 dev lo; ip address del 192.0.2.1/32 dev lo;"
          " bridge fdb add 02:00:00:00:00:99 dev far self;"
          " bridge fdb del 02:00:00:00:00:99 dev far self;"
          " nft add table ip other; nft delete table ip other");
      return have_told("192.0.2.1", "00:99", "other");
    }));
  }

  // What of ours they have told of; the kernel's own link-local addresses come when they come.
  std::string monitored() const {
    sh("ip address add 192.0.2.2/32 dev lo; nft add table ip end;"
       " bridge fdb add 02:00:00:00:00:98 dev far self");
    EXPECT_TRUE(eventually([&] { return have_told("192.0.2.2", "00:98", "end"); }));
    sh("kill $(cat " + directory_ + "/monitor.pids)");
    return shell("cd " + directory_ +
                 "; grep -hE 'cni0|weft|10\\.244|fd00' monitor.ip monitor.fdb monitor.nft | grep "
                 "-v fe80")
        .text;
  }

  // The last digits of the frontend's endpoints in the order of their slots, as the kernel has
  // them.
  static std::string slots(const std::string& family, const std::string& frontend) {
    return sh("nft list map " + family + " weft-services endpoints | grep -oE '" + frontend +
              " . tcp . 80 . [0-9]+ : [^ ]+' | sort -V | grep -o '.$' | tr -d '\\n'");
  }

 private:
  bool have_told(const std::string& ip, const std::string& fdb, const std::string& nft) const {
    const std::string out = directory_ + "/monitor";
    return shell("grep -q " + ip + " " + out + ".ip && grep -q " + fdb + " " + out +
                 ".fdb && grep -q " + nft + " " + out + ".nft")
               .status == 0;
  }
};

TEST_F(AgentTest, BringsTheNodeToWhatTheManifestsSay) {
  write_config();
  start_and_settle();
  EXPECT_THAT(sh("ip -d link show weft.1"),
              AllOf(HasSubstr("mtu 1450"), HasSubstr("vxlan id 1 local 172.31.0.11 dev eth0"),
                    HasSubstr("dstport 8472 nolearning")));
  EXPECT_THAT(sh("ip address show dev cni0"),
              AllOf(HasSubstr("10.244.1.1/24"), HasSubstr("fd00:10:244:1::1/64")));
  EXPECT_THAT(sh("ip route show proto 87"),
              AllOf(HasSubstr("10.244.2.0/24 via 10.244.2.0 dev weft.1 onlink"),
                    HasSubstr("10.244.3.0/24")));
  EXPECT_THAT(sh("ip -6 route show proto 87"), HasSubstr("fd00:10:244:2::/64"));
  EXPECT_THAT(sh("bridge fdb show dev weft.1"), HasSubstr("02:57:ac:1f:00:0c dst 172.31.0.12"));
  EXPECT_THAT(sh("nft list table ip weft-services"), HasSubstr("10.96.0.10"));
  EXPECT_THAT(sh("nft list table ip6 weft-services"), HasSubstr("fd00:10:96::10"));
  EXPECT_THAT(sh("nft list table ip weft-podnet"), HasSubstr("masquerade"));
  EXPECT_EQ(sh("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
  EXPECT_THAT(sh("cat " + directory_ + "/cni/10-weft.conflist"), HasSubstr("\"mtu\": 1450"));
  EXPECT_THAT(status(),
              AllOf(HasSubstr("Peers         2\n"), HasSubstr("mtu 1500\n"),
                    HasSubstr("Services      2 (6 frontends, 6 backends) by nftables\n")));
}

TEST_F(AgentTest, WritesNothingBeforeItKnowsItsNode) {
  write_config();
  remove_manifest("node1.yaml");
  const auto before = snapshot();
  start_agent();
  ASSERT_TRUE(eventually(
      [&] { return status().find("waiting for a Node object named node1") != std::string::npos; }));
  EXPECT_THAT(verify().text, HasSubstr("nothing is planned yet"));
  EXPECT_EQ(verify().exit_code, 1);
  EXPECT_EQ(difference(before, snapshot()), "");

  write_node("1", "172.31.0.99");  // an address that no link has yet
  ASSERT_TRUE(eventually([&] { return status().find("172.31.0.99") != std::string::npos; }));
  EXPECT_EQ(difference(before, snapshot()), "");
  sh("ip address add 172.31.0.99/24 dev eth0");
  EXPECT_TRUE(eventually([&] { return verify().exit_code == 0; })) << status() << log();
}

TEST_F(AgentTest, PodsAreNotInvitedBeforeThePodNetworkStands) {
  sh("ip link add vx-other type vxlan id 1 dstport 8472 local 172.31.0.11 dev eth0 nolearning");
  write_config();
  start_agent();
  ASSERT_TRUE(eventually([&] {
    return status().find("Failing       link: weft.1") != std::string::npos;
  })) << status();
  const std::string file = directory_ + "/cni/10-weft.conflist";
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THAT(verify().text, HasSubstr("the agent is failing, and tries again\n  link: weft.1"));
  sh("ip link del vx-other");
  EXPECT_TRUE(eventually([&] { return verify().exit_code == 0; })) << status();
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_THAT(status(), Not(HasSubstr("Failing  ")));
}

TEST_F(AgentTest, FollowsTheManifests) {
  write_config();
  start_and_settle();
  write_node("4");
  remove_manifest("node3.yaml");
  remove_manifest("web.yaml");
  // verify sees the manifests as they are when it is asked.
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_THAT(sh("ip route show proto 87"),
              AllOf(HasSubstr("10.244.4.0/24"), Not(HasSubstr("10.244.3.0/24"))));
  EXPECT_THAT(sh("nft list table ip weft-services"), Not(HasSubstr("10.96.0.10")));

  write_manifest("bad.yaml", "kind: [");
  write_node("1", "172.31.0.11\n, {");
  ASSERT_TRUE(eventually([&] { return status().find("Problem") != std::string::npos; }));
  EXPECT_EQ(verify().exit_code, 0);  // the last good state stands
}

TEST_F(AgentTest, OwnNodeThatMovesIsPlannedAnew) {
  write_config();
  start_and_settle();
  sh("ip address add 172.31.0.77/24 dev eth0");
  write_node("1", "172.31.0.77");
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_THAT(sh("ip -d link show weft.1"), HasSubstr("local 172.31.0.77"));
  EXPECT_THAT(sh("ip route show proto 87"), HasSubstr("10.244.2.0/24"));

  sh("ip link set eth0 mtu 1400");
  EXPECT_TRUE(
      eventually([&] { return sh("ip link show cni0").find("mtu 1350") != std::string::npos; }));
}

TEST_F(AgentTest, KilledAndStartedAgainItTouchesNothingThatIsRight) {
  write_config();
  start_and_settle();
  const auto before = snapshot();
  start_monitors();
  kill_agent();
  start_and_settle();
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_EQ(monitored(), "");
}

// A Service with these endpoints, a digit each.
std::string endpoints(const std::string& digits) {
  std::string text = R"(apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10, "fd00:10:96::10"], ports: [{port: 80}]}
)";
  for (const auto& [family, network] :
       {std::pair("IPv4", "10.244.1."), std::pair("IPv6", "fd00:10:244:1::")}) {
    text +=
        std::string("---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n") +
        "metadata: {name: web-" + family +
        ", namespace: default, labels: {kubernetes.io/service-name: web}}\naddressType: " + family +
        "\nports: [{port: 8080}]\nendpoints:\n";
    for (const char digit : digits)
      text += std::string("- {addresses: [\"") + network + digit + "\"]}\n";
  }
  return text;
}

TEST_F(AgentTest, KilledAndStartedAgainItLeavesEndpointsInTheirSlots) {
  write_config();
  write_manifest("web.yaml", endpoints("23456"));
  start_and_settle();
  for (const char* digits : {"2456", "12456", "1256"}) {
    write_manifest("web.yaml", endpoints(digits));
    ASSERT_EQ(verify().exit_code, 0) << verify().text;
  }
  ASSERT_EQ(slots("ip", "10.96.0.10"), "2615");  // as their history made it, not sorted
  ASSERT_EQ(slots("ip6", "fd00:10:96::10"), "2615");
  const auto before = snapshot();
  start_monitors();
  kill_agent();
  start_and_settle();
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_EQ(monitored(), "");
  EXPECT_THAT(status(), HasSubstr("Drift         0 found"));

  // What changes while no agent runs is made up for as if one had run.
  kill_agent();
  write_manifest("web.yaml", endpoints("125"));
  start_and_settle();
  EXPECT_EQ(slots("ip", "10.96.0.10"), "251");
  EXPECT_EQ(slots("ip6", "fd00:10:96::10"), "251");
}

TEST_F(AgentTest, KilledAtAnyMomentOfItsStartOrEndItCanBeStartedAndUninstalled) {
  const auto before = snapshot();
  write_config();
  start_and_settle();
  const auto expected = snapshot();
  const auto killed_after = [this](std::chrono::milliseconds time) {
    eventually([] { return false; }, time);
    kill_agent();
  };
  for (int i = 0; i < 12; ++i) {
    // From the beginning, and in the middle of taking everything away.
    std::thread uninstall([&] { report_uninstall(socket()); });
    killed_after(i * 2ms);
    uninstall.join();
    start_agent();
    killed_after(i * 4ms);
    start_and_settle();
    EXPECT_EQ(difference(expected, snapshot()), "");
  }
  const Report gone = report_uninstall(socket());
  EXPECT_EQ(gone.exit_code, 0) << gone.text;
  EXPECT_EQ(wait_for_agent(), 0);
  EXPECT_EQ(difference(before, snapshot()), "");
}

// A client's flow to the Service's UDP port that this backend answers.
void track_flow(const std::string& client_port, const std::string& backend) {
  shell("conntrack -I -p udp -t 600 -s 10.244.1.9 -d 10.96.0.10 --sport " + client_port +
        " --dport 53 -r " + backend + " -q 10.244.1.9 --reply-port-src 5353 --reply-port-dst " +
        client_port);
}

bool tracked(const std::string& backend) {
  return shell("conntrack -L -p udp 2>/dev/null").text.find("src=" + backend) != std::string::npos;
}

TEST_F(AgentTest, StaleUdpFlowsGoWithTheirBackend) {
  write_config();
  start_and_settle();
  track_flow("4001", "10.244.1.2");
  track_flow("4002", "10.244.2.2");
  ASSERT_TRUE(tracked("10.244.1.2") && tracked("10.244.2.2"));
  std::string web = kWeb;
  const std::string second = ", {addresses: [10.244.2.2]}";
  web.erase(web.find(second), second.size());
  write_manifest("web.yaml", web);
  EXPECT_TRUE(eventually([] { return !tracked("10.244.2.2"); })) << log();
  EXPECT_TRUE(tracked("10.244.1.2"));

  // The same when the change came while no agent ran.
  write_manifest("web.yaml", kWeb);
  ASSERT_EQ(verify().exit_code, 0);
  kill_agent();
  track_flow("4002", "10.244.2.2");
  ASSERT_TRUE(tracked("10.244.2.2"));
  write_manifest("web.yaml", web);
  start_and_settle();
  EXPECT_FALSE(tracked("10.244.2.2")) << log();
  EXPECT_TRUE(tracked("10.244.1.2"));
}

TEST_F(AgentTest, StaleUdpFlowsGoWhateverElseOfThatPassIsRefused) {
  write_config();
  start_and_settle();
  track_flow("4002", "10.244.2.2");
  ASSERT_TRUE(tracked("10.244.2.2"));
  sh("ip route add 10.244.4.0/24 dev eth0");  // another's route, in the way of ours
  std::string text = kWeb;
  const std::string second = ", {addresses: [10.244.2.2]}";
  text.erase(text.find(second), second.size());
  text +=
      "---\napiVersion: v1\nkind: Node\nmetadata: {name: node4}\nspec: {podCIDRs: "
      "[10.244.4.0/24]}\nstatus: {addresses: [{type: InternalIP, address: 172.31.0.14}]}\n";
  write_manifest("web.yaml", text);
  EXPECT_TRUE(eventually([] { return !tracked("10.244.2.2"); })) << log();
  EXPECT_THAT(status(), HasSubstr("Failing       route: 10.244.4.0/24"));
}

// Objects of somebody else, of every kind that is ours too.
constexpr const char* kForeign = R"(
ip link add br-other type bridge; ip link set br-other up
ip address add 192.168.77.1/24 dev br-other; ip address add fd77::1/64 dev br-other nodad
ip link add vx-other type vxlan id 77 dstport 4789 local 172.31.0.11 nolearning; ip link set vx-other up
ip neigh add 192.168.77.9 lladdr 02:00:00:00:77:09 dev br-other nud permanent
bridge fdb append 02:00:00:00:77:0a dev vx-other dst 192.168.77.10
ip route add 198.51.100.0/24 via 192.168.77.9; ip route add 198.51.101.0/24 via 192.168.77.9 proto bird
ip rule add from 198.51.100.0/24 table 77 priority 7700
nft 'table ip other { map services { type ipv4_addr : verdict; elements = { 192.0.2.1 : accept }; }
 chain pre { type nat hook prerouting priority dstnat; ip daddr vmap @services; }; }'
echo 2 >/proc/sys/net/ipv4/conf/br-other/rp_filter
)";
constexpr const char* kForeignState = R"(
ip link show br-other; ip -d link show vx-other
for l in br-other vx-other; do ip address show dev $l scope global
ip neigh show dev $l nud permanent; bridge fdb show dev $l | grep dst; done
ip route show root 198.51.100.0/23; ip rule; nft -a list table ip other
cat /proc/sys/net/ipv4/conf/br-other/rp_filter)";

TEST_F(AgentTest, UninstallLeavesNothingAndTouchesNothingForeign) {
  sh(kForeign);
  const std::string foreign = sh(kForeignState);
  const std::string sysctls =
      sh("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding");
  const auto before = snapshot();
  write_config();
  start_and_settle();
  EXPECT_NE(difference(before, snapshot()), "");

  const Report gone = report_uninstall(socket());
  EXPECT_EQ(gone.exit_code, 0) << gone.text;
  EXPECT_EQ(wait_for_agent(), 0) << log();
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_EQ(sh("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"),
            sysctls);
  EXPECT_EQ(sh(kForeignState), foreign);
  for (const char* path : {"/state", "/run", "/cni/10-weft.conflist"})
    EXPECT_FALSE(std::filesystem::exists(directory_ + path)) << path;
  EXPECT_EQ(verify().exit_code, 1);
  EXPECT_THAT(log(), Not(HasSubstr("repairing drift")));

  start_and_settle();  // an agent that is started again installs again
  EXPECT_THAT(sh("ip route show proto 87"), HasSubstr("10.244.2.0/24"));
}

TEST_F(AgentTest, UninstallRemovesWhatAnAgentThatDiedLeft) {
  const auto before = snapshot();
  write_config();
  start_and_settle();
  kill_agent();
  remove_manifest("node1.yaml");  // the new agent will have nothing planned
  start_agent();
  ASSERT_TRUE(eventually([&] { return status().find("waiting for") != std::string::npos; }));
  const Report gone = report_uninstall(socket());
  EXPECT_EQ(gone.exit_code, 0) << gone.text;
  EXPECT_EQ(wait_for_agent(), 0);
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(AgentTest, SigtermEndsItAndLeavesTheKernelAsItIs) {
  write_config();
  start_and_settle();
  const auto before = snapshot();
  ::kill(agent_, SIGTERM);
  EXPECT_EQ(wait_for_agent(), 0);
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(AgentTest, WrongConfigurationEndsItWithTwo) {
  write_config("  logLevel: loud\n");
  start_agent();
  EXPECT_EQ(wait_for_agent(), 2);
  EXPECT_THAT(log(), HasSubstr("spec.logLevel"));
}

TEST_F(AgentTest, SecondAgentOfOneSocketIsRefused) {
  write_config();
  start_and_settle();
  const pid_t first = std::exchange(agent_, -1);
  start_agent();
  EXPECT_EQ(wait_for_agent(), 1);
  EXPECT_THAT(log(), HasSubstr("another agent answers"));
  agent_ = first;
  EXPECT_EQ(verify().exit_code, 0);
}

}  // namespace
}  // namespace weft::agent
