// SPDX-License-Identifier: Apache-2.0
#include "ipam/host_local/range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::ipam {
namespace {

using testing::HasSubstr;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
RangeSpec spec(std::string_view subnet) { return {Prefix::parse(subnet).value(), {}, {}, {}}; }

TEST(Range, DefaultsOfAnIpv4SubnetLeaveOutNetworkAndBroadcast) {
  const Range range = resolve(spec("10.1.0.0/24")).value();
  EXPECT_EQ(range.start, ip("10.1.0.1"));
  EXPECT_EQ(range.end, ip("10.1.0.254"));
  EXPECT_EQ(range.gateway, ip("10.1.0.1"));
}

TEST(Range, DefaultsOfAnIpv6SubnetReachItsLastAddress) {
  const Range range = resolve(spec("fd00:1::/120")).value();
  EXPECT_EQ(range.start, ip("fd00:1::1"));
  EXPECT_EQ(range.end, ip("fd00:1::ff"));
  EXPECT_EQ(range.gateway, ip("fd00:1::1"));
}

TEST(Range, SmallestSubnets) {
  EXPECT_EQ(resolve(spec("10.1.0.0/30")).value().to_string(), "10.1.0.1-10.1.0.2");
  EXPECT_EQ(resolve(spec("fd00::/126")).value().to_string(), "fd00::1-fd00::3");
  EXPECT_THAT(resolve(spec("10.1.0.0/31")).error().message, HasSubstr("10.1.0.0/31 is too small"));
  EXPECT_THAT(resolve(spec("fd00::/127")).error().message, HasSubstr("fd00::/127 is too small"));
}

TEST(Range, WholeIpv4SpaceDoesNotWrap) {
  EXPECT_EQ(resolve(spec("0.0.0.0/0")).value().end, ip("255.255.255.254"));
}

TEST(Range, RefusesHostBitsAndTellsTheNetwork) {
  EXPECT_THAT(resolve(spec("10.1.0.7/24")).error().message,
              HasSubstr("the network is 10.1.0.0/24"));
}

TEST(Range, RefusesWhatIsOutside) {
  RangeSpec start = spec("10.1.0.0/24");
  start.start = ip("10.2.0.1");
  EXPECT_THAT(resolve(start).error().message,
              HasSubstr("rangeStart 10.2.0.1 is not in 10.1.0.0/24"));
  RangeSpec end = spec("10.1.0.0/24");
  end.end = ip("fd00::1");
  EXPECT_THAT(resolve(end).error().message, HasSubstr("rangeEnd fd00::1"));
  RangeSpec turned = spec("10.1.0.0/24");
  turned.start = ip("10.1.0.9");
  turned.end = ip("10.1.0.8");
  EXPECT_THAT(resolve(turned).error().message, HasSubstr("comes before rangeStart"));
  RangeSpec gateway = spec("10.1.0.0/24");
  gateway.gateway = ip("fd00::1");
  EXPECT_THAT(resolve(gateway).error().message, HasSubstr("gateway fd00::1"));
}

TEST(Range, AGatewayMayLieOutside) {
  RangeSpec outside = spec("10.1.0.0/24");
  outside.gateway = ip("10.9.9.9");
  EXPECT_EQ(resolve(outside).value().gateway, ip("10.9.9.9"));
}

TEST(RangeSet, RefusesEmptyMixedAndOverlapping) {
  EXPECT_THAT(make_range_set({}).error().message, HasSubstr("empty range set"));
  EXPECT_THAT(make_range_set({spec("10.1.0.0/24"), spec("fd00::/64")}).error().message,
              HasSubstr("mixed address families"));
  EXPECT_THAT(make_range_set({spec("10.1.0.0/16"), spec("10.1.7.0/24")}).error().message,
              HasSubstr("overlap"));
}

TEST(RangeSet, TwoHalvesOfASubnetDoNotOverlap) {
  RangeSpec low = spec("10.1.0.0/24");
  low.end = ip("10.1.0.100");
  RangeSpec high = spec("10.1.0.0/24");
  high.start = ip("10.1.0.101");
  EXPECT_TRUE(make_range_set({low, high}));
}

TEST(RangeSet, OverlapAcrossSets) {
  const RangeSet a = make_range_set({spec("10.1.0.0/24")}).value();
  const RangeSet b = make_range_set({spec("10.2.0.0/24"), spec("10.1.0.0/28")}).value();
  const RangeSet c = make_range_set({spec("fd00::/64")}).value();
  EXPECT_TRUE(overlaps(a, b));
  EXPECT_TRUE(overlaps(b, a));
  EXPECT_FALSE(overlaps(a, c));
}

}  // namespace
}  // namespace weft::ipam
