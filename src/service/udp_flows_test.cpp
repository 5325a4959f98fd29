// SPDX-License-Identifier: Apache-2.0
#include "service/udp_flows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::service {
namespace {

using model::Backend;
using model::Frontend;
using model::FrontendEntry;
using model::FrontendKind;
using model::PoolKey;
using model::Protocol;
using model::ServiceTable;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

const Frontend kDns{ip("10.96.0.10"), Protocol::kUdp, 53};
const Frontend kNodePort{ip("172.31.0.11"), Protocol::kUdp, 30053};
const Backend kOne{ip("10.244.1.2"), 5353, true};
const Backend kTwo{ip("10.244.2.2"), 5353, false};
const Backend kThree{ip("10.244.3.2"), 5353, false};

using Flows = std::vector<UdpFlow>;

UdpFlow to(Backend backend, const Frontend& frontend = kDns) {
  backend.local = false;
  return {frontend, backend};
}
UdpFlow untranslated(const Frontend& frontend = kDns) {
  return {frontend, {frontend.address, frontend.port, false}};
}

// One frontend, with a pool of its own.
ServiceTable over(std::vector<Backend> backends, const Frontend& frontend = kDns) {
  ServiceTable table;
  add_with_own_pool(table, frontend, {FrontendKind::kClusterIp, std::move(backends), false});
  return table;
}

// Two frontends of one pool.
ServiceTable shared(std::vector<Backend> backends) {
  const PoolKey key{{"default", "dns"}, "dns", Protocol::kUdp, IpFamily::kIpv4};
  ServiceTable table;
  table.frontends[kDns] = {FrontendKind::kClusterIp, false, key};
  table.frontends[kNodePort] = {FrontendKind::kNodePort, true, key};
  table.pools[key] = {std::move(backends), {kDns, kNodePort}};
  return table;
}

UdpFlows flows(const ServiceTable& before, const ServiceTable& now) {
  return udp_flows(now, difference(before, now));
}
Flows stale(const ServiceTable& before, const ServiceTable& now) {
  return flows(before, now).stale;
}

TEST(UdpFlows, ToABackendThatGoesAreStale) {
  EXPECT_THAT(stale(over({kOne, kTwo}), over({kTwo})), ElementsAre(to(kOne)));
  EXPECT_THAT(stale(over({kOne, kTwo}), over({})), ElementsAre(to(kOne), to(kTwo)));
  EXPECT_THAT(stale(over({kOne}), {}), ElementsAre(to(kOne)));
  EXPECT_THAT(stale(over({kOne}), over({kTwo})), ElementsAre(to(kOne)));
}

TEST(UdpFlows, OfTheTimeWithoutBackendsAreStale) {
  EXPECT_THAT(stale(over({}), over({kOne})), ElementsAre(untranslated()));
  EXPECT_THAT(stale({}, over({kOne})), ElementsAre(untranslated()));
}

TEST(UdpFlows, AreNotStaleWhereNothingIsLeftBehind) {
  EXPECT_THAT(stale(over({kOne}), over({kOne, kTwo})), IsEmpty());
  EXPECT_THAT(stale({}, over({})), IsEmpty());
  EXPECT_THAT(stale(over({}), {}), IsEmpty());
  EXPECT_THAT(stale(over({kOne}), over({{kOne.address, kOne.port, false}})), IsEmpty());
  // A backend in another slot is the same.
  EXPECT_THAT(stale(over({kOne, kTwo, kThree}), over({kThree, kTwo})), ElementsAre(to(kOne)));
  const Frontend tcp{kDns.address, Protocol::kTcp, 53};
  EXPECT_THAT(stale(over({kOne}, tcp), over({}, tcp)), IsEmpty());
}

TEST(UdpFlows, ToABackendThatComesAreServed) {
  EXPECT_THAT(flows(over({kOne}), over({kTwo, kOne})).served, ElementsAre(to(kTwo)));
  EXPECT_THAT(flows({}, over({kOne})).served, ElementsAre(to(kOne)));
  EXPECT_THAT(flows(over({kOne}), over({})).served, IsEmpty());
}

TEST(UdpFlows, OfEveryFrontendOfAPool) {
  EXPECT_THAT(stale(shared({kOne, kTwo}), shared({kTwo})),
              ElementsAre(to(kOne), to(kOne, kNodePort)));
  EXPECT_THAT(stale(shared({}), shared({kTwo})),
              ElementsAre(untranslated(), untranslated(kNodePort)));
  // Whether by one pool or by another: as an agent sees what the one before it left.
  EXPECT_THAT(stale(over({kOne, kTwo}), shared({kTwo})),
              ElementsAre(to(kOne), untranslated(kNodePort)));
  EXPECT_THAT(stale(shared({kOne, kTwo}), over({kTwo})),
              ElementsAre(to(kOne), to(kOne, kNodePort), to(kTwo, kNodePort)));
}

}  // namespace
}  // namespace weft::service
