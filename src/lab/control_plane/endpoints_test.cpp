// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/endpoints.h"

#include <gtest/gtest.h>

namespace weft::lab {
namespace {

Json pod(const std::string& name, const std::vector<std::string>& ips, bool ready,
         int port = 8080) {
  Json made = {
      {"kind", "Pod"},
      {"metadata", {{"name", name}, {"namespace", "default"}, {"labels", {{"app", "web"}}}}},
      {"spec",
       {{"nodeName", "node1"},
        {"containers",
         {{{"name", "c"},
           {"command", {"x"}},
           {"ports", {{{"name", "http"}, {"containerPort", port}}}}}}}}},
      {"status", {{"conditions", {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}}}};
  made["status"]["podIPs"] = Json::array();
  for (const std::string& ip : ips) made["status"]["podIPs"].push_back({{"ip", ip}});
  return made;
}

Json service(Json target, Json families = {"IPv4"}) {
  return {{"kind", "Service"},
          {"metadata", {{"name", "web"}, {"namespace", "default"}}},
          {"spec",
           {{"selector", {{"app", "web"}}},
            {"ipFamilies", std::move(families)},
            {"ports", {{{"port", 80}, {"protocol", "TCP"}, {"targetPort", std::move(target)}}}}}}};
}

ObjectStore::Objects two_pods() {
  return {{{"default", "a"}, pod("a", {"10.244.1.2", "fd00::2"}, true)},
          {{"default", "b"}, pod("b", {"10.244.1.3", "fd00::3"}, false)}};
}

TEST(Endpoints, OneSlicePerFamilyWithReadiness) {
  const auto slices = endpoint_slices(service(9090, {"IPv4", "IPv6"}), two_pods());
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_EQ(name_of(slices[0]).name, "web-ipv4");
  EXPECT_EQ(labels_of(slices[0]).at("kubernetes.io/service-name"), "web");
  EXPECT_EQ(slices[0]["addressType"], "IPv4");
  EXPECT_EQ(slices[0]["ports"][0]["port"], 9090);
  ASSERT_EQ(slices[0]["endpoints"].size(), 2U);
  EXPECT_EQ(slices[0]["endpoints"][0]["addresses"], (Json{"10.244.1.2"}));
  EXPECT_EQ(slices[0]["endpoints"][0]["conditions"]["ready"], true);
  EXPECT_EQ(slices[0]["endpoints"][1]["conditions"]["ready"], false);
  EXPECT_EQ(slices[1]["endpoints"][1]["addresses"], (Json{"fd00::3"}));
}

TEST(Endpoints, OtherNamespacesAndLabelsAreNotMatched) {
  ObjectStore::Objects pods;
  Json elsewhere = pod("a", {"10.244.1.2"}, true);
  elsewhere["metadata"]["namespace"] = "other";
  pods[{"other", "a"}] = elsewhere;
  const auto slices = endpoint_slices(service(80), pods);
  ASSERT_EQ(slices.size(), 1U);  // empty, so that agents know there is none
  EXPECT_TRUE(slices[0]["endpoints"].empty());
}

TEST(Endpoints, ANamedPortMayDifferFromPodToPod) {
  ObjectStore::Objects pods = two_pods();
  pods[{"default", "c"}] = pod("c", {"10.244.1.4"}, true, 9999);
  const auto slices = endpoint_slices(service("http"), pods);
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_EQ(slices[0]["ports"][0]["port"], 8080);
  EXPECT_EQ(slices[0]["endpoints"].size(), 2U);
  EXPECT_EQ(slices[1]["ports"][0]["port"], 9999);
  EXPECT_NE(name_of(slices[0]), name_of(slices[1]));
}

TEST(Endpoints, WithoutSelectorThereAreNone) {
  Json bare = service(80);
  bare["spec"].erase("selector");
  EXPECT_TRUE(endpoint_slices(bare, two_pods()).empty());
}

}  // namespace
}  // namespace weft::lab
