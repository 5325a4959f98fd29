// SPDX-License-Identifier: Apache-2.0
#include "cni/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace weft::cni {
namespace {

using testing::HasSubstr;

constexpr unsigned kInvalid = 4;

Variables add_variables() {
  return {{"CNI_COMMAND", "ADD"},
          {"CNI_CONTAINERID", "abc"},
          {"CNI_NETNS", "/run/netns/x"},
          {"CNI_IFNAME", "eth0"},
          {"CNI_PATH", "/opt/cni/bin::/usr/lib/cni"}};
}

std::string refusal(const Variables& variables) {
  const auto environment = decode_environment(variables);
  if (environment) return "accepted";
  EXPECT_EQ(environment.error().code, kInvalid);
  return environment.error().message;
}

Variables without(Variables variables, std::initializer_list<std::string> names) {
  for (const std::string& name : names) variables.erase(name);
  return variables;
}

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

TEST(Environment, ReadsAll) {
  const auto environment = decode_environment(with(add_variables(), "CNI_ARGS", "A=b")).value();
  EXPECT_EQ(environment.verb, Verb::kAdd);
  EXPECT_EQ(environment.container_id, "abc");
  EXPECT_EQ(environment.netns, "/run/netns/x");
  EXPECT_EQ(environment.ifname, "eth0");
  EXPECT_EQ(environment.args, "A=b");
  EXPECT_EQ(environment.path, (std::vector<std::string>{"/opt/cni/bin", "/usr/lib/cni"}));
  EXPECT_FALSE(environment.netns_override);
}

TEST(Environment, NamesEverythingThatIsMissing) {
  EXPECT_EQ(refusal({}), "required env variables [CNI_COMMAND] missing");
  EXPECT_EQ(refusal({{"CNI_COMMAND", "ADD"}}),
            "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing");
  EXPECT_EQ(refusal(without(add_variables(), {"CNI_NETNS", "CNI_PATH"})),
            "required env variables [CNI_NETNS,CNI_PATH] missing");
}

TEST(Environment, WhatIsNeededDependsOnTheVerb) {
  for (const auto& [verb, missing] :
       {std::pair{"ADD", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"},
        std::pair{"CHECK", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"},
        std::pair{"DEL", "CNI_CONTAINERID,CNI_IFNAME,CNI_PATH"}, std::pair{"GC", "CNI_PATH"},
        std::pair{"STATUS", "CNI_PATH"}}) {
    EXPECT_THAT(refusal({{"CNI_COMMAND", verb}}), HasSubstr(std::string("[") + missing + "]"));
  }
  EXPECT_EQ(refusal({{"CNI_COMMAND", "VERSION"}}), "accepted");
  EXPECT_EQ(refusal(without(with(add_variables(), "CNI_COMMAND", "DEL"), {"CNI_NETNS"})),
            "accepted");
}

TEST(Environment, RefusesUnknownCommands) {
  EXPECT_EQ(refusal(with(add_variables(), "CNI_COMMAND", "add")), "unknown CNI_COMMAND: add");
}

TEST(Environment, RefusesBadNames) {
  EXPECT_THAT(refusal(with(add_variables(), "CNI_CONTAINERID", "../x")),
              HasSubstr("CNI_CONTAINERID=../x: invalid characters"));
  EXPECT_THAT(refusal(with(add_variables(), "CNI_IFNAME", "sixteen-letters-")),
              HasSubstr("CNI_IFNAME=sixteen-letters-: interface name is too long"));
}

TEST(Environment, NetnsOverride) {
  for (const char* yes : {"1", "true", "TRUE"})
    EXPECT_TRUE(
        decode_environment(with(add_variables(), "CNI_NETNS_OVERRIDE", yes))->netns_override);
  EXPECT_FALSE(
      decode_environment(with(add_variables(), "CNI_NETNS_OVERRIDE", "0"))->netns_override);
}

TEST(Names, ContainerIdsAndNetworks) {
  for (const char* good : {"a", "0", "a_b.c-d", "49aef1"}) {
    EXPECT_EQ(container_id_fault(good), "") << good;
    EXPECT_EQ(network_name_fault(good), "") << good;
  }
  for (const char* bad : {"", "-a", ".a", "_a", "a b", "a/b", "a\n", "ä"}) {
    EXPECT_NE(container_id_fault(bad), "") << bad;
    EXPECT_NE(network_name_fault(bad), "") << bad;
  }
  EXPECT_EQ(network_name_fault(""), "missing network name");
}

TEST(Names, Interfaces) {
  for (const char* good : {"eth0", "fifteen-letters", "a", "..."})
    EXPECT_EQ(ifname_fault(good), "");
  for (const char* bad : {"", ".", "..", "a/b", "a:b", "a b", "a\tb", "sixteen-letters-"})
    EXPECT_NE(ifname_fault(bad), "") << bad;
}

TEST(Arguments, KnownAndUnknownKeys) {
  const std::array<std::string_view, 1> known = {"IP"};
  EXPECT_EQ(decode_arguments("IP=10.0.0.1", known)->at("IP"), "10.0.0.1");
  EXPECT_TRUE(decode_arguments("", known)->empty());
  const auto refused = decode_arguments("IP=10.0.0.1;K8S_POD_NAME=x", known);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("K8S_POD_NAME=x"));
  for (const char* yes : {"1", "true"}) {
    EXPECT_TRUE(decode_arguments(std::string("K8S_POD_NAME=x;IgnoreUnknown=") + yes, known));
  }
  EXPECT_FALSE(decode_arguments("K8S_POD_NAME=x;IgnoreUnknown=0", known));
  EXPECT_THAT(decode_arguments("IP", known).error().message, HasSubstr("invalid pair \"IP\""));
}

TEST(Variables, FromAndToStrings) {
  const char* environ[] = {"A=1", "B=x=y", "no-assignment", nullptr};
  const Variables variables = variables_of(environ);
  EXPECT_EQ(to_strings(variables), (std::vector<std::string>{"A=1", "B=x=y"}));
}

}  // namespace
}  // namespace weft::cni
