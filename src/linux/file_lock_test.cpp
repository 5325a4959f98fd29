// SPDX-License-Identifier: Apache-2.0
#include "linux/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <optional>
#include <string>

#include "base/temporary_directory.h"

namespace weft {
namespace {

bool is_free(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  return ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
}

TEST(FileLock, IsHeldUntilTheObjectGoes) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/lock";
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
  EXPECT_FALSE(FileLock::acquire("/no/such/directory/lock").has_value());
}

}  // namespace
}  // namespace weft
