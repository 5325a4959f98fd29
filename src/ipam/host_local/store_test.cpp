// SPDX-License-Identifier: Apache-2.0
#include "ipam/host_local/store.h"

#include <sys/stat.h>

#include "ipam/host_local/store_fixture.h"

namespace weft::ipam {
namespace {

const Owner kOwner{"abc123", "eth0"};

class StoreTest : public StoreFixture {
 protected:
  Store open() { return Store::open(directory_, "net").value(); }
};

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST_F(StoreTest, WritesTheReferencesBytes) {
  Store store = open();
  ASSERT_TRUE(store.reserve(ip("10.1.0.2"), kOwner).value());
  ASSERT_TRUE(store.reserve(ip("fd00:1:0:0:0:0:0:2"), kOwner).value());
  ASSERT_TRUE(store.set_last_reserved(0, ip("10.1.0.2")));
  ASSERT_TRUE(store.set_last_reserved(1, ip("fd00:1::2")));
  EXPECT_EQ(bytes("10.1.0.2"), "abc123\r\neth0");
  EXPECT_EQ(bytes("fd00:1::2"), "abc123\r\neth0");
  EXPECT_EQ(bytes("last_reserved_ip.0"), "10.1.0.2");
  EXPECT_EQ(bytes("last_reserved_ip.1"), "fd00:1::2");
  EXPECT_EQ(bytes("lock"), "");
  ASSERT_TRUE(store.set_last_reserved(1, ip("fd00::9")));  // shorter than before
  EXPECT_EQ(bytes("last_reserved_ip.1"), "fd00::9");
  struct stat status {};
  ASSERT_EQ(::stat(path("10.1.0.2").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(StoreTest, ATakenAddressIsNotReserved) {
  Store store = open();
  ASSERT_TRUE(store.reserve(ip("10.1.0.2"), kOwner).value());
  EXPECT_FALSE(store.reserve(ip("10.1.0.2"), {"other", "eth0"}).value());
  EXPECT_EQ(bytes("10.1.0.2"), "abc123\r\neth0");
}

TEST_F(StoreTest, TakesOverAnEmptyFile) {
  put("10.1.0.2", "");
  Store store = open();
  EXPECT_TRUE(store.reserve(ip("10.1.0.2"), kOwner).value());
  EXPECT_EQ(bytes("10.1.0.2"), "abc123\r\neth0");
}

TEST_F(StoreTest, ReadsReservationsAndNothingElse) {
  put("10.1.0.2", "abc123\r\neth0");
  put("10.1.0.3", "abc123\n");
  put("10.1.0.4", "other\r\neth0");
  put("last_reserved_ip.0", "10.1.0.4");
  put("notes", "abc123\r\neth0");
  std::size_t own = 0;
  const auto reservations = open().reservations().value();
  for (const Reservation& reservation : reservations) own += reservation.is_of(kOwner) ? 1 : 0;
  EXPECT_EQ(reservations.size(), 3U);
  EXPECT_EQ(own, 2U);  // the old format's too
}

TEST_F(StoreTest, AnotherInterfaceOfTheContainerIsAnotherOwner) {
  EXPECT_FALSE((Reservation{ip("10.1.0.2"), "abc123\r\neth0"}.is_of({"abc123", "eth1"})));
  EXPECT_FALSE((Reservation{ip("10.1.0.2"), ""}.is_of({"", ""})));
}

TEST_F(StoreTest, ABrokenHintIsNone) {
  put("last_reserved_ip.0", "10.1.0.");
  Store store = open();
  EXPECT_EQ(store.last_reserved(0), std::nullopt);
  EXPECT_EQ(store.last_reserved(1), std::nullopt);
}

TEST_F(StoreTest, ExistingIsNotMade) {
  EXPECT_FALSE(Store::open_existing(directory_, "net").value().has_value());
  EXPECT_FALSE(exists(""));
}

TEST_F(StoreTest, SaysWhatStandsInTheWay) {
  std::ofstream(directory_ + "/net") << "a file";
  const Result<Store> store = Store::open(directory_, "net");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find(directory_ + "/net: Not a directory"), std::string::npos);
}

}  // namespace
}  // namespace weft::ipam
