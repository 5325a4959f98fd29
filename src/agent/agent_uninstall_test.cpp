// SPDX-License-Identifier: Apache-2.0
// Uninstalls that do not go smoothly: what can be known of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdio>
#include <string>
#include <thread>

#include "agent/agent_fixture.h"
#include "control/client.h"
#include "linux/file.h"

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
  std::fputs("add table inet weft-services { flags owner; }\n", owner);
  std::fflush(owner);
  EXPECT_TRUE(eventually([&] { return verify().exit_code == 1; }));
  Report first;
  std::thread uninstall([&] { first = report_uninstall(socket()); });
  EXPECT_TRUE(eventually([&] {
    return status().find("State         uninstalling\n") != std::string::npos;
  })) << status();
  uninstall.join();
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.text, HasSubstr("table inet weft-services is held by another process"));
  EXPECT_THAT(
      status(),
      AllOf(HasSubstr("State         uninstalling; what is left could not be"),
            HasSubstr("Left          nft: "),
            HasSubstr("Failing       nft weft-services: table inet weft-services is held by"),
            Not(HasSubstr("Pod CIDRs"))));
  ::pclose(owner);
  const std::string gone = "State         uninstalling; nothing is left";
  EXPECT_TRUE(eventually([&] { return status().find(gone) != std::string::npos; },
                         std::chrono::seconds(40)))
      << status();
  EXPECT_EQ(report_uninstall(socket()).exit_code, 0);
  EXPECT_EQ(wait_for_agent(), 0);
}

// The second one asks while the agent, which has one thread, is at work for the first.
TEST_F(AgentUninstallTest, WhoAsksWhileAnotherIsServedIsToldThatNothingIsLeft) {
  write_config();
  start_and_settle();
  Report first;
  std::thread ask([&] { first = report_uninstall(socket()); });
  EXPECT_TRUE(eventually([&] { return log().find("uninstalling") != std::string::npos; }));
  const auto connection = control::connect_to(socket());
  const std::string request = control::encode(control::Request{"uninstall"}) + "\n";
  const bool in_time = connection.has_value();  // or it had ended already
  if (in_time) {
    EXPECT_GT(::send(connection->get(), request.data(), request.size(), MSG_NOSIGNAL), 0);
  }
  ask.join();
  EXPECT_EQ(first.exit_code, 0) << first.text;
  EXPECT_EQ(wait_for_agent(), 0);
  if (!in_time) return;
  const std::string done = R"({"ok":true,"result":{"ok":true}})";
  EXPECT_EQ(read_all(connection->get(), "answer"), done + "\n");
}

}  // namespace
}  // namespace weft::agent
