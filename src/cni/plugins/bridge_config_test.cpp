// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/bridge_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::cni {
namespace {

using testing::HasSubstr;

Outcome<BridgeConfig> decode(const std::string& rest, std::string_view arguments = {}) {
  const auto config = decode_config(R"({"cniVersion":"1.0.0","name":"net")" + rest + "}");
  if (!config) return CniFailure(config.error());
  return decode_bridge(*config, arguments);
}

std::string refusal(const std::string& rest, std::string_view arguments = {}) {
  const auto decoded = decode(rest, arguments);
  if (decoded) return "accepted";
  return std::to_string(decoded.error().code) + " " + decoded.error().to_string();
}

TEST(BridgeConfig, Defaults) {
  const auto config = decode("").value();
  EXPECT_EQ(config.bridge, "cni0");
  EXPECT_FALSE(config.is_gateway || config.is_default_gateway || config.force_address ||
               config.hairpin);
  EXPECT_EQ(config.mtu, std::nullopt);
  EXPECT_EQ(config.mac, std::nullopt);
  EXPECT_EQ(config.ipam_type, "");
}

TEST(BridgeConfig, Reads) {
  const auto config = decode(R"(,"bridge":"br9","isDefaultGateway":true,"forceAddress":true,
      "hairpinMode":true,"mtu":1450,"ipam":{"type":"host-local"},"dns":{"domain":"x"})")
                          .value();
  EXPECT_EQ(config.bridge, "br9");
  EXPECT_TRUE(config.is_gateway);  // implied
  EXPECT_TRUE(config.is_default_gateway && config.force_address && config.hairpin);
  EXPECT_EQ(config.mtu, 1450U);
  EXPECT_EQ(config.ipam_type, "host-local");
  EXPECT_EQ(config.dns.domain, "x");
}

TEST(BridgeConfig, TheRuntimesMacGoesBeforeTheOthers) {
  const std::string args = R"(,"args":{"cni":{"mac":"02:00:00:00:00:02"}})";
  const std::string runtime = R"(,"runtimeConfig":{"mac":"02:00:00:00:00:03"})";
  EXPECT_EQ(decode("", "MAC=02:00:00:00:00:01")->mac->to_string(), "02:00:00:00:00:01");
  EXPECT_EQ(decode(args, "MAC=02:00:00:00:00:01")->mac->to_string(), "02:00:00:00:00:02");
  EXPECT_EQ(decode(args + runtime, "MAC=02:00:00:00:00:01")->mac->to_string(), "02:00:00:00:00:03");
}

TEST(BridgeConfig, WhatIsNotCarriedOutIsRefusedByKeyAndValue) {
  EXPECT_EQ(refusal(R"(,"ipMasq":true)"), "2 ipMasq: true is not supported by bridge");
  EXPECT_EQ(refusal(R"(,"vlan":7)"), "2 vlan: 7 is not supported by bridge");
  EXPECT_EQ(refusal(R"(,"vlanTrunk":[{"id":1}])"),
            "2 vlanTrunk: [{\"id\":1}] is not supported by bridge");
  for (const std::string key :
       {"promiscMode", "macspoofchk", "portIsolation", "enabledad", "disableContainerInterface"}) {
    EXPECT_THAT(refusal(",\"" + key + "\":true"), HasSubstr("2 " + key + ": true"));
    EXPECT_EQ(refusal(",\"" + key + "\":false"), "accepted");
  }
  EXPECT_EQ(refusal(R"(,"ipMasq":false,"ipMasqBackend":"nftables","vlan":0,"vlanTrunk":[])"),
            "accepted");
}

TEST(BridgeConfig, Refusals) {
  EXPECT_EQ(refusal(R"(,"isGateway":"true")"), "6 isGateway: \"true\" is not a boolean");
  EXPECT_EQ(refusal(R"(,"mtu":-1)"), "7 mtu: -1 is not within 0 to 65535");
  EXPECT_THAT(refusal(R"(,"bridge":"a name of more than fifteen")"), HasSubstr("7 bridge:"));
  EXPECT_EQ(refusal(R"(,"ipam":[])"), "6 ipam: [] is not an object");
  EXPECT_THAT(refusal(R"(,"runtimeConfig":{"mac":"no"})"), HasSubstr("7 runtimeConfig.mac"));
  EXPECT_THAT(refusal("", "MAC=no"), HasSubstr("4 CNI_ARGS: MAC"));
}

TEST(BridgeConfig, DelAsksOnlyForIpam) {
  const auto config =
      decode_config(R"({"name":"net","ipMasq":true,"mtu":"x","ipam":{"type":"y"}})").value();
  EXPECT_EQ(decode_ipam_type(config).value(), "y");
}

}  // namespace
}  // namespace weft::cni
