// SPDX-License-Identifier: Apache-2.0
// Uninstalls that do not go smoothly: what can be known of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <thread>

#include "agent/agent_fixture.h"
#include "agent/requests.h"

namespace weft::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AgentUninstallTest : public AgentFixture {};

TEST_F(AgentUninstallTest, WhatCannotBeRemovedIsInTheStatusUntilItIs) {
  write_config();
  start_and_settle();
  FILE* const owner = ::popen("nft -i >/dev/null", "w");
  std::fputs("add table ip weft-held { flags owner; }\n", owner);
  std::fflush(owner);
  EXPECT_TRUE(eventually([&] { return verify().exit_code == 1; }));
  Report first;
  std::thread uninstall([&] { first = report_uninstall(socket()); });
  EXPECT_TRUE(eventually([&] {
    return status().find("State         uninstalling\n") != std::string::npos;
  })) << status();
  uninstall.join();
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.text, HasSubstr("table ip weft-held is held by another process"));
  EXPECT_THAT(status(), AllOf(HasSubstr("State         uninstalling; what is left could not be"),
                              HasSubstr("Left          nft: "),
                              HasSubstr("Failing       nft: table ip weft-held is held by"),
                              Not(HasSubstr("Pod CIDRs"))));
  ::pclose(owner);
  const std::string gone = "State         uninstalling; nothing is left";
  EXPECT_TRUE(eventually([&] { return status().find(gone) != std::string::npos; },
                         std::chrono::seconds(40)))
      << status();
  EXPECT_EQ(report_uninstall(socket()).exit_code, 0);
  EXPECT_EQ(wait_for_agent(), 0);
}

}  // namespace
}  // namespace weft::agent
