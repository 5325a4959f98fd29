// SPDX-License-Identifier: Apache-2.0
#include "lab/check/cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "lab/control_plane/admission.h"

namespace weft::lab {
namespace {

// Two nodes, both families, with the addresses that pods would have got.
class CheckCasesTest : public testing::Test {
 protected:
  CheckCasesTest() {
    lab_.settings.name = lab_.names.lab();
    lab_.settings.nodes = 2;
    lab_.settings.ip_family = "dual";
    std::filesystem::create_directories(lab_.names.manifests_directory());
    std::filesystem::create_directories(lab_.names.objects_directory());
    EXPECT_TRUE(admit(lab_, check_objects(lab_.settings), store_).has_value());
    int host = 2;
    const ObjectStore::Objects pods = store_.all("Pod");
    for (auto [name, pod] : pods) {
      const std::string node = node_of(pod).substr(4);
      pod["status"]["podIPs"] = {{{"ip", "10.244." + node + "." + std::to_string(host)}},
                                 {{"ip", "fd00:10:244:" + node + "::" + std::to_string(host)}}};
      EXPECT_TRUE(store_.put(pod).has_value());
      netns_of_[name.name] = "/run/netns/" + name.name;
      ++host;
    }
  }
  ~CheckCasesTest() override { std::filesystem::remove_all(lab_.names.directory()); }

  Lab lab_{*LabNames::for_lab("test-" + std::to_string(::getpid()) + "-check"), {}, {}};
  ObjectStore store_{lab_.names};
  std::map<std::string, std::string> netns_of_{};
};

TEST_F(CheckCasesTest, EveryPathIsAskedInEachFamilyAndProtocol) {
  std::map<std::string, int> count;
  for (const CheckCase& asked : check_cases(lab_, store_, netns_of_)) {
    ++count[asked.path];
    EXPECT_FALSE(asked.probe.address.is_unspecified()) << asked.path << " to " << asked.to;
    EXPECT_NE(asked.probe.port, 0) << asked.path;
    EXPECT_EQ(asked.servers.empty(), asked.refused) << asked.path;
  }
  for (const char* path : {"pod to pod, same node", "pod to pod, other node", "pod to ClusterIP",
                           "pod to itself by ClusterIP", "node to ClusterIP", "fabric to NodePort",
                           "pod to NodePort, own node", "pod to NodePort, other node",
                           "pod to fabric", "no endpoints, ClusterIP", "no endpoints, NodePort"}) {
    EXPECT_EQ(count[path], 2 * 2 * 2) << path;  // nodes, families, protocols
  }
  EXPECT_EQ(count.size(), 11U);
}

TEST_F(CheckCasesTest, WhomTheServerMustSee) {
  for (const CheckCase& asked : check_cases(lab_, store_, netns_of_)) {
    if (asked.from != "client-node1" || !asked.probe.address.is_v4()) continue;
    const std::string own =
        pod_ips(*store_.find("Pod", {kCheckNamespace, "client-node1"}))[0].to_string();
    if (asked.path == "pod to ClusterIP" || asked.path == "pod to pod, other node") {
      EXPECT_THAT(asked.seen, testing::ElementsAre(own));
    }
    if (asked.path == "pod to fabric") {
      EXPECT_THAT(asked.seen, testing::ElementsAre("172.31.0.11"));
    }
    if (asked.path == "pod to NodePort, other node") {
      EXPECT_THAT(asked.seen, testing::Not(testing::Contains(own)));
    }
  }
}

}  // namespace
}  // namespace weft::lab
