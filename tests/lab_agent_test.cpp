// SPDX-License-Identifier: Apache-2.0
// Where lab and agent, which know nothing of each other, must agree: the configuration that the lab
// writes is one that the agent takes.
#include <gtest/gtest.h>

#include "agent/config.h"
#include "lab/world/nodes.h"

namespace weft::lab {
namespace {

Lab dual_lab() {
  Lab lab{*LabNames::for_lab("a"), {}, "/sys/fs/cgroup"};
  lab.settings.name = "a";
  lab.settings.ip_family = "dual";
  return lab;
}

TEST(LabAgent, TheAgentTakesTheConfigurationTheLabWrites) {
  const Lab lab = dual_lab();
  const Json written = agent_configuration(lab, plan_node(lab.settings, 2), Json::object());
  const auto config = agent::parse_config(written.dump(), "agent.yaml");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->node_name, "node2");
  EXPECT_EQ(config->control_socket, "/run/weft/lab/a/nodes/node2/agent.sock");
  EXPECT_EQ(config->manifest_directory, "/run/weft/lab/a/manifests");
  EXPECT_EQ(config->cluster_cidrs, cluster_cidrs(lab.settings));
  EXPECT_EQ(config->service_cidrs, service_cidrs(lab.settings));
}

TEST(LabAgent, OverridesAreMergedFieldByField) {
  const Lab lab = dual_lab();
  const Json overrides = {{"watchKernel", false}, {"podNetwork", {{"mtu", 1400}}}};
  const Json written = agent_configuration(lab, plan_node(lab.settings, 1), overrides);
  const auto config = agent::parse_config(written.dump(), "agent.yaml");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_FALSE(config->watch_kernel);
  EXPECT_EQ(config->pod_network.mtu, 1400U);
  EXPECT_EQ(written["spec"]["podNetwork"]["transport"], "vxlan");
}

}  // namespace
}  // namespace weft::lab
