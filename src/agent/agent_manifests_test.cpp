// SPDX-License-Identifier: Apache-2.0
// What of the manifests an agent cannot follow: in the log once, in `weft status` while it lasts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/agent_fixture.h"

namespace weft::agent {
namespace {

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
