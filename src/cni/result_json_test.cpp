// SPDX-License-Identifier: Apache-2.0
#include "cni/result_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cni/version.h"

namespace weft::cni {
namespace {

using testing::HasSubstr;

Json json(std::string_view text) { return parse_json(text).value(); }
Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// Everything a result can say.
CniResult full() {
  return {.interfaces = {{.name = "cni0", .mac = "0a:00:00:00:00:01", .mtu = 1450},
                         {.name = "eth0",
                          .mac = "0a:00:00:00:00:02",
                          .mtu = 1450,
                          .sandbox = "/run/netns/x",
                          .socket_path = "/run/s",
                          .pci_id = "0000:01:00.0"}},
          .ips = {{prefix("10.1.0.2/24"), ip("10.1.0.1"), 1},
                  {prefix("10.2.0.2/24"), std::nullopt, std::nullopt},
                  {prefix("fd00::2/64"), ip("fd00::1"), 1}},
          .routes = {{.destination = prefix("0.0.0.0/0"),
                      .gateway = ip("10.1.0.1"),
                      .mtu = 1400,
                      .advmss = 1360,
                      .priority = 5,
                      .table = 100,
                      .scope = 0},
                     {.destination = prefix("fd01::/16")}},
          .dns = {{"10.96.0.10"}, "example.com", {"a.example.com"}, {"ndots:5"}}};
}

CniResult without_extras(CniResult result) {
  for (Interface& interface : result.interfaces)
    interface = {.name = interface.name, .mac = interface.mac, .sandbox = interface.sandbox};
  for (Route& route : result.routes)
    route = {.destination = route.destination, .gateway = route.gateway};
  return result;
}

constexpr std::string_view kDnsText =
    R"("dns":{"nameservers":["10.96.0.10"],"domain":"example.com","search":["a.example.com"],)"
    R"("options":["ndots:5"]})";

TEST(ResultJson, Version110SaysEverything) {
  EXPECT_EQ(
      print_compact(result_to_json(full(), "1.1.0").value()),
      R"({"cniVersion":"1.1.0","interfaces":[{"name":"cni0","mac":"0a:00:00:00:00:01","mtu":1450},)"
      R"({"name":"eth0","mac":"0a:00:00:00:00:02","mtu":1450,"sandbox":"/run/netns/x",)"
      R"("socketPath":"/run/s","pciID":"0000:01:00.0"}],)"
      R"("ips":[{"interface":1,"address":"10.1.0.2/24","gateway":"10.1.0.1"},)"
      R"({"address":"10.2.0.2/24"},{"interface":1,"address":"fd00::2/64","gateway":"fd00::1"}],)"
      R"("routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1","mtu":1400,"advmss":1360,"priority":5,)"
      R"("table":100,"scope":0},{"dst":"fd01::/16"}],)" +
          std::string(kDnsText) + "}");
}

TEST(ResultJson, Version100LacksWhat110Added) {
  EXPECT_EQ(
      print_compact(result_to_json(full(), "1.0.0").value()),
      R"({"cniVersion":"1.0.0","interfaces":[{"name":"cni0","mac":"0a:00:00:00:00:01"},)"
      R"({"name":"eth0","mac":"0a:00:00:00:00:02","sandbox":"/run/netns/x"}],)"
      R"("ips":[{"interface":1,"address":"10.1.0.2/24","gateway":"10.1.0.1"},)"
      R"({"address":"10.2.0.2/24"},{"interface":1,"address":"fd00::2/64","gateway":"fd00::1"}],)"
      R"("routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1"},{"dst":"fd01::/16"}],)" +
          std::string(kDnsText) + "}");
}

TEST(ResultJson, Versions030To040HaveAddressVersions) {
  for (const char* version : {"0.3.0", "0.3.1", "0.4.0"}) {
    const Json printed = result_to_json(full(), version).value();
    EXPECT_EQ(printed["cniVersion"], version);
    EXPECT_EQ(print_compact(printed["ips"]),
              R"([{"version":"4","interface":1,"address":"10.1.0.2/24","gateway":"10.1.0.1"},)"
              R"({"version":"4","address":"10.2.0.2/24"},)"
              R"({"version":"6","interface":1,"address":"fd00::2/64","gateway":"fd00::1"}])");
  }
}

TEST(ResultJson, Versions010And020KeepTheFirstAddressOfAFamily) {
  for (const std::string version : {"0.1.0", "0.2.0"}) {
    EXPECT_EQ(
        print_compact(result_to_json(full(), version).value()),
        R"({"cniVersion":")" + version +
            R"(","ip4":{"ip":"10.1.0.2/24","gateway":"10.1.0.1",)"
            R"("routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1"}]},)"
            R"("ip6":{"ip":"fd00::2/64","gateway":"fd00::1","routes":[{"dst":"fd01::/16"}]},)" +
            std::string(kDnsText) + "}");
  }
}

TEST(ResultJson, Versions010And020NeedAnAddress) {
  CniResult empty;
  empty.interfaces.push_back({.name = "eth0"});
  const auto refused = result_to_json(empty, "0.2.0");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cannot convert: no valid IP addresses");
  EXPECT_TRUE(result_to_json(empty, "0.3.0"));
}

TEST(ResultJson, EmptyPartsAreLeftOut) {
  EXPECT_EQ(print_compact(result_to_json({}, "1.1.0").value()), R"({"cniVersion":"1.1.0"})");
}

// Down and up again gives what the older version can say.
TEST(ResultJson, RoundTrips) {
  for (const std::string_view version : kVersions) {
    CniResult expected = full();
    if (!at_least(version, "1.1.0")) expected = without_extras(expected);
    if (!at_least(version, "0.3.0")) {
      expected.interfaces.clear();
      expected.ips.erase(expected.ips.begin() + 1);
      for (IpConfig& address : expected.ips) address.interface.reset();
    }
    const Json printed = result_to_json(full(), version).value();
    EXPECT_EQ(result_from_json(printed, "1.1.0").value(), expected) << version;
  }
}

TEST(ResultJson, AResultWithoutVersionIsOfTheConfigurations) {
  EXPECT_EQ(result_from_json(json(R"({"ip4":{"ip":"10.1.0.2/24"}})"), "0.2.0")->ips.size(), 1U);
  EXPECT_EQ(
      result_from_json(json(R"({"cniVersion":"","ips":[{"address":"10.1.0.2/24"}]})"), "1.0.0")
          ->ips.size(),
      1U);
}

TEST(ResultJson, Refusals) {
  const auto refusal = [](std::string_view text) {
    const auto result = result_from_json(json(text), "1.0.0");
    return result ? "" : std::to_string(result.error().code) + " " + result.error().to_string();
  };
  EXPECT_THAT(refusal(R"({"cniVersion":"9.9.9"})"), HasSubstr("1 unsupported CNI result version"));
  EXPECT_THAT(refusal(R"({"ips":[{"gateway":"10.0.0.1"}]})"),
              HasSubstr("6 ips[0].address: missing"));
  EXPECT_THAT(refusal(R"({"ips":[{"address":"10.0.0.300/24"}]})"), HasSubstr("7 ips[0].address"));
  EXPECT_THAT(refusal(R"({"routes":[{"gw":"10.0.0.1"}]})"), HasSubstr("6 routes[0].dst: missing"));
  EXPECT_THAT(refusal(R"({"interfaces":[7]})"), HasSubstr("6 interfaces[0]: 7 is not an object"));
  EXPECT_THAT(refusal(R"({"dns":{"nameservers":"x"}})"), HasSubstr("6 dns.nameservers"));
}

}  // namespace
}  // namespace weft::cni
