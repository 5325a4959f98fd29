// SPDX-License-Identifier: Apache-2.0
#include "linux/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <optional>
#include <string>

namespace weft {
namespace {

bool is_free(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  return ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
}

TEST(FileLock, IsHeldUntilTheObjectGoes) {
  const std::string path = testing::TempDir() + "weft-test-lock-" + std::to_string(::getpid());
  {
    const auto lock = FileLock::acquire(path);
    ASSERT_TRUE(lock.has_value()) << lock.error().message;
    EXPECT_FALSE(is_free(path));
    const auto second = FileLock::try_acquire(path);
    ASSERT_TRUE(second.has_value()) << second.error().message;
    EXPECT_FALSE(*second);
  }
  EXPECT_TRUE(is_free(path));
  EXPECT_TRUE(FileLock::try_acquire(path).value());
  ::unlink(path.c_str());
  EXPECT_FALSE(FileLock::acquire("/no/such/directory/lock").has_value());
}

}  // namespace
}  // namespace weft
