// SPDX-License-Identifier: Apache-2.0
#include "tables/file_driver.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"
#include "tables/driver_fixture.h"

namespace weft::tables {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class FileDriverTest : public testing::Test {
 protected:
  FileDriverTest() {
    path_ = (root_ / "net.d" / "10-weft.conflist").string();
    driver_ = FileDriver({path_}, state());
  }

  std::string state() const { return (root_ / "state").string(); }

  const TemporaryDirectory temporary_{};
  const std::filesystem::path root_ = temporary_.path();
  std::string path_{};
  FileDriver driver_{{}, ""};
};

TEST_F(FileDriverTest, WritesReadsBackMendsAndRemoves) {
  const FileKind::Table desired{{path_, "{\"name\": \"weft\"}\n"}};
  EXPECT_THAT(repair(driver_, desired), IsEmpty());
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
  std::ofstream(path_, std::ios::app) << "more";
  EXPECT_THAT(drift(driver_, desired),
              ElementsAre(StartsWith("different " + path_ + ": 21 bytes (")));
  EXPECT_THAT(repair(driver_, desired), IsEmpty());
  std::ofstream(root_ / "net.d" / "99-other.conf") << "{}";
  EXPECT_THAT(repair(driver_, {}), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(std::filesystem::exists(root_ / "net.d" / "99-other.conf"));
  EXPECT_THAT(remove<FileKind>(driver_, {{path_, ""}}), IsEmpty());
}

TEST_F(FileDriverTest, LeavesNothingBesideAndNoReaderSeesHalf) {
  ASSERT_THAT(repair(driver_, {{path_, std::string(100'000, 'a')}}), IsEmpty());
  std::ifstream old(path_);
  ASSERT_THAT(repair(driver_, {{path_, "new"}}), IsEmpty());
  const std::string content((std::istreambuf_iterator<char>(old)), {});
  EXPECT_EQ(content.size(), 100'000U);
  std::ofstream(root_ / "net.d" / ".10-weft.conflist.new") << "a write that was cut short";
  ASSERT_THAT(repair(driver_, {}), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(root_ / "net.d"));
}

TEST_F(FileDriverTest, WhatAnotherConfigurationWroteIsOurs) {
  // And has not read since: it was killed.
  ASSERT_THAT(add<FileKind>(driver_, {{path_, "x"}}), IsEmpty());
  const std::string elsewhere = (root_ / "elsewhere" / "10-weft.conflist").string();
  FileDriver after({elsewhere}, state());
  EXPECT_THAT(
      drift(after, {{elsewhere, "x"}}),
      UnorderedElementsAre(StartsWith("unexpected " + path_), StartsWith("missing " + elsewhere)));
  ASSERT_THAT(repair(after, {{elsewhere, "x"}}), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_THAT(repair(after, {}), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(state()));
}

TEST_F(FileDriverTest, TheRecordForgetsWhatSomebodyRemoved) {
  ASSERT_THAT(repair(driver_, {{path_, "x"}}), IsEmpty());
  std::filesystem::remove(path_);
  EXPECT_THAT(drift(driver_, {}), IsEmpty());
  EXPECT_TRUE(driver_.tidy());
  EXPECT_TRUE(std::filesystem::is_empty(state()));
}

TEST_F(FileDriverTest, ErrorsNameTheFile) {
  std::ofstream(root_ / "net.d") << "a file where a directory should be";
  EXPECT_THAT(drift(driver_, {}), IsEmpty());
  EXPECT_THAT(add<FileKind>(driver_, {{path_, "x"}}),
              ElementsAre(HasSubstr("create " + (root_ / "net.d").string())));
}

}  // namespace
}  // namespace weft::tables
