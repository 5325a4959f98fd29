// SPDX-License-Identifier: Apache-2.0
#include "linux/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/temporary_directory.h"
#include "base/unique_fd.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
};

TEST_F(FileTest, WrittenAtomicallyItHasItsModeAndNothingIsBeside) {
  const std::string path = directory_ + "/a.conf";
  const mode_t before = ::umask(077);
  ASSERT_TRUE(write_atomically(path, std::string(100'000, 'a'), 0644, Durable::kYes));
  ASSERT_TRUE(write_atomically(path, "new", 0640, Durable::kNo));
  ::umask(before);
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(mode_of(path), 0640U);
  EXPECT_THAT(*list_directory(directory_), ElementsAre("a.conf"));
}

TEST_F(FileTest, RemovalTakesAlongWhatAWriteLeft) {
  ASSERT_TRUE(write_atomically(directory_ + "/.a.new", "half", 0644, Durable::kNo));
  ASSERT_TRUE(write_atomically(directory_ + "/a", "whole", 0644, Durable::kNo));
  EXPECT_TRUE(remove_file(directory_ + "/a"));
  EXPECT_TRUE(list_directory(directory_)->empty());
  EXPECT_TRUE(remove_file(directory_ + "/a"));
}

TEST_F(FileTest, AWriteThatFailsLeavesNothing) {
  ASSERT_TRUE(make_directories(directory_ + "/a/b", 0755));
  EXPECT_THAT(write_atomically(directory_ + "/a", "x", 0644, Durable::kNo).error().message,
              HasSubstr("rename to " + directory_ + "/a: "));
  EXPECT_THAT(*list_directory(directory_), ElementsAre("a"));
}

TEST_F(FileTest, WhatIsNotThereIsNoError) {
  EXPECT_EQ(read_if_there(directory_ + "/a"), std::nullopt);
  EXPECT_TRUE(list_directory(directory_ + "/a")->empty());
  ASSERT_TRUE(write_atomically(directory_ + "/a", "", 0644, Durable::kNo));
  EXPECT_EQ(read_if_there(directory_ + "/a"), "");
  EXPECT_EQ(read_if_there(directory_ + "/a/b"), std::nullopt);  // a file is no directory
}

TEST_F(FileTest, ReadingMayHaveALimit) {
  const std::string path = directory_ + "/a";
  ASSERT_TRUE(write_atomically(path, std::string(100'000, 'a'), 0644, Durable::kNo));
  const auto read = [&](std::size_t most) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return read_all(file.get(), "a", most);
  };
  EXPECT_EQ(read(100'000)->size(), 100'000U);
  EXPECT_EQ(read(99'999).error().code, EFBIG);
  EXPECT_EQ(read(0).error().code, EFBIG);
}

TEST_F(FileTest, ErrorsNameThePath) {
  EXPECT_THAT(read_file(directory_ + "/a").error().message, HasSubstr(directory_ + "/a: No such"));
  EXPECT_THAT(write_atomically(directory_ + "/a/b", "", 0644, Durable::kNo).error().message,
              HasSubstr("create " + directory_ + "/a/.b.new: No such"));
}

}  // namespace
}  // namespace weft
