// SPDX-License-Identifier: Apache-2.0
#include "linux/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace weft {
namespace {

// A holder may have removed the file before it let go: then the lock is on a file nobody else
// finds.
bool is_still_at(const std::string& path, int fd) {
  struct stat held {};
  struct stat found {};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &found) == 0 &&
         held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::string& path) { return take(path, LOCK_EX); }

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path) {
  auto lock = take(path, LOCK_EX | LOCK_NB);
  if (lock) return std::optional(std::move(*lock));
  if (lock.error().code == EWOULDBLOCK) return std::optional<FileLock>();
  return Failure(std::move(lock.error()));
}

Result<FileLock> FileLock::take(const std::string& path, int operation) {
  FileLock lock;
  do {
    lock.fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock.fd_) return fail_errno("lock " + path);
    while (::flock(lock.fd_.get(), operation) != 0) {
      if (errno != EINTR) return fail_errno("lock " + path);
    }
  } while (!is_still_at(path, lock.fd_.get()));
  return lock;
}

}  // namespace weft
