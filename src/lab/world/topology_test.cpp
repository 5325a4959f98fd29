// SPDX-License-Identifier: Apache-2.0
// The wires carry packets: node to node and node to fabric, both families, both fabrics.
#include "lab/world/topology.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "lab/lab.h"
#include "linux/netns.h"
#include "linux/process.h"

namespace weft::lab {
namespace {

class TopologyTest : public testing::TestWithParam<Fabric> {
 protected:
  TopologyTest() {
    settings_.name = names_.lab();
    settings_.nodes = 2;
    settings_.ip_family = "dual";
    settings_.fabric = GetParam();
  }
  ~TopologyTest() override {
    for (const std::string& netns : netns_of_lab(names_)) {
      [[maybe_unused]] const auto removed = remove_named_netns(netns);
    }
  }

  // From a namespace to an address: the output of ping when it fails, "" when it is answered.
  static std::string ping(const std::string& netns, const IpAddress& address) {
    ProcessSpec spec;
    spec.argv = {"ping", "-c", "1", "-W", "5", "-n", address.to_string()};
    spec.netns = named_netns_path(netns);
    const auto output = run_process(spec);
    if (!output) return output.error().message;
    return output->status == 0 ? "" : output->out + output->err;
  }

  const LabNames names_ = *LabNames::for_lab("test-" + std::to_string(::getpid()) + "-topology");
  Settings settings_{};
};

TEST_P(TopologyTest, NodesReachEachOtherAndTheFabric) {
  ASSERT_TRUE(make_fabric(names_, settings_).has_value());
  const std::vector<NodePlan> nodes = plan_nodes(settings_);
  for (const NodePlan& node : nodes) {
    const auto made = make_node(names_, settings_, node);
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  for (const IpAddress& peer : nodes[1].addresses()) {
    EXPECT_EQ(ping(names_.node_netns("node1"), peer), "") << peer.to_string();
    EXPECT_EQ(ping(names_.fabric_netns(), peer), "") << peer.to_string();
  }
  for (const NodeLink& link : nodes[0].links) {
    EXPECT_EQ(ping(names_.node_netns("node1"), link.fabric.address), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Fabrics, TopologyTest, testing::Values(Fabric::kSwitch, Fabric::kRouter),
                         [](const auto& fabric) { return std::string(to_string(fabric.param)); });

}  // namespace
}  // namespace weft::lab
