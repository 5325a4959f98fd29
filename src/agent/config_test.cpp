// SPDX-License-Identifier: Apache-2.0
#include "agent/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "agent/run.h"
#include "base/temporary_directory.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHead = "apiVersion: weft.dev/v1alpha1\nkind: AgentConfiguration\n";
constexpr std::string_view kSmallest =
    "spec:\n  nodeName: node1\n  clusterCIDRs: [10.244.0.0/16]\n";

Result<Config> parse(std::string_view spec) {
  return parse_config(std::string(kHead) + std::string(spec), "agent.yaml");
}

std::string error_of(const Result<Config>& result) {
  return result ? "(accepted)" : result.error().message;
}

TEST(Config, EverythingHasADefaultButNameAndClusterCidrs) {
  const auto config = parse(kSmallest);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->node_name, "node1");
  EXPECT_EQ(config->cluster_cidrs, std::vector<Prefix>{*Prefix::parse("10.244.0.0/16")});
  EXPECT_TRUE(config->service_cidrs.empty());
  EXPECT_EQ(config->state_directory, "/var/lib/weft");
  EXPECT_EQ(config->control_socket, "/run/weft/agent.sock");
  EXPECT_EQ(config->manifest_directory, "/etc/weft/manifests");
  EXPECT_EQ(config->pod_network.transport, "vxlan");
  EXPECT_EQ(config->pod_network.mtu, 0U);
  EXPECT_TRUE(config->pod_network.masquerade);
  EXPECT_EQ(config->cni.configuration_directory, "/etc/cni/net.d");
  EXPECT_EQ(config->cni.data_directory, "/var/lib/cni/networks");
  EXPECT_EQ(config->services.backend, "nftables");
  EXPECT_EQ(config->resync_period, 30s);
  EXPECT_TRUE(config->watch_kernel);
  EXPECT_EQ(config->log_level, log::Level::kInfo);
}

TEST(Config, EveryFieldIsTaken) {
  const auto config = parse(R"(spec:
  nodeName: node-2.example
  stateDirectory: /s/
  controlSocket: /c.sock
  manifestDirectory: /m
  clusterCIDRs: [10.244.0.0/16, "fd00:10:244::/56"]
  serviceCIDRs: [10.96.0.0/16]
  podNetwork: {transport: direct, mtu: 1400, masquerade: false}
  cni: {configurationDirectory: /n, dataDirectory: /d}
  services: {backend: nftables, nodePortAddresses: [172.31.0.11, "fd00::1"]}
  resyncPeriod: 0
  watchKernel: false
  logLevel: debug
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->node_name, "node-2.example");
  EXPECT_EQ(config->state_directory, "/s");
  EXPECT_EQ(config->control_socket, "/c.sock");
  EXPECT_EQ(config->manifest_directory, "/m");
  EXPECT_EQ(config->cluster_cidrs.size(), 2U);
  EXPECT_EQ(config->service_cidrs.size(), 1U);
  EXPECT_EQ(config->pod_network.transport, "direct");
  EXPECT_EQ(config->pod_network.mtu, 1400U);
  EXPECT_FALSE(config->pod_network.masquerade);
  EXPECT_EQ(config->cni.configuration_directory, "/n");
  EXPECT_EQ(config->cni.data_directory, "/d");
  EXPECT_EQ(config->services.node_port_addresses.size(), 2U);
  EXPECT_EQ(config->resync_period, 0ms);
  EXPECT_FALSE(config->watch_kernel);
  EXPECT_EQ(config->log_level, log::Level::kDebug);
}

TEST(Config, JsonIsTakenToo) {
  const auto config = parse_config(
      R"({"apiVersion":"weft.dev/v1alpha1","kind":"AgentConfiguration",
          "spec":{"nodeName":"n","clusterCIDRs":["10.244.0.0/16"],"podNetwork":{"mtu":1300}}})",
      "agent.json");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->pod_network.mtu, 1300U);
}

struct BadField {
  const char* line;     // goes in below spec:, as line 6 of the file
  const char* message;  // after "agent.yaml:6: "
};

class BadConfig : public testing::TestWithParam<BadField> {};

TEST_P(BadConfig, ErrorNamesFileLineFieldAndValue) {
  const auto config = parse(std::string(kSmallest) + "  " + GetParam().line + "\n");
  EXPECT_EQ(error_of(config), std::string("agent.yaml:6: ") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadConfig,
    testing::Values(
        BadField{"stateDirectory: var/lib",
                 R"(spec.stateDirectory: "var/lib" is not an absolute path)"},
        BadField{"stateDirectory: 5", "spec.stateDirectory: 5 is not a string"},
        BadField{"stateDirectory:", "spec.stateDirectory: null is not a string"},
        BadField{"controlSocket: run/x", R"(spec.controlSocket: "run/x" is not an absolute path)"},
        BadField{"manifestDirectory: [a]", R"(spec.manifestDirectory: ["a"] is not a string)"},
        BadField{"serviceCIDRs: 10.96.0.0/16",
                 R"(spec.serviceCIDRs: "10.96.0.0/16" is not a list)"},
        BadField{"serviceCIDRs: [10.96.0.0]",
                 R"(spec.serviceCIDRs: "10.96.0.0" is not a CIDR (like 10.244.0.0/16))"},
        BadField{"serviceCIDRs: [10.96.0.0/33]",
                 R"(spec.serviceCIDRs: "10.96.0.0/33" is not a CIDR (like 10.244.0.0/16))"},
        BadField{
            "serviceCIDRs: [10.96.0.1/16]",
            R"(spec.serviceCIDRs: "10.96.0.1/16" is not a network: did you mean 10.96.0.0/16?)"},
        BadField{"serviceCIDRs: [10.96.0.0/16, 10.96.0.0/16]",
                 R"(spec.serviceCIDRs: "10.96.0.0/16" is there twice)"},
        BadField{"serviceCIDRs: [10.96.0.0/16, 10.96.128.0/17]",
                 R"(spec.serviceCIDRs: "10.96.128.0/17" overlaps 10.96.0.0/16)"},
        BadField{R"(serviceCIDRs: ["fd00::/112", 10.96.0.0/16, "fd00::/108"])",
                 R"(spec.serviceCIDRs: "fd00::/108" overlaps fd00::/112)"},
        BadField{R"(serviceCIDRs: [10.96.0.0/16, "fd00:10:96::/112"])",
                 R"(spec.serviceCIDRs: "fd00:10:96::/112" is IPv6, and spec.clusterCIDRs has no )"
                 "IPv6"},
        BadField{
            "serviceCIDRs: [10.244.96.0/20]",
            R"(spec.serviceCIDRs: "10.244.96.0/20" overlaps 10.244.0.0/16 of spec.clusterCIDRs)"},
        BadField{"serviceCIDRs: [0.0.0.0/0]",
                 R"(spec.serviceCIDRs: "0.0.0.0/0" is the default route)"},
        BadField{
            "serviceCIDRs: [10.244.0.0/16]",
            R"(spec.serviceCIDRs: "10.244.0.0/16" overlaps 10.244.0.0/16 of spec.clusterCIDRs)"},
        BadField{"podNetwork: 5", "spec.podNetwork: 5 is not an object with fields"},
        BadField{"podNetwork: {transport: ipip}",
                 R"(spec.podNetwork.transport: "ipip" is not vxlan or direct)"},
        BadField{"podNetwork: {mtu: 100}",
                 "spec.podNetwork.mtu: 100 is not 0 (from the underlay) or 1280 to 65535"},
        BadField{"podNetwork: {mtu: -1}",
                 "spec.podNetwork.mtu: -1 is not 0 (from the underlay) or 1280 to 65535"},
        BadField{"podNetwork: {mtu: big}",
                 R"(spec.podNetwork.mtu: "big" is not 0 (from the underlay) or 1280 to 65535)"},
        BadField{"podNetwork: {masquerade: \"true\"}",
                 R"(spec.podNetwork.masquerade: "true" is not true or false)"},
        BadField{"podNetwork: {mut: 1400}",
                 "spec.podNetwork.mut: unknown field; known here: masquerade, mtu, transport"},
        BadField{"cni: {dataDirectory: x}",
                 R"(spec.cni.dataDirectory: "x" is not an absolute path)"},
        BadField{"cni: {dir: /x}",
                 "spec.cni.dir: unknown field; known here: configurationDirectory, dataDirectory"},
        BadField{"services: {backend: ipvs}", R"(spec.services.backend: "ipvs" is not "nftables")"},
        BadField{"services: {nodePortAddresses: [localhost]}",
                 R"(spec.services.nodePortAddresses: "localhost" is not an IP address)"},
        BadField{"services: {nodePortAddresses: [0.0.0.0/0]}",
                 R"(spec.services.nodePortAddresses: "0.0.0.0/0" is not an IP address)"},
        BadField{"services: {nodePortAddresses: [0.0.0.0]}",
                 R"(spec.services.nodePortAddresses: "0.0.0.0" is not an address that other hosts )"
                 "can reach this node by"},
        BadField{"services: {nodePortAddresses: [172.31.0.11, 127.0.0.1]}",
                 R"(spec.services.nodePortAddresses: "127.0.0.1" is not an address that other )"
                 "hosts can reach this node by"},
        BadField{"services: {nodePortAddresses: [\"fd00::1\"]}",
                 R"(spec.services.nodePortAddresses: "fd00::1" is IPv6, and spec.clusterCIDRs has )"
                 "no IPv6"},
        BadField{"resyncPeriod: 30",
                 "spec.resyncPeriod: 30 is not a duration (like 30s, 500ms or 1m30s; 0 = off)"},
        BadField{
            "resyncPeriod: fast",
            R"(spec.resyncPeriod: "fast" is not a duration (like 30s, 500ms or 1m30s; 0 = off))"},
        BadField{"watchKernel: 1", "spec.watchKernel: 1 is not true or false"},
        BadField{"logLevel: loud",
                 R"(spec.logLevel: "loud" is not debug, info, warning or error)"}));

TEST(Config, ClusterCidrsMayNotOverlap) {
  EXPECT_EQ(error_of(parse("spec:\n  nodeName: a\n  clusterCIDRs: [10.0.0.0/8, 10.244.0.0/16]\n")),
            "agent.yaml:5: spec.clusterCIDRs: \"10.244.0.0/16\" overlaps 10.0.0.0/8");
  EXPECT_TRUE(
      parse("spec:\n  nodeName: a\n  clusterCIDRs: [10.244.0.0/17, 10.244.128.0/17]\n"
            "  serviceCIDRs: [10.96.0.0/16]\n"));
}

TEST(Config, PodsAndServicesHaveNoSpecialAddresses) {
  const std::pair<const char*, const char*> cases[] = {
      {"0.0.0.0/0", "is the default route"},
      {"::/0", "is the default route"},
      {"0.0.0.0/8", "overlaps 0.0.0.0/32, which is unspecified"},
      {"64.0.0.0/2", "overlaps 127.0.0.0/8, which is loopback"},
      {"127.5.0.0/16", "overlaps 127.0.0.0/8, which is loopback"},
      {"169.254.0.0/16", "overlaps 169.254.0.0/16, which is link-local"},
      {"232.0.0.0/8", "overlaps 224.0.0.0/4, which is multicast"},
      {"::/64", "overlaps ::/128, which is unspecified"},
      {"::1/128", "overlaps ::1/128, which is loopback"},
      {"fe80::/64", "overlaps fe80::/10, which is link-local"},
      {"ff00::/12", "overlaps ff00::/8, which is multicast"}};
  for (const auto& [cidr, why] : cases) {
    const std::string wrong = fmt::format("\"{}\" {}", cidr, why);
    EXPECT_EQ(
        error_of(parse(fmt::format("spec:\n  nodeName: a\n  clusterCIDRs: [\"{}\"]\n", cidr))),
        "agent.yaml:5: spec.clusterCIDRs: " + wrong);
    EXPECT_EQ(error_of(parse(fmt::format("spec:\n  nodeName: a\n  clusterCIDRs: [10.244.0.0/16, "
                                         "\"fd00:10:244::/56\"]\n  serviceCIDRs: [\"{}\"]\n",
                                         cidr))),
              "agent.yaml:6: spec.serviceCIDRs: " + wrong);
  }
}

TEST(Config, UnknownFieldsAreNamedAtEveryLevel) {
  EXPECT_EQ(error_of(parse(std::string(kSmallest) + "extra: 1\n")),
            "agent.yaml:6: extra: unknown field; known here: apiVersion, kind, spec");
  EXPECT_NE(error_of(parse(std::string(kSmallest) + "  nodename: x\n"))
                .find("agent.yaml:6: spec.nodename: unknown"),
            std::string::npos);
}

TEST(Config, RequiredFieldsAreNamed) {
  EXPECT_EQ(error_of(parse("")), "agent.yaml:1: spec.nodeName: is required");
  EXPECT_EQ(error_of(parse("spec:\n  nodeName: a\n")),
            "agent.yaml:3: spec.clusterCIDRs: is required");
  EXPECT_EQ(error_of(parse("spec:\n  nodeName: a\n  clusterCIDRs: []\n")),
            "agent.yaml:5: spec.clusterCIDRs: [] is not a list with at least one CIDR");
  EXPECT_EQ(error_of(parse("spec:\n  nodeName: Node_1\n  clusterCIDRs: [10.0.0.0/8]\n")),
            "agent.yaml:4: spec.nodeName: \"Node_1\" is not a node name (lower case letters, "
            "digits, - and .)");
  EXPECT_EQ(error_of(parse_config("kind: AgentConfiguration\n", "a")),
            "a:1: apiVersion: is required");
  EXPECT_EQ(error_of(parse_config("apiVersion: v1\n", "a")),
            "a:1: apiVersion: \"v1\" is not \"weft.dev/v1alpha1\"");
  EXPECT_EQ(error_of(parse_config("apiVersion: weft.dev/v1alpha1\nkind: Pod\n", "a")),
            "a:2: kind: \"Pod\" is not \"AgentConfiguration\"");
}

TEST(Config, TextThatIsNoConfigurationIsAnError) {
  for (const char* text :
       {"", "[]", "7", "a: [1", "{\"a\":", "\t- x", "a: 1\na: 2\n", "---\na: 1\n---\nb: 2\n"}) {
    const auto config = parse_config(text, "f");
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().message.substr(0, 2), "f:") << text;
  }
}

TEST(Config, TextThatIsNotUtf8IsAnErrorThatNamesFieldAndValue) {
  EXPECT_EQ(error_of(parse("spec:\n  nodeName: caf\xe9\n  clusterCIDRs: [10.244.0.0/16]\n")),
            "agent.yaml:4: spec.nodeName: is not UTF-8: \"caf\uFFFD\"");
  EXPECT_EQ(error_of(parse("spec: caf\xe9\n")), "agent.yaml:3: spec: is not UTF-8: \"caf\uFFFD\"");
  EXPECT_EQ(error_of(parse_config("{\"spec\":\n{\"nodeName\": \"caf\xe9\"}}", "agent.json")),
            "agent.json:2: spec.nodeName: is not UTF-8: \"caf\uFFFD\"");
  EXPECT_EQ(error_of(parse_config("{\"spec\":\n{\"podNetwork\": {\"mtu\": 1e999}}}", "agent.json")),
            "agent.json:2: spec.podNetwork.mtu: 1e999 is too large a number");
}

TEST(Config, AWrongConfigurationEndsTheAgentWithExitCode2) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/agent.yaml";
  for (const char* text : {"nodeName: caf\xe9\n", "{\"a\": 1e999}", "kind: Pod\n", ""}) {
    std::ofstream(path) << text;
    EXPECT_EQ(run(path), 2) << text;
  }
}

TEST(Config, SocketPathMustFitASocketAddress) {
  const auto config =
      parse(std::string(kSmallest) + "  controlSocket: /" + std::string(107, 'x') + "\n");
  EXPECT_NE(error_of(config).find("longer than 107 bytes"), std::string::npos);
}

TEST(Config, FileThatIsNotThereIsNamed) {
  EXPECT_EQ(error_of(load_config("/nonexistent/agent.yaml")),
            "/nonexistent/agent.yaml: No such file or directory");
}

TEST(Duration, ReadsWhatGoWrites) {
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("2h"), 2h);
  for (const char* bad :
       {"", "30", "s", "-1s", "1.5s", "1d", "1s ", "99999999999999999999s", "9999999h"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

}  // namespace
}  // namespace weft::agent
