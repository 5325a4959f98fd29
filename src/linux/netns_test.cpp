// SPDX-License-Identifier: Apache-2.0
#include "linux/netns.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace weft {
namespace {

class NamedNetns : public testing::Test {
 protected:
  ~NamedNetns() override { [[maybe_unused]] const auto removed = remove_named_netns(name_); }
  const std::string name_ = "weft-test-" + std::to_string(::getpid()) + "-netns";
};

auto identity(const Result<Netns>& netns) { return *netns->identity(); }

TEST_F(NamedNetns, IsMadeAndLeavesUsWhereWeWere) {
  const auto before = identity(Netns::current());
  const auto made = create_named_netns(name_);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(identity(Netns::current()), before);
  EXPECT_NE(identity(made), before);
  EXPECT_EQ(identity(Netns::open(named_netns_path(name_))), identity(made));
}

TEST_F(NamedNetns, TwiceIsAnErrorThatNamesIt) {
  ASSERT_TRUE(create_named_netns(name_).has_value());
  const auto again = create_named_netns(name_);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, EEXIST);
  EXPECT_NE(again.error().message.find(name_), std::string::npos);
}

TEST_F(NamedNetns, RemovedTwiceIsSuccessAndNothingIsLeft) {
  ASSERT_TRUE(create_named_netns(name_).has_value());
  EXPECT_TRUE(remove_named_netns(name_).has_value());
  EXPECT_FALSE(std::filesystem::exists(named_netns_path(name_)));
  EXPECT_TRUE(remove_named_netns(name_).has_value());
}

TEST_F(NamedNetns, GuardEntersForItsScope) {
  const auto made = create_named_netns(name_);
  ASSERT_TRUE(made.has_value());
  const auto before = identity(Netns::current());
  {
    const auto guard = NetnsGuard::enter(*made);
    ASSERT_TRUE(guard.has_value());
    EXPECT_EQ(identity(Netns::current()), identity(made));
  }
  EXPECT_EQ(identity(Netns::current()), before);
}

TEST(Netns, OpeningWhatIsNotThereNamesThePath) {
  const auto missing = Netns::open("/run/netns/weft-test-not-there");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ENOENT);
  EXPECT_NE(missing.error().message.find("weft-test-not-there"), std::string::npos);
}

}  // namespace
}  // namespace weft
