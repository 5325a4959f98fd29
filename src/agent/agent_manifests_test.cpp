// SPDX-License-Identifier: Apache-2.0
// What of the manifests and the configuration an agent cannot follow: in the log once, in `weft
// status` while it lasts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/agent_fixture.h"

namespace weft::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AgentManifestsTest : public AgentFixture {
 protected:
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
      ++found;
    return found;
  }
};

TEST_F(AgentManifestsTest, NodesThatContradictEachOtherAreReported) {
  write_config("  resyncPeriod: 0\n");
  start_and_settle();
  const auto three = snapshot();
  write_node("0", "", "1");  // this node's own
  write_node("4", "", "2");  // node2's
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_EQ(difference(three, snapshot()), "");
  for (const auto& [node, rival] :
       {std::pair("node0", "1.0/24 of this node"), std::pair("node4", "2.0/24 of node node2")}) {
    const std::string problem = std::string("node ") + node + ": spec.podCIDRs: 10.244.";
    EXPECT_THAT(status(), AllOf(HasSubstr("Problem       " + problem), HasSubstr(rival)));
    EXPECT_THAT(log(), HasSubstr(problem));
  }

  remove_manifest("node2.yaml");
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_THAT(sh("bridge fdb show dev weft.1"),
              AllOf(HasSubstr("dst 172.31.0.14"), Not(HasSubstr("dst 172.31.0.12"))));
  EXPECT_THAT(sh("ip route show proto 87"), HasSubstr("10.244.2.0/24"));
  write_node("2");
  remove_manifest("node4.yaml");
  remove_manifest("node0.yaml");
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_EQ(difference(three, snapshot()), "");
  EXPECT_THAT(status(), Not(HasSubstr("Problem")));
}

TEST_F(AgentManifestsTest, MtuThatTheUnderlayDoesNotAllowIsReportedAndNotUsed) {
  write_config("  podNetwork: {mtu: 1500}\n");
  start_and_settle();
  const std::string problem = "spec.podNetwork.mtu: 1500 is more than 1450 (eth0 has 1500";
  EXPECT_THAT(status(), AllOf(HasSubstr(problem), HasSubstr("Pod MTU       1450\n")));
  EXPECT_THAT(log(), HasSubstr(problem));
  EXPECT_THAT(sh("ip link show weft.1"), HasSubstr("mtu 1450"));
  sh("ip link set eth0 mtu 1550");
  EXPECT_TRUE(eventually([&] { return status().find("Problem") == std::string::npos; }));
  EXPECT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_THAT(sh("ip link show weft.1"), HasSubstr("mtu 1500"));
}

TEST_F(AgentManifestsTest, AServiceFieldThatIsNotServedIsLoggedOnceAndInTheStatus) {
  const auto web = [](const std::string& label) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: sticky, labels: {a: " + label +
           "}}\nspec: {clusterIP: 10.96.0.12, ports: [{port: 80}], sessionAffinity: ClientIP}\n";
  };
  write_config();
  write_manifest("sticky.yaml", web("one"));
  start_and_settle();
  write_manifest("sticky.yaml", web("two"));
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  const std::string problem = "spec.sessionAffinity: ClientIP is not served";
  EXPECT_THAT(status(), HasSubstr("Problem       default/sticky: " + problem));
  EXPECT_EQ(count(log(), problem), 1U) << log();
  remove_manifest("sticky.yaml");
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_THAT(status(), Not(HasSubstr("Problem")));
}

TEST_F(AgentManifestsTest, ABrokenFilesLastGoodStateOutlastsKill9AndGoesWithUninstall) {
  write_config();
  start_and_settle();
  const auto before = snapshot();
  kill_agent();
  write_manifest("web.yaml", std::string(kWeb) + "---\nkind: [\n");
  start_and_settle();
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(status(), HasSubstr("Problem       web.yaml:"));
  EXPECT_THAT(status(), HasSubstr("; its last good state stands\n"));
  EXPECT_EQ(count(log(), "its last good state stands"), 1U) << log();

  std::string web = kWeb;
  web.replace(web.find("10.244.2.2"), 10, "10.244.3.3");
  write_manifest("web.yaml", web);
  ASSERT_EQ(verify().exit_code, 0) << verify().text;
  EXPECT_THAT(sh("nft list table ip weft-services"),
              AllOf(HasSubstr("10.244.3.3"), Not(HasSubstr("10.244.2.2"))));
  EXPECT_THAT(status(), Not(HasSubstr("Problem")));

  kill_agent();
  remove_manifest("web.yaml");
  start_and_settle();
  EXPECT_THAT(sh("nft list table ip weft-services"), Not(HasSubstr("10.96.0.10")));

  ASSERT_EQ(report_uninstall(socket()).exit_code, 0);
  EXPECT_EQ(wait_for_agent(), 0);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/state"));
}

}  // namespace
}  // namespace weft::agent
