// SPDX-License-Identifier: Apache-2.0
#include "lab/check/report.h"

#include <gtest/gtest.h>

namespace weft::lab {
namespace {

using Kind = traffic::Outcome::Kind;
using std::chrono::milliseconds;

traffic::Outcome answered(const std::string& server, const std::string& seen) {
  return {Kind::kAnswered, server, seen, 0, milliseconds(1)};
}

CheckCase tcp_case(bool refused = false) {
  CheckCase asked;
  asked.path = "pod to ClusterIP";
  asked.refused = refused;
  asked.servers = {"server-node1", "server-node2"};
  asked.seen = {"10.244.1.2"};
  return asked;
}

TEST(Check, TheRightServerMustSeeTheRightClient) {
  EXPECT_TRUE(is_good(tcp_case(), answered("server-node2", "10.244.1.2")));
  EXPECT_FALSE(is_good(tcp_case(), answered("server-node3", "10.244.1.2")));
  EXPECT_FALSE(is_good(tcp_case(), answered("server-node2", "172.31.0.11")));
  EXPECT_FALSE(is_good(tcp_case(), {Kind::kTimedOut, "", "", 0, milliseconds(3000)}));
  EXPECT_FALSE(is_good(tcp_case(), {Kind::kRefused, "", "", 0, milliseconds(1)}));
}

TEST(Check, RefusedMeansAtOnce) {
  EXPECT_TRUE(is_good(tcp_case(true), {Kind::kRefused, "", "", 0, milliseconds(1)}));
  EXPECT_FALSE(is_good(tcp_case(true), {Kind::kRefused, "", "", 0, milliseconds(1010), 1}));
  EXPECT_FALSE(is_good(tcp_case(true), {Kind::kTimedOut, "", "", 0, milliseconds(3000)}));
  EXPECT_FALSE(is_good(tcp_case(true), answered("server-node1", "10.244.1.2")));
}

TEST(Check, AReportNamesExpectedAndSeen) {
  CheckReport report;
  report.results.push_back({tcp_case(), answered("server-node2", "172.31.0.11"), false});
  const Json json = to_json(report);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["cases"][0]["expected"],
            "an answer of server-node1 or server-node2 that sees 10.244.1.2");
  EXPECT_EQ(json["cases"][0]["seen"], "an answer of server-node2 that sees 172.31.0.11");
}

}  // namespace
}  // namespace weft::lab
