// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/last_good.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/temporary_directory.h"

namespace weft::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LastGoodTest : public ::testing::Test {
 protected:
  std::string content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
  const std::string path_ = directory_ + "/state/last-good";
};

TEST_F(LastGoodTest, KeepsReadsAndForgetsOverRestarts) {
  {
    LastGood copies(path_);
    EXPECT_EQ(copies.read("a.yaml"), std::nullopt);
    EXPECT_THAT(copies.names(), IsEmpty());
    copies.forget("a.yaml");
    EXPECT_FALSE(std::filesystem::exists(path_));
    ASSERT_TRUE(copies.keep("a.yaml", "one\n2 3\n"));
    ASSERT_TRUE(copies.keep("b.yaml", ""));
    ASSERT_TRUE(copies.keep("c.yaml", std::string("\0\n- \n", 5)));
    EXPECT_EQ(copies.read("a.yaml"), "one\n2 3\n");
    ASSERT_TRUE(copies.keep("a.yaml", "two"));
    EXPECT_EQ(copies.read("a.yaml"), "two");
    copies.forget("c.yaml");
    EXPECT_EQ(copies.read("c.yaml"), std::nullopt);
  }
  LastGood copies(path_);
  EXPECT_THAT(copies.names(), ElementsAre("a.yaml", "b.yaml"));
  EXPECT_EQ(copies.read("a.yaml"), "two");
  EXPECT_EQ(copies.read("b.yaml"), "");
  ASSERT_TRUE(copies.keep("c.yaml", "three"));
  EXPECT_EQ(LastGood(path_).read("c.yaml"), "three");
}

TEST_F(LastGoodTest, IsForItsOwnerAndWrittenOnlyForWhatChanges) {
  LastGood copies(path_);
  ASSERT_TRUE(copies.keep("a.yaml", "one"));
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  const std::string before = content();
  ASSERT_TRUE(copies.keep("a.yaml", "one"));
  ASSERT_TRUE(LastGood(path_).keep("a.yaml", "one"));
  EXPECT_EQ(content(), before);
}

TEST_F(LastGoodTest, WhatAKillLeftHalfWrittenIsCutOff) {
  {
    LastGood copies(path_);
    ASSERT_TRUE(copies.keep("a.yaml", "one"));
    ASSERT_TRUE(copies.keep("b.yaml", "two"));
  }
  const std::string first = content();
  ASSERT_TRUE(LastGood(path_).keep("a.yaml", "changed\n"));
  const std::string both = content();
  for (std::size_t size = first.size(); size < both.size(); ++size) {
    std::ofstream(path_, std::ios::binary) << both.substr(0, size);
    LastGood copies(path_);
    EXPECT_EQ(copies.read("a.yaml"), "one") << size;
    ASSERT_TRUE(copies.keep("c.yaml", "three"));
    LastGood again(path_);
    EXPECT_THAT(again.names(), ElementsAre("a.yaml", "b.yaml", "c.yaml"));
    EXPECT_EQ(again.read("a.yaml"), "one");
    EXPECT_EQ(again.read("c.yaml"), "three");
  }
}

TEST_F(LastGoodTest, AForeignFileIsAnEmptyOne) {
  std::filesystem::create_directories(directory_ + "/state");
  for (const char* text : {"x", "1 1\n", "-1 0\n\n", "99999999999999999999 1\nab\n", "1 1\nabc",
                           "18446744073709551615 2\nab\n", "1  1\nab\n", "\n\n\n"}) {
    std::ofstream(path_) << text;
    LastGood copies(path_);
    EXPECT_THAT(copies.names(), IsEmpty()) << text;
    ASSERT_TRUE(copies.keep("a.yaml", "one"));
    EXPECT_EQ(LastGood(path_).read("a.yaml"), "one") << text;
  }
}

TEST_F(LastGoodTest, IsWrittenAnewBeforeItHasGrownForNothing) {
  LastGood copies(path_);
  ASSERT_TRUE(copies.keep("other.yaml", "other"));
  for (int i = 0; i < 100; ++i) {
    const std::string text(100'000, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(copies.keep("a.yaml", text));
    ASSERT_EQ(copies.read("a.yaml"), text);
    ASSERT_LT(std::filesystem::file_size(path_), 1'500'000U);
  }
  std::ofstream(path_ + ".new") << "half";  // by a kill -9
  LastGood again(path_);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  EXPECT_EQ(again.read("other.yaml"), "other");
  EXPECT_EQ(again.read("a.yaml"), copies.read("a.yaml"));
}

TEST_F(LastGoodTest, IsWrittenAnewWhenMuchIsForgotten) {
  LastGood copies(path_);
  ASSERT_TRUE(copies.keep("other.yaml", "other"));
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(copies.keep(std::to_string(i) + ".yaml", std::string(100'000, 'x')));
  ASSERT_GT(std::filesystem::file_size(path_), 10'000'000U);
  for (int i = 0; i < 100; ++i) copies.forget(std::to_string(i) + ".yaml");
  EXPECT_LT(std::filesystem::file_size(path_), 1'500'000U);
  EXPECT_EQ(copies.read("other.yaml"), "other");
  EXPECT_THAT(LastGood(path_).names(), ElementsAre("other.yaml"));
}

TEST_F(LastGoodTest, AnErrorNamesTheFile) {
  std::ofstream(directory_ + "/state") << "a file where the directory should be";
  const auto kept = LastGood(path_).keep("a.yaml", "one");
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().message, HasSubstr(path_));
}

}  // namespace
}  // namespace weft::cluster
