// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/environment.h"

#include <gtest/gtest.h>

namespace weft::lab {
namespace {

ObjectStore::Objects leader(const std::string& ip = "10.96.0.5") {
  return {{{"default", "redis-leader"},
           {{"kind", "Service"},
            {"metadata", {{"name", "redis-leader"}, {"namespace", "default"}}},
            {"spec",
             {{"clusterIP", ip},
              {"ports", {{{"name", "db"}, {"port", 6379}, {"protocol", "TCP"}}}}}}}}};
}

TEST(Environment, AServiceAsTheKubeletNamesIt) {
  const Variables variables = service_variables(leader(), "default");
  const Variables expected = {{"REDIS_LEADER_SERVICE_HOST", "10.96.0.5"},
                              {"REDIS_LEADER_SERVICE_PORT", "6379"},
                              {"REDIS_LEADER_SERVICE_PORT_DB", "6379"},
                              {"REDIS_LEADER_PORT", "tcp://10.96.0.5:6379"},
                              {"REDIS_LEADER_PORT_6379_TCP", "tcp://10.96.0.5:6379"},
                              {"REDIS_LEADER_PORT_6379_TCP_PROTO", "tcp"},
                              {"REDIS_LEADER_PORT_6379_TCP_PORT", "6379"},
                              {"REDIS_LEADER_PORT_6379_TCP_ADDR", "10.96.0.5"}};
  EXPECT_EQ(variables, expected);
}

TEST(Environment, Ipv6OtherNamespacesAndHeadless) {
  EXPECT_EQ(service_variables(leader("fd00::5"), "default").at("REDIS_LEADER_PORT"),
            "tcp://[fd00::5]:6379");
  EXPECT_TRUE(service_variables(leader(), "other").empty());
  EXPECT_TRUE(service_variables(leader("None"), "default").empty());
}

TEST(Environment, SpecVariablesComeAfterAndMayRefer) {
  Container container;
  container.env = {{"A", "1", ""},
                   {"B", "$(A)-$(REDIS)-$(UNKNOWN)", ""},
                   {"IP", "", "status.podIP"},
                   {"NODE", "", "spec.nodeName"},
                   {"HOST", "", "status.hostIP"}};
  const Json pod = {{"metadata", {{"name", "p"}, {"namespace", "default"}}},
                    {"spec", {{"nodeName", "node2"}}},
                    {"status", {{"podIPs", {{{"ip", "10.244.2.3"}}}}}}};
  const Variables variables = container_variables(container, pod, "172.31.0.12", {{"REDIS", "r"}});
  EXPECT_EQ(variables.at("B"), "1-r-$(UNKNOWN)");
  EXPECT_EQ(variables.at("IP"), "10.244.2.3");
  EXPECT_EQ(variables.at("NODE"), "node2");
  EXPECT_EQ(variables.at("HOST"), "172.31.0.12");
  EXPECT_EQ(variables.at("HOSTNAME"), "p");
}

TEST(Environment, Expansion) {
  const Variables variables = {{"A", "1"}};
  EXPECT_EQ(expand("x$(A)y", variables), "x1y");
  EXPECT_EQ(expand("$$(A)", variables), "$(A)");
  EXPECT_EQ(expand("$A $ $(A", variables), "$A $ $(A");
  EXPECT_EQ(expand("$(B)", variables), "$(B)");
  EXPECT_EQ(expand("$", variables), "$");
}

}  // namespace
}  // namespace weft::lab
