// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/deployment.h"

#include <gtest/gtest.h>

#include "lab/kubelet/workload.h"

namespace weft::lab {
namespace {

Json deployment(int replicas, const std::string& command = "a") {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", "web"}, {"namespace", "shop"}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", {{"app", "web"}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", "web"}}}}},
              {"spec", {{"containers", {{{"name", "c"}, {"command", {command}}}}}}}}}}}};
}

OwnedPod owned(const Json& pod, bool ready) {
  return {name_of(pod), labels_of(pod)["pod-template-hash"], ready, false};
}

// Plays the steps until nothing is left to do; every pod gets ready. Returns the least that were.
std::size_t roll(const Json& wanted, std::vector<OwnedPod>& pods) {
  std::size_t least_ready = pods.size();
  for (int i = 0; i < 100; ++i) {
    const DeploymentStep next = step(wanted, pods);
    const bool all_ready =
        std::all_of(pods.begin(), pods.end(), [](const OwnedPod& pod) { return pod.ready; });
    if (next.empty() && all_ready) return least_ready;
    for (const ObjectName& gone : next.remove) {
      std::erase_if(pods, [&](const OwnedPod& pod) { return pod.name == gone; });
    }
    least_ready = std::min<std::size_t>(
        least_ready, static_cast<std::size_t>(std::count_if(
                         pods.begin(), pods.end(), [](const OwnedPod& pod) { return pod.ready; })));
    for (OwnedPod& pod : pods) pod.ready = true;
    for (const Json& made : next.create) pods.push_back(owned(made, false));
  }
  ADD_FAILURE() << "does not come to rest";
  return 0;
}

TEST(Deployment, MakesItsReplicasAsThePodTemplateSays) {
  const DeploymentStep first = step(deployment(2), {});
  ASSERT_EQ(first.create.size(), 2U);
  EXPECT_TRUE(first.remove.empty());
  const Json& pod = first.create[0];
  EXPECT_EQ(name_of(pod).name_space, "shop");
  EXPECT_EQ(name_of(pod).name.find("web-" + template_hash(deployment(2)) + "-"), 0U);
  EXPECT_NE(name_of(pod), name_of(first.create[1]));
  EXPECT_EQ(labels_of(pod)["app"], "web");
  EXPECT_TRUE(decode_pod_spec(document_of(pod), "/spec").has_value());
  EXPECT_EQ(step(deployment(2), {}).create, first.create);  // the same names every time
}

TEST(Deployment, AtRestWhenTheReplicasAreThere) {
  std::vector<OwnedPod> pods;
  roll(deployment(3), pods);
  EXPECT_EQ(pods.size(), 3U);
  EXPECT_TRUE(step(deployment(3), pods).empty());
}

TEST(Deployment, ScalesDownThoseThatAreNotReadyFirst) {
  std::vector<OwnedPod> pods;
  roll(deployment(3), pods);
  pods[1].ready = false;
  const DeploymentStep next = step(deployment(2), pods);
  EXPECT_EQ(next.remove, std::vector<ObjectName>{pods[1].name});
}

TEST(Deployment, ANewTemplateReplacesPodByPod) {
  std::vector<OwnedPod> pods;
  roll(deployment(4), pods);
  const std::size_t least_ready = roll(deployment(4, "b"), pods);
  EXPECT_EQ(pods.size(), 4U);
  for (const OwnedPod& pod : pods) EXPECT_EQ(pod.template_hash, template_hash(deployment(4, "b")));
  EXPECT_GE(least_ready, 3U);  // maxUnavailable 25 %
}

TEST(Deployment, ASingleReplicaIsReplacedWithoutAGap) {
  std::vector<OwnedPod> pods;
  roll(deployment(1), pods);
  EXPECT_EQ(roll(deployment(1, "b"), pods), 1U);
}

TEST(Deployment, RecreateRemovesBeforeItCreates) {
  std::vector<OwnedPod> pods;
  roll(deployment(2), pods);
  Json next = deployment(2, "b");
  next["spec"]["strategy"]["type"] = "Recreate";
  const DeploymentStep first = step(next, pods);
  EXPECT_EQ(first.remove.size(), 2U);
  EXPECT_TRUE(first.create.empty());
}

TEST(Deployment, AnEndedPodIsReplacedUnderAnotherName) {
  std::vector<OwnedPod> pods;
  roll(deployment(1), pods);
  pods[0].ended = true;
  const DeploymentStep next = step(deployment(1), pods);
  EXPECT_EQ(next.remove, std::vector<ObjectName>{pods[0].name});
  ASSERT_EQ(next.create.size(), 1U);
  EXPECT_NE(name_of(next.create[0]), pods[0].name);
}

TEST(Deployment, RefusalsNameTheField) {
  const auto refusal = [](auto change) {
    Json object = deployment(1);
    change(object["spec"]);
    const auto checked = check_deployment(document_of(object));
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_EQ(refusal([](Json&) {}), "accepted");
  EXPECT_NE(refusal([](Json& s) { s["replicas"] = "2"; }).find("spec.replicas"), std::string::npos);
  EXPECT_NE(refusal([](Json& s) { s.erase("selector"); }).find("spec.selector"), std::string::npos);
  EXPECT_NE(refusal([](Json& s) {
              s["template"]["metadata"]["labels"]["app"] = "x";
            }).find("do not match spec.selector"),
            std::string::npos);
  EXPECT_NE(refusal([](Json& s) {
              s["template"]["spec"]["containers"][0].erase("command");
            }).find("spec.template.spec.containers[0].command: is required"),
            std::string::npos);
}

}  // namespace
}  // namespace weft::lab
