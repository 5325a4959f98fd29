// SPDX-License-Identifier: Apache-2.0
#include "agent/stale_flows.h"

#include <gtest/gtest.h>

namespace weft::agent {
namespace {

using model::Frontend;
using model::FrontendEntry;
using model::ServiceTable;

Frontend frontend(const char* address) {
  return {*IpAddress::parse(address), model::Protocol::kUdp, 53};
}

FrontendEntry entry(const std::vector<const char*>& backends) {
  FrontendEntry made;
  for (const char* backend : backends) made.backends.push_back({*IpAddress::parse(backend), 53});
  return made;
}

// What a restarted agent finds in the kernel stands for what the one before it had planned.
TEST(ChangesBetween, AreTheFrontendsThatGoComeOrHaveOtherBackends) {
  ServiceTable before, now;
  before.frontends[frontend("10.96.0.1")] = entry({"10.244.1.2"});
  before.frontends[frontend("10.96.0.2")] = entry({"10.244.1.2", "10.244.1.3"});
  before.frontends[frontend("10.96.0.3")] = entry({"10.244.1.2"});
  now.frontends[frontend("10.96.0.1")] = entry({"10.244.1.2"});
  now.frontends[frontend("10.96.0.2")] = entry({"10.244.1.3"});
  now.frontends[frontend("10.96.0.4")] = entry({"10.244.1.9"});

  const auto changes = changes_between(before, now);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].frontend, frontend("10.96.0.2"));
  EXPECT_EQ(changes[0].current, entry({"10.244.1.3"}));
  EXPECT_EQ(changes[1].frontend, frontend("10.96.0.3"));
  EXPECT_FALSE(changes[1].current);
  EXPECT_EQ(changes[2].frontend, frontend("10.96.0.4"));
  EXPECT_FALSE(changes[2].previous);
}

}  // namespace
}  // namespace weft::agent
