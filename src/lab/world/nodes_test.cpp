// SPDX-License-Identifier: Apache-2.0
#include "lab/world/nodes.h"

#include <gtest/gtest.h>

namespace weft::lab {
namespace {

TEST(LabNodes, ANodeObjectAsTheApiHasIt) {
  Settings settings;
  settings.ip_family = "dual";
  const Json node = node_object(plan_node(settings, 1));
  EXPECT_EQ(node["metadata"]["labels"]["kubernetes.io/hostname"], "node1");
  EXPECT_EQ(node["spec"]["podCIDRs"], (Json{"10.244.1.0/24", "fd00:10:244:1::/64"}));
  EXPECT_EQ(node["status"]["addresses"][0],
            (Json{{"type", "InternalIP"}, {"address", "172.31.0.11"}}));
}

}  // namespace
}  // namespace weft::lab
