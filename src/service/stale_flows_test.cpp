// SPDX-License-Identifier: Apache-2.0
#include "service/stale_flows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::service {
namespace {

using model::Backend;
using model::Frontend;
using model::FrontendChange;
using model::FrontendEntry;
using model::Protocol;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

const Frontend kDns{ip("10.96.0.10"), Protocol::kUdp, 53};
const Backend kOne{ip("10.244.1.2"), 5353, true};
const Backend kTwo{ip("10.244.2.2"), 5353, false};
const StaleFlow kUntranslated{kDns, {kDns.address, kDns.port, false}};

FrontendEntry over(std::vector<Backend> backends) {
  return {model::FrontendKind::kClusterIp, std::move(backends), false, {}, ""};
}

std::vector<StaleFlow> stale(FrontendChange change) { return stale_udp_flows({&change, 1}); }

StaleFlow to(Backend backend) {
  backend.local = false;
  return {kDns, backend};
}

TEST(StaleUdpFlows, OfABackendThatGoes) {
  EXPECT_THAT(stale({kDns, over({kOne, kTwo}), over({kTwo})}), ElementsAre(to(kOne)));
  EXPECT_THAT(stale({kDns, over({kOne, kTwo}), over({})}), ElementsAre(to(kOne), to(kTwo)));
  EXPECT_THAT(stale({kDns, over({kOne}), std::nullopt}), ElementsAre(to(kOne)));
  EXPECT_THAT(stale({kDns, over({kOne}), over({kTwo})}), ElementsAre(to(kOne)));
}

TEST(StaleUdpFlows, OfTheTimeWithoutBackends) {
  EXPECT_THAT(stale({kDns, over({}), over({kOne})}), ElementsAre(kUntranslated));
  EXPECT_THAT(stale({kDns, std::nullopt, over({kOne})}), ElementsAre(kUntranslated));
}

TEST(StaleUdpFlows, NoneWhereNothingIsLeftBehind) {
  EXPECT_THAT(stale({kDns, over({kOne}), over({kOne, kTwo})}), IsEmpty());
  EXPECT_THAT(stale({kDns, std::nullopt, over({})}), IsEmpty());
  EXPECT_THAT(stale({kDns, over({}), std::nullopt}), IsEmpty());
  EXPECT_THAT(stale({kDns, over({kOne}), over({{kOne.address, kOne.port, false}})}), IsEmpty());
  EXPECT_THAT(stale({{kDns.address, Protocol::kTcp, 53}, over({kOne}), over({})}), IsEmpty());
}

}  // namespace
}  // namespace weft::service
