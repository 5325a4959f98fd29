// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/scheduler.h"

#include <gtest/gtest.h>

namespace weft::lab {
namespace {

ObjectStore::Objects three_nodes() {
  ObjectStore::Objects nodes;
  for (const char* name : {"node1", "node2", "node10"}) {
    nodes[{"", name}] = {
        {"kind", "Node"},
        {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/hostname", name}}}}}};
  }
  return nodes;
}

Json pod(const std::string& name, const std::string& owner = "", const std::string& node = "") {
  Json made = {{"kind", "Pod"}, {"metadata", {{"name", name}, {"namespace", "default"}}}};
  if (!owner.empty()) made["metadata"]["ownerReferences"] = {{{"name", owner}}};
  if (!node.empty()) made["spec"]["nodeName"] = node;
  return made;
}

TEST(Scheduler, SpreadsAnOwnersPodsInNumericOrder) {
  ObjectStore::Objects pods;
  std::vector<std::string> chosen;
  for (const char* name : {"a", "b", "c", "d"}) {
    chosen.push_back(*schedule({}, pod(name, "web"), three_nodes(), pods));
    pods[{"default", name}] = pod(name, "web", chosen.back());
  }
  EXPECT_EQ(chosen, (std::vector<std::string>{"node1", "node2", "node10", "node1"}));
}

TEST(Scheduler, PrefersTheEmptierNodeForAnotherOwner) {
  ObjectStore::Objects pods;
  pods[{"default", "a"}] = pod("a", "web", "node1");
  EXPECT_EQ(*schedule({}, pod("x", "db"), three_nodes(), pods), "node2");
}

TEST(Scheduler, HonoursNodeNameAndNodeSelector) {
  PodSpec spec;
  spec.node_name = "node2";
  EXPECT_EQ(*schedule(spec, pod("a"), three_nodes(), {}), "node2");
  spec.node_name.clear();
  spec.node_selector = {{"kubernetes.io/hostname", "node10"}};
  EXPECT_EQ(*schedule(spec, pod("a"), three_nodes(), {}), "node10");
}

TEST(Scheduler, SaysWhyThereIsNoNode) {
  PodSpec spec;
  spec.node_name = "node7";
  EXPECT_EQ(schedule(spec, pod("a"), three_nodes(), {}).error().message,
            "pod default/a: spec.nodeName: there is no node node7");
  spec.node_name.clear();
  spec.node_selector = {{"disk", "ssd"}};
  EXPECT_NE(schedule(spec, pod("a"), three_nodes(), {}).error().message.find("spec.nodeSelector"),
            std::string::npos);
}

}  // namespace
}  // namespace weft::lab
