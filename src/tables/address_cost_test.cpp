// SPDX-License-Identifier: Apache-2.0
// What a change of one address costs must not depend on how many there are.
#include <gmock/gmock.h>

#include "linux/netlink/request_count.h"
#include "tables/address_driver.h"
#include "tables/driver_fixture.h"

namespace weft::tables {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AddressCostTest : public DriverFixture {
 protected:
  AddressCostTest() { sh("ip link add svc0 type bridge; ip link set svc0 arp off up"); }

  static AddressKind::Key nth(IpFamily family, unsigned number) {
    Prefix one = family == IpFamily::kIpv6 ? prefix("fd00:96::/128") : prefix("10.96.0.0/32");
    one.address = Prefix{one.address, static_cast<std::uint8_t>(one.length - 20)}.at(number);
    return {"svc0", one};
  }
  AddressKind::Table numbers(IpFamily family, unsigned first, unsigned last) {
    AddressKind::Table table;
    for (unsigned i = first; i < last; ++i) table[nth(family, i)];
    return table;
  }
  // Of one address more, and of its removal.
  netlink::Traffic cost_of_one(IpFamily family, unsigned number) {
    const AddressKind::Table one = numbers(family, number, number + 1);
    return netlink::traffic_of([&] {
      EXPECT_THAT(add(driver_, one), IsEmpty());
      EXPECT_THAT(remove(driver_, one), IsEmpty());
    });
  }

  AddressDriver driver_{socket_, {.links = {"svc0"}}};
};

TEST_F(AddressCostTest, OneMoreCostsTheSameAmongThousands) {
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    ASSERT_THAT(add(driver_, numbers(family, 1, 500)), IsEmpty());
    const netlink::Traffic few = cost_of_one(family, 5'000);
    ASSERT_THAT(add(driver_, numbers(family, 500, 4'000)), IsEmpty());
    const netlink::Traffic many = cost_of_one(family, 5'000);
    EXPECT_EQ(many.sent, few.sent);
    EXPECT_EQ(many.received, few.received);
    EXPECT_LE(many.sent, 4U);  // the link's index and the change, twice
  }
}

// Only then is the kernel asked what it holds: once a write, however many addresses that is.
TEST_F(AddressCostTest, OtherPrefixLengthsAreLookedForOnce) {
  for (unsigned i = 1; i < 20; ++i)
    sh("ip addr add " + nth(IpFamily::kIpv6, i).prefix.address.to_string() + "/64 dev svc0");
  const AddressKind::Table desired = numbers(IpFamily::kIpv6, 1, 20);
  const netlink::Traffic cost =
      netlink::traffic_of([&] { EXPECT_THAT(add(driver_, desired), IsEmpty()); });
  EXPECT_EQ(cost.sent, 4U);  // the link's index, the write, the look, the write of what stood
  EXPECT_THAT(drift(driver_, desired), IsEmpty());
  EXPECT_THAT(sh("ip -6 addr show dev svc0"), Not(HasSubstr("/64 scope global")));
}

}  // namespace
}  // namespace weft::tables
