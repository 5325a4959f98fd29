// SPDX-License-Identifier: Apache-2.0
#include "agent/status.h"

#include <gtest/gtest.h>

namespace weft::agent {
namespace {

Status example() {
  Status status;
  status.node = "node1";
  status.settled = true;
  status.pod_cidrs = {*Prefix::parse("10.244.1.0/24"), *Prefix::parse("fd00:10:244:1::/64")};
  status.transport = "vxlan";
  status.underlay_link = "eth0";
  status.underlay_address = *IpAddress::parse("172.31.0.11");
  status.underlay_mtu = 1500;
  status.pod_mtu = 1450;
  status.services_backend = "nftables";
  status.peers = 2;
  status.services = 3;
  status.frontends = 5;
  status.backends = 9;
  status.uptime = std::chrono::seconds(3725);
  status.pid = 42;
  status.memory_bytes = 12'340'000;
  return status;
}

TEST(Status, IsShownAligned) {
  EXPECT_EQ(status_text(to_json(example())).value(),
            "Node          node1\n"
            "State         settled\n"
            "Pod CIDRs     10.244.1.0/24, fd00:10:244:1::/64\n"
            "Transport     vxlan\n"
            "Underlay      eth0 172.31.0.11 mtu 1500\n"
            "Pod MTU       1450\n"
            "Peers         2\n"
            "Services      3 (5 frontends, 9 backends) by nftables\n"
            "Drift         0 found\n"
            "Agent         pid 42, up 1h 2m, 12.3 MB\n");
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
  EXPECT_NE(text.find("Pod CIDRs     none\n"), std::string::npos);
  EXPECT_NE(text.find("Problem       default/web: SCTP is not served\n"), std::string::npos);
  EXPECT_NE(text.find("Failing       link: weft.1: taken\n"
                      "Failing       route: add 10.0.0.0/8: No such device\n"
                      "Failures      3\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("Underlay"), std::string::npos);
}

TEST(Status, OfAnUninstallThatFailedIsWhatIsLeftAndNothingOfAPlan) {
  Status status = example();
  status.settled = false;
  status.uninstalling = true;
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
