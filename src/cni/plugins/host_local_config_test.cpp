// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/host_local_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::cni {
namespace {

using testing::HasSubstr;

Outcome<HostLocalConfig> decode(const std::string& rest, std::string_view arguments = {},
                                const std::string& version = "1.0.0") {
  const auto config =
      decode_config(R"({"cniVersion":")" + version + R"(","name":"net",)" + rest + "}");
  if (!config) return CniFailure(config.error());
  return decode_host_local(*config, arguments);
}

std::string refusal(const std::string& rest, std::string_view arguments = {},
                    const std::string& version = "1.0.0") {
  const auto decoded = decode(rest, arguments, version);
  if (decoded) return "accepted";
  return std::to_string(decoded.error().code) + " " + decoded.error().to_string();
}

std::vector<std::string> ranges(const HostLocalConfig& config) {
  std::vector<std::string> texts;
  for (const auto& set : config.ranges) texts.push_back(to_string(set));
  return texts;
}

TEST(HostLocalConfig, RangeSets) {
  const auto config =
      decode(R"("ipam":{"type":"host-local","dataDir":"/d","routes":[{"dst":"0.0.0.0/0"}],
      "ranges":[[{"subnet":"10.1.0.0/24","rangeStart":"10.1.0.10","rangeEnd":"10.1.0.20",
                  "gateway":"10.1.0.254"},{"subnet":"10.2.0.0/24"}],[{"subnet":"fd00::/64"}]]})")
          .value();
  EXPECT_EQ(config.data_directory, "/d");
  EXPECT_THAT(ranges(config), testing::ElementsAre("10.1.0.10-10.1.0.20,10.2.0.1-10.2.0.254",
                                                   "fd00::1-fd00::ffff:ffff:ffff:ffff"));
  EXPECT_EQ(config.ranges[0][0].gateway.to_string(), "10.1.0.254");
  EXPECT_EQ(config.routes.size(), 1U);
}

TEST(HostLocalConfig, OldSingleRangeAndRuntimeRangesComeFirst) {
  const auto config =
      decode(R"("ipam":{"subnet":"10.1.0.0/24","ranges":[[{"subnet":"10.2.0.0/24"}]]},
      "runtimeConfig":{"ipRanges":[[{"subnet":"10.3.0.0/24"}]]})")
          .value();
  EXPECT_THAT(ranges(config), testing::ElementsAre("10.3.0.1-10.3.0.254", "10.1.0.1-10.1.0.254",
                                                   "10.2.0.1-10.2.0.254"));
  EXPECT_EQ(config.data_directory, "/var/lib/cni/networks");
}

TEST(HostLocalConfig, RequestedAddressesFromAllThreePlaces) {
  const auto config =
      decode(R"("ipam":{"subnet":"10.1.0.0/24"},"args":{"cni":{"ips":["10.1.0.6/24"]}},
      "runtimeConfig":{"ips":["fd00::7"]})",
             "IP=10.1.0.5")
          .value();
  std::vector<std::string> texts;
  for (const IpAddress& address : config.requested) texts.push_back(address.to_string());
  EXPECT_THAT(texts, testing::ElementsAre("10.1.0.5", "10.1.0.6", "fd00::7"));
}

TEST(HostLocalConfig, Refusals) {
  EXPECT_EQ(refusal(R"("x":1)"), "7 ipam: missing");
  EXPECT_THAT(refusal(R"("ipam":{})"), HasSubstr("7 ipam.ranges: no IP ranges specified"));
  EXPECT_THAT(refusal(R"("ipam":{"ranges":[[]]})"), HasSubstr("7 ipam.ranges[0]: empty range set"));
  EXPECT_THAT(refusal(R"("ipam":{"ranges":[{}]})"),
              HasSubstr("6 ipam.ranges[0]: {} is not an array"));
  EXPECT_THAT(refusal(R"("ipam":{"ranges":[[{}]]})"),
              HasSubstr("7 ipam.ranges[0][0].subnet: missing"));
  EXPECT_THAT(refusal(R"("ipam":{"ranges":[[{"subnet":"10.1.0.0"}]]})"),
              HasSubstr("7 ipam.ranges[0][0].subnet: \"10.1.0.0\""));
  EXPECT_THAT(refusal(R"("ipam":{"subnet":"10.1.0.0/31"})"),
              HasSubstr("too small to allocate from"));
  EXPECT_THAT(
      refusal(R"("ipam":{"ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.1.0.0/25"}]]})"),
      HasSubstr("range set 0 overlaps with 1"));
  EXPECT_THAT(refusal(R"("ipam":{"subnet":"10.1.0.0/24","routes":[{"dst":"x/1"}]})"),
              HasSubstr("7 ipam.routes[0].dst"));
  EXPECT_THAT(refusal(R"("ipam":{"subnet":"10.1.0.0/24","dataDir":7})"),
              HasSubstr("6 ipam.dataDir: 7 is not a string"));
  EXPECT_THAT(refusal(R"("ipam":{"subnet":"10.1.0.0/24"},"runtimeConfig":{"ips":["x"]})"),
              HasSubstr("7 runtimeConfig.ips"));
  EXPECT_THAT(refusal(R"("ipam":{"subnet":"10.1.0.0/24"})", "IP=x"), HasSubstr("4 CNI_ARGS: IP"));
  EXPECT_THAT(refusal(R"("ipam":{"subnet":"10.1.0.0/24"})", "COLOUR=red"), HasSubstr("4 CNI_ARGS"));
}

TEST(HostLocalConfig, SeveralAddressesOfAFamilyNeed030) {
  const std::string two =
      R"("ipam":{"ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.2.0.0/24"}]]})";
  EXPECT_THAT(refusal(two, {}, "0.2.0"), HasSubstr("7 CNI version 0.2.0 does not support"));
  EXPECT_EQ(refusal(two, {}, "0.3.0"), "accepted");
  EXPECT_EQ(refusal(R"("ipam":{"ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00::/64"}]]})",
                    {}, "0.2.0"),
            "accepted");
}

TEST(HostLocalConfig, ReleaseNeedsNoRanges) {
  const auto config =
      decode_config(R"({"name":"net","ipam":{"dataDir":"/d","ranges":[[]]}})").value();
  EXPECT_EQ(decode_data_directory(config).value(), "/d");
}

TEST(ResolvConf, Parses) {
  const Dns dns = parse_resolv_conf(
      "# nameserver 1.1.1.1\n; domain no\nnameserver 10.0.0.1\nnameserver\tfd00::1\n"
      "domain example.com\nsearch a.example.com  b.example.com\noptions ndots:5 rotate\nlookup\n");
  EXPECT_EQ(dns, (Dns{{"10.0.0.1", "fd00::1"},
                      "example.com",
                      {"a.example.com", "b.example.com"},
                      {"ndots:5", "rotate"}}));
}

}  // namespace
}  // namespace weft::cni
