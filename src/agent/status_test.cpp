// SPDX-License-Identifier: Apache-2.0
#include "agent/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weft::agent {
namespace {

Status example() {
  Status status;
  status.node = "node1";
  status.settled = true;
  status.sections = {{.fields = {{"/podCIDRs", std::vector<std::string>{"10.244.1.0/24"}},
                                 {"/underlay", {}},
                                 {"/peers", std::uint64_t{2}}},
                      .lines = {{"Pod CIDRs", "10.244.1.0/24"}, {"Peers", "2"}}},
                     {.fields = {{"/services/backend", std::string("nftables")},
                                 {"/services/count", std::uint64_t{3}}},
                      .lines = {{"Services", "3 by nftables"}}}};
  status.planned = {{"podnet", 1, 20}};
  status.units = {{"route", 7, {.reads = 2, .reading = std::chrono::microseconds(1500)}}};
  status.uptime = std::chrono::seconds(3725);
  status.pid = 42;
  status.memory_bytes = 12'340'000;
  return status;
}

TEST(Status, IsShownAligned) {
  EXPECT_EQ(status_text(to_json(example())).value(),
            "Node          node1\n"
            "State         settled\n"
            "Pod CIDRs     10.244.1.0/24\n"
            "Peers         2\n"
            "Services      3 by nftables\n"
            "Drift         0 found\n"
            "Agent         pid 42, up 1h 2m, 12.3 MB\n");
}

TEST(Status, SectionsOfTheFeaturesAreFieldsOfIt) {
  const auto json = nlohmann::json::parse(to_json(example()));
  EXPECT_EQ(json.at("podCIDRs"), nlohmann::json::array({"10.244.1.0/24"}));
  EXPECT_TRUE(json.at("underlay").is_null());
  EXPECT_EQ(json.at("peers"), 2);
  EXPECT_EQ(json.at("services"), (nlohmann::json{{"backend", "nftables"}, {"count", 3}}));
  EXPECT_EQ(json.at("planned").at("podnet").at("entries"), 20);
  EXPECT_EQ(json.at("units").at("route").at("entries"), 7);
  EXPECT_EQ(json.at("units").at("route").at("reads"), 2);
  EXPECT_EQ(json.at("units").at("route").at("readSeconds"), 0.0015);
}

TEST(Status, TellsWhatItWaitsForAndWhatIsWrong) {
  Status status;
  status.node = "node1";
  status.waiting_for = "a Node object named node1";
  status.problems = {"default/web: SCTP is not served"};
  status.failing = {"link: weft.1: taken", "route: add 10.0.0.0/8: No such device"};
  status.failures = 3;
  const std::string text = status_text(to_json(status)).value();
  EXPECT_NE(text.find("State         waiting for a Node object named node1\n"), std::string::npos);
  EXPECT_NE(text.find("Problem       default/web: SCTP is not served\n"), std::string::npos);
  EXPECT_NE(text.find("Failing       link: weft.1: taken\n"
                      "Failing       route: add 10.0.0.0/8: No such device\n"
                      "Failures      3\n"),
            std::string::npos)
      << text;
}

TEST(Status, OfAnUninstallThatFailedIsWhatIsLeftAndNothingOfAPlan) {
  Status status = example();
  status.settled = false;
  status.uninstalling = true;
  status.sections.clear();
  status.left = left_texts({{"nft", "ip weft-podnet postrouting", {}, "", ""},
                            {"nft", "ip weft-podnet", {}, "", ""},
                            {"nft", "ip weft-services", {}, "", ""},
                            {"sysctl", "net/ipv4/ip_forward", {}, "", ""}});
  status.failing = {"nft: table ip weft-podnet is held by another process"};
  const std::string text = status_text(to_json(status)).value();
  EXPECT_EQ(text.substr(0, text.find("Drift")),
            "Node          node1\n"
            "State         uninstalling; what is left could not be removed; trying again\n"
            "Left          nft: ip weft-podnet and 2 more\n"
            "Left          sysctl: net/ipv4/ip_forward\n");
  EXPECT_NE(text.find("Failing       nft: table ip weft-podnet is held"), std::string::npos);
  EXPECT_EQ(text.find("10.244.1.0/24"), std::string::npos) << text;

  status.left.clear();
  EXPECT_NE(status_text(to_json(status))->find("State         uninstalling\n"), std::string::npos);
  status.settled = true;
  EXPECT_NE(status_text(to_json(status))->find("State         uninstalling; nothing is left"),
            std::string::npos);
}

TEST(Status, TextThatIsNoStatusIsAnError) {
  for (const char* text : {"", "[]", "{}", R"({"node":1})"})
    EXPECT_FALSE(status_text(text)) << text;
}

TEST(Status, MemoryIsThisProcesss) { EXPECT_GT(resident_memory(), 1'000'000U); }

}  // namespace
}  // namespace weft::agent
