// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/address.h"

#include <gmock/gmock.h>
#include <linux/if_addr.h>

#include <cerrno>

#include "linux/netlink/rtnetlink_fixture.h"

namespace weft::netlink {
namespace {

using testing::HasSubstr;
using testing::Not;

class AddressTest : public RtnetlinkFixture {
 protected:
  AddressTest() {
    sh("ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up");
  }

  std::vector<std::string> addresses(std::uint32_t link) {
    const auto addresses = list_addresses(socket_, link);
    EXPECT_TRUE(addresses) << addresses.error().message;
    std::vector<std::string> texts;
    for (const Address& address : *addresses)
      if (!address.prefix.address.is_link_local()) texts.push_back(address.prefix.to_string());
    return texts;
  }
};

TEST_F(AddressTest, AddsReadsAndRemovesBothFamilies) {
  const std::uint32_t d0 = index_of("d0");
  Batch batch;
  for (const char* text : {"10.1.0.1/24", "10.2.0.0/32", "fd00:1::1/64", "fd00:2::/128"})
    put_address(batch, {d0, prefix(text), 0});
  run(batch);
  EXPECT_THAT(addresses(d0), testing::UnorderedElementsAre("10.1.0.1/24", "10.2.0.0/32",
                                                           "fd00:1::1/64", "fd00:2::/128"));
  const std::string shown = sh("ip -o addr show dev d0");
  EXPECT_THAT(shown, HasSubstr("inet 10.1.0.1/24 scope global"));
  EXPECT_THAT(shown, HasSubstr("inet6 fd00:1::1/64 scope global nodad"));
  EXPECT_THAT(sh("ip -o -6 addr show dev d0 tentative scope global"), "");
  for (const char* text : {"10.1.0.1/24", "fd00:2::/128"})
    put_address_removal(batch, {d0, prefix(text), 0});
  run(batch);
  EXPECT_THAT(addresses(d0), testing::UnorderedElementsAre("10.2.0.0/32", "fd00:1::1/64"));
}

TEST_F(AddressTest, AddingTwiceIsNothingAndRemovingTwiceSaysSo) {
  const std::uint32_t d0 = index_of("d0");
  for (const char* text : {"10.1.0.1/24", "fd00:1::1/64"}) {
    Batch batch;
    put_address(batch, {d0, prefix(text), 0});
    put_address(batch, {d0, prefix(text), 0});
    run(batch);
    EXPECT_THAT(addresses(d0), testing::ElementsAre(text));
    put_address_removal(batch, {d0, prefix(text), 0});
    run(batch);
    put_address_removal(batch, {d0, prefix(text), 0});
    EXPECT_EQ(error_of(batch), EADDRNOTAVAIL);
  }
}

TEST_F(AddressTest, ListsOneLinkOrAllAndNoneOfWhatIsGone) {
  Batch batch;
  put_address(batch, {index_of("d0"), prefix("10.1.0.1/24"), 0});
  put_address(batch, {index_of("d1"), prefix("10.1.1.1/24"), 0});
  run(batch);
  EXPECT_THAT(addresses(index_of("d1")), testing::ElementsAre("10.1.1.1/24"));
  EXPECT_EQ(addresses(0).size(), 4U);  // and lo's two
  EXPECT_TRUE(addresses(999).empty());
}

}  // namespace
}  // namespace weft::netlink
