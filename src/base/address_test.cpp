// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text :
       {"0.0.0.0", "10.244.1.2", "255.255.255.255", "::", "::1", "fd00:10:244::2"})
    EXPECT_EQ(IpAddress::parse(text).value().to_string(), text);
  EXPECT_TRUE(IpAddress::parse("10.0.0.1")->is_v4());
  EXPECT_TRUE(IpAddress::parse("fd00::1")->is_v6());
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const std::string text : {"", "10.0.0", "10.0.0.256", "10.0.0.01", "fd00:::1",
                                 "fe80::1%eth0", "host", "10.0.0.1 ", " 10.0.0.1"})
    EXPECT_EQ(IpAddress::parse(text).error().message, "'" + text + "' is not an IP address");
  EXPECT_FALSE(IpAddress::parse(std::string_view("10.0.0.1\0x", 10)));
}

TEST(IpAddress, PlusCarriesThroughTheFamily) {
  EXPECT_EQ(IpAddress::parse("10.0.0.255")->plus(1).to_string(), "10.0.1.0");
  EXPECT_EQ(IpAddress::parse("255.255.255.255")->plus(1).to_string(), "0.0.0.0");
  EXPECT_EQ(IpAddress::parse("fd00::ffff:ffff")->plus(2).to_string(), "fd00::1:0:1");
}

TEST(IpAddress, KindsHaveTheirBounds) {
  for (const char* text : {"224.0.0.0", "239.255.255.255", "ff00::", "ffff::1"})
    EXPECT_TRUE(IpAddress::parse(text)->is_multicast()) << text;
  for (const char* text : {"223.255.255.255", "240.0.0.0", "feff::1", "::"})
    EXPECT_FALSE(IpAddress::parse(text)->is_multicast()) << text;
}

TEST(Prefix, ParsesWithAndWithoutLength) {
  EXPECT_EQ(Prefix::parse("10.0.0.1/24")->to_string(), "10.0.0.1/24");
  EXPECT_EQ(Prefix::parse("10.0.0.1")->to_string(), "10.0.0.1/32");
  EXPECT_EQ(Prefix::parse("fd00::/64")->network().to_string(), "fd00::/64");
  for (const char* text :
       {"10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/24x", "/24"})
    EXPECT_FALSE(Prefix::parse(text)) << text;
}

TEST(Prefix, NetworkContainsAndLast) {
  const Prefix prefix = *Prefix::parse("10.1.2.3/20");
  EXPECT_EQ(prefix.network().to_string(), "10.1.0.0/20");
  EXPECT_EQ(prefix.last().to_string(), "10.1.15.255");
  EXPECT_EQ(prefix.at(1).to_string(), "10.1.0.1");
  EXPECT_TRUE(prefix.contains(*IpAddress::parse("10.1.15.255")));
  EXPECT_FALSE(prefix.contains(*IpAddress::parse("10.1.16.0")));
  EXPECT_FALSE(prefix.contains(*IpAddress::parse("fd00::1")));
  EXPECT_TRUE(prefix.contains(*Prefix::parse("10.1.2.0/24")));
  EXPECT_FALSE(prefix.contains(*Prefix::parse("10.0.0.0/8")));
  EXPECT_TRUE(Prefix::default_route(IpFamily::kIpv4).contains(*IpAddress::parse("255.1.2.3")));
}

TEST(MacAddress, ParsesAndPrints) {
  EXPECT_EQ(MacAddress::parse("02:57:0A:00:00:01")->to_string(), "02:57:0a:00:00:01");
  for (const char* text : {"", "02:57:0a:00:00", "02-57-0a-00-00-01", "02:57:0a:00:00:0g"})
    EXPECT_FALSE(MacAddress::parse(text)) << text;
}

}  // namespace
}  // namespace weft
