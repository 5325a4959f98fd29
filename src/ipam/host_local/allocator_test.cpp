// SPDX-License-Identifier: Apache-2.0
#include "ipam/host_local/allocator.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "ipam/host_local/store_fixture.h"

namespace weft::ipam {
namespace {

using testing::HasSubstr;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

RangeSet set_of(std::string_view subnet) {
  return make_range_set({{Prefix::parse(subnet).value(), {}, {}, {}}}).value();
}

class AllocatorTest : public StoreFixture {
 protected:
  Result<std::vector<Lease>> add(const std::string& id, const std::vector<RangeSet>& sets,
                                 std::vector<IpAddress> requested = {}) {
    Store store = Store::open(directory_, "net").value();
    return allocate(store, {id, "eth0"}, sets, std::move(requested));
  }
  std::string add_one(const std::string& id, const std::vector<RangeSet>& sets) {
    const auto leases = add(id, sets);
    return leases ? leases->front().address.to_string() : leases.error().message;
  }
  void del(const std::string& id) {
    Store store = Store::open(directory_, "net").value();
    ASSERT_TRUE(release(store, {id, "eth0"}));
  }
};

TEST_F(AllocatorTest, FirstAddressIsTheOneBehindTheGateway) {
  EXPECT_EQ(add_one("a", {set_of("10.1.0.0/24")}), "10.1.0.2/24");
  EXPECT_EQ(add_one("b", {set_of("10.1.0.0/24")}), "10.1.0.3/24");
}

TEST_F(AllocatorTest, DualStackTakesOneOfEach) {
  const auto leases = add("a", {set_of("10.1.0.0/24"), set_of("fd00:1::/64")}).value();
  ASSERT_EQ(leases.size(), 2U);
  EXPECT_EQ(leases[0].address.to_string(), "10.1.0.2/24");
  EXPECT_EQ(leases[0].gateway, ip("10.1.0.1"));
  EXPECT_EQ(leases[1].address.to_string(), "fd00:1::2/64");
  EXPECT_EQ(leases[1].gateway, ip("fd00:1::1"));
}

TEST_F(AllocatorTest, AFreedAddressComesLast) {
  const std::vector<RangeSet> sets{set_of("10.1.0.0/29")};  // .2 to .6
  add_one("a", sets);
  add_one("b", sets);
  del("a");
  EXPECT_EQ(add_one("c", sets), "10.1.0.4/29");
  EXPECT_EQ(add_one("d", sets), "10.1.0.5/29");
  EXPECT_EQ(add_one("e", sets), "10.1.0.6/29");
  EXPECT_EQ(add_one("f", sets), "10.1.0.2/29");
  EXPECT_THAT(add_one("g", sets),
              HasSubstr("range 0: no IP addresses available in range set: 10.1.0.1-10.1.0.6"));
}

TEST_F(AllocatorTest, GoesOnThroughTheSetsRanges) {
  const RangeSet two = make_range_set({{Prefix::parse("10.1.0.0/30").value(), {}, {}, {}},
                                       {Prefix::parse("10.9.0.0/30").value(), {}, {}, {}}})
                           .value();
  EXPECT_EQ(add_one("a", {two}), "10.1.0.2/30");
  EXPECT_EQ(add_one("b", {two}), "10.9.0.2/30");
  EXPECT_THAT(add_one("c", {two}), HasSubstr("no IP addresses available"));
  del("a");
  EXPECT_EQ(add_one("c", {two}), "10.1.0.2/30");
}

TEST_F(AllocatorTest, AHintOutsideTheRangeIsIgnored) {
  put("last_reserved_ip.0", "192.0.2.7");
  EXPECT_EQ(add_one("a", {set_of("10.1.0.0/24")}), "10.1.0.2/24");
}

TEST_F(AllocatorTest, RequestedAddress) {
  const std::vector<RangeSet> sets{set_of("10.1.0.0/24"), set_of("fd00:1::/64")};
  const auto leases = add("a", sets, {ip("fd00:1::77"), ip("10.1.0.99")}).value();
  EXPECT_EQ(leases[0].address.to_string(), "10.1.0.99/24");
  EXPECT_EQ(leases[1].address.to_string(), "fd00:1::77/64");
  EXPECT_THAT(add("b", sets, {ip("10.1.0.99")}).error().message,
              HasSubstr("10.1.0.99 is not available"));
  EXPECT_THAT(add("b", sets, {ip("10.1.0.1")}).error().message,
              HasSubstr("is the subnet's gateway"));
  EXPECT_THAT(add("b", sets, {ip("10.2.0.1")}).error().message,
              HasSubstr("failed to allocate all requested IPs: 10.2.0.1"));
}

TEST_F(AllocatorTest, AFailureReservesNothing) {
  put("fd00:1::2", "other\r\neth0");
  put("fd00:1::3", "other\r\neth1");
  EXPECT_THAT(add("a", {set_of("10.1.0.0/24"), set_of("fd00:1::/126")}).error().message,
              HasSubstr("range 1"));
  EXPECT_FALSE(exists("10.1.0.2"));
  EXPECT_EQ(bytes("fd00:1::2"), "other\r\neth0");
}

TEST_F(AllocatorTest, NoSecondAllocationForAnInterface) {
  add_one("a", {set_of("10.1.0.0/24")});
  EXPECT_THAT(add_one("a", {set_of("10.1.0.0/24")}),
              HasSubstr("duplicate allocation is not allowed"));
  EXPECT_THAT(add("a", {set_of("10.1.0.0/24")}, {ip("10.1.0.9")}).error().message,
              HasSubstr("duplicate allocation"));
}

TEST_F(AllocatorTest, ReleaseIsOfOneInterfaceAndMayRepeat) {
  put("10.1.0.2", "a\r\neth0");
  put("10.1.0.3", "a\r\neth1");
  put("10.1.0.4", "b\r\neth0");
  del("a");
  del("a");
  EXPECT_FALSE(exists("10.1.0.2"));
  EXPECT_TRUE(exists("10.1.0.3"));
  EXPECT_TRUE(exists("10.1.0.4"));
}

// Whatever the order of adds and dels: leases lie in the set, none is given twice or is a gateway,
// an add fails only when all are out, and the directory says exactly what is out.
TEST_F(AllocatorTest, RandomAddsAndDelsKeepTheBooks) {
  std::mt19937 random(20261123);
  const RangeSet set =
      make_range_set({{Prefix::parse("10.1.0.0/28").value(), ip("10.1.0.3"), {}, ip("10.1.0.7")},
                      {Prefix::parse("10.5.0.0/29").value(), {}, {}, {}}})
          .value();
  const std::size_t capacity = 11 + 5;  // .3 to .14 without .7, and .2 to .6
  std::map<std::string, IpAddress> out;
  for (int step = 0; step < 600; ++step) {
    const std::string id = "c" + std::to_string(random() % 24);
    if (out.contains(id)) {
      del(id);
      out.erase(id);
      continue;
    }
    const auto leases = add(id, {set});
    ASSERT_EQ(leases.has_value(), out.size() < capacity);
    if (!leases) continue;
    const IpAddress given = leases->front().address.address;
    const Range* range = find_range(set, given);
    ASSERT_NE(range, nullptr);
    ASSERT_NE(given, range->gateway);
    for (const auto& [other, address] : out) ASSERT_NE(address, given) << other;
    out[id] = given;
    ASSERT_EQ(Store::open(directory_, "net").value().reservations().value().size(), out.size());
  }
}

TEST(RoundRobin, OffersEachAddressOnceFromAnyStart) {
  const RangeSet set = make_range_set({{Prefix::parse("10.1.0.0/28").value(), {}, {}, {}},
                                       {Prefix::parse("10.2.0.0/29").value(), {}, {}, {}}})
                           .value();
  for (const Range& range : set) {
    for (IpAddress last = range.start;; last = last.plus(1)) {
      RoundRobin order(set, last);
      std::set<IpAddress> offered;
      std::optional<Lease> previous;
      while (const std::optional<Lease> lease = order.next()) {
        ASSERT_TRUE(offered.insert(lease->address.address).second);
        previous = lease;
      }
      EXPECT_EQ(offered.size(), 13U + 5U);
      if (last != range.gateway) {
        EXPECT_EQ(previous->address.address, last);
      }
      if (last == range.end) break;
    }
  }
}

}  // namespace
}  // namespace weft::ipam
