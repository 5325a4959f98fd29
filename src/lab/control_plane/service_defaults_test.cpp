// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/service_defaults.h"

#include <gtest/gtest.h>

#include "lab/kubelet/workload.h"

namespace weft::lab {
namespace {

const std::vector<Prefix> kIpv4 = {*Prefix::parse("10.96.0.0/16")};
const std::vector<Prefix> kDual = {*Prefix::parse("10.96.0.0/16"),
                                   *Prefix::parse("fd00:10:96::/112")};

Json service(Json spec) {
  if (!spec.contains("ports")) spec["ports"] = {{{"port", 80}}};
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", {{"name", "web"}, {"namespace", "default"}}},
          {"spec", std::move(spec)}};
}

Result<Json> filled(const Json& spec, const std::vector<Prefix>& cidrs = kDual,
                    const Allocated& others = {}, const Json* previous = nullptr) {
  return with_defaults(document_of(service(spec)), cidrs, others, previous);
}

std::string refusal(const Json& spec, const std::vector<Prefix>& cidrs = kDual,
                    const Allocated& others = {}) {
  const auto result = filled(spec, cidrs, others);
  return result ? "accepted: " + result->dump() : result.error().message;
}

TEST(ServiceDefaults, SingleStackIsTheDefault) {
  const Json made = *filled(Json::object());
  EXPECT_EQ(made["spec"]["type"], "ClusterIP");
  EXPECT_EQ(made["spec"]["ipFamilyPolicy"], "SingleStack");
  EXPECT_EQ(made["spec"]["ipFamilies"], (Json{"IPv4"}));
  ASSERT_EQ(made["spec"]["clusterIPs"].size(), 1U);
  EXPECT_EQ(made["spec"]["clusterIP"], made["spec"]["clusterIPs"][0]);
  EXPECT_TRUE(kIpv4[0].contains(*IpAddress::parse(made["spec"]["clusterIP"].get<std::string>())));
  EXPECT_EQ(made["spec"]["ports"][0]["targetPort"], 80);
  EXPECT_EQ(made["spec"]["ports"][0]["protocol"], "TCP");
  EXPECT_FALSE(made["spec"]["ports"][0].contains("nodePort"));
}

TEST(ServiceDefaults, DualStackAsAsked) {
  EXPECT_EQ((*filled({{"ipFamilyPolicy", "PreferDualStack"}}))["spec"]["clusterIPs"].size(), 2U);
  EXPECT_EQ((*filled({{"ipFamilyPolicy", "PreferDualStack"}}, kIpv4))["spec"]["clusterIPs"].size(),
            1U);
  EXPECT_EQ((*filled({{"ipFamilies", {"IPv6", "IPv4"}}}))["spec"]["ipFamilies"],
            (Json{"IPv6", "IPv4"}));
  EXPECT_EQ((*filled({{"ipFamilies", {"IPv6"}}}))["spec"]["clusterIPs"].size(), 1U);
  EXPECT_NE(refusal({{"ipFamilyPolicy", "RequireDualStack"}}, kIpv4).find("spec.ipFamilyPolicy"),
            std::string::npos);
  EXPECT_NE(refusal({{"ipFamilies", {"IPv6"}}}, kIpv4).find("spec.ipFamilies[0]"),
            std::string::npos);
}

TEST(ServiceDefaults, ExplicitClusterIpIsHonouredOrRefused) {
  EXPECT_EQ((*filled({{"clusterIP", "10.96.0.10"}}))["spec"]["clusterIPs"], (Json{"10.96.0.10"}));
  EXPECT_EQ((*filled({{"clusterIP", "fd00:10:96::a"}}))["spec"]["ipFamilies"], (Json{"IPv6"}));
  EXPECT_NE(refusal({{"clusterIP", "10.97.0.1"}}).find("spec.clusterIP: 10.97.0.1 is not in"),
            std::string::npos);
  Allocated others;
  others.cluster_ips.insert(*IpAddress::parse("10.96.0.10"));
  EXPECT_NE(refusal({{"clusterIP", "10.96.0.10"}}, kDual, others).find("is another Service's"),
            std::string::npos);
}

TEST(ServiceDefaults, AllocationAvoidsWhatIsTakenAndIsTheSameEveryTime) {
  const std::string first = (*filled(Json::object()))["spec"]["clusterIP"];
  EXPECT_EQ((*filled(Json::object()))["spec"]["clusterIP"], first);
  Allocated others;
  others.cluster_ips.insert(*IpAddress::parse(first));
  EXPECT_NE((*filled(Json::object(), kDual, others))["spec"]["clusterIP"], first);
}

TEST(ServiceDefaults, AnUpdateKeepsAddressesAndNodePorts) {
  const Json first = *filled({{"type", "NodePort"}, {"clusterIP", "10.96.3.4"}});
  const Json second = *filled({{"type", "NodePort"}}, kDual, {}, &first);
  EXPECT_EQ(second["spec"]["clusterIP"], "10.96.3.4");
  EXPECT_EQ(second["spec"]["ports"][0]["nodePort"], first["spec"]["ports"][0]["nodePort"]);
}

TEST(ServiceDefaults, NodePorts) {
  const auto with_port = [](int node_port) {
    return Json{{"type", "NodePort"}, {"ports", {{{"port", 80}, {"nodePort", node_port}}}}};
  };
  EXPECT_EQ((*filled(with_port(30080)))["spec"]["ports"][0]["nodePort"], 30080);
  const int allocated = (*filled({{"type", "NodePort"}}))["spec"]["ports"][0]["nodePort"];
  EXPECT_GE(allocated, kFirstNodePort);
  EXPECT_LE(allocated, kLastNodePort);
  EXPECT_NE(refusal(with_port(80)).find("spec.ports[0].nodePort: must be 30000"),
            std::string::npos);
  Allocated others;
  others.node_ports.insert({model::Protocol::kTcp, 30080});
  EXPECT_NE(refusal(with_port(30080), kDual, others).find("is another Service's"),
            std::string::npos);
}

TEST(ServiceDefaults, TheSameNumberForTcpAndUdpIsTwoNodePorts) {
  const Json made =
      *filled({{"type", "NodePort"},
               {"ports",
                {{{"name", "dns"}, {"port", 53}, {"nodePort", 30053}, {"protocol", "UDP"}},
                 {{"name", "dns-tcp"}, {"port", 53}, {"nodePort", 30053}}}}});
  EXPECT_EQ(made["spec"]["ports"][1]["nodePort"], 30053);
}

TEST(ServiceDefaults, Headless) {
  const Json made = *filled({{"clusterIP", "None"}});
  EXPECT_EQ(made["spec"]["clusterIPs"], (Json{"None"}));
  EXPECT_NE(refusal({{"clusterIP", "None"}, {"type", "NodePort"}}).find("spec.clusterIP"),
            std::string::npos);
}

TEST(ServiceDefaults, PortsAreChecked) {
  EXPECT_NE(refusal({{"ports", {{{"port", 0}}}}}).find("spec.ports[0].port"), std::string::npos);
  EXPECT_NE(
      refusal({{"ports", {{{"port", 80}, {"protocol", "ICMP"}}}}}).find("spec.ports[0].protocol"),
      std::string::npos);
  EXPECT_NE(refusal({{"ports", {{{"port", 80}}, {{"port", 81}}}}}).find("spec.ports[0].name"),
            std::string::npos);
  EXPECT_NE(refusal({{"ports", Json::array()}}).find("spec.ports"), std::string::npos);
  EXPECT_NE(refusal({{"type", "Other"}}).find("spec.type"), std::string::npos);
}

TEST(ServiceDefaults, WhatServicesHaveIsCountedInAndOut) {
  const Json made = *filled({{"type", "NodePort"}, {"ipFamilyPolicy", "PreferDualStack"}});
  Allocated allocated;
  allocated.add(made);
  EXPECT_EQ(allocated.cluster_ips.size(), 2U);
  EXPECT_EQ(allocated.node_ports.size(), 1U);
  allocated.remove(made);
  EXPECT_TRUE(allocated.cluster_ips.empty());
  EXPECT_TRUE(allocated.node_ports.empty());
}

}  // namespace
}  // namespace weft::lab
