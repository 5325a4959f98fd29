// SPDX-License-Identifier: Apache-2.0
#include "linux/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

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

Result<FileLock> FileLock::acquire(const std::string& path) {
  FileLock lock;
  do {
    lock.fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock.fd_) return fail_errno("lock " + path);
    while (::flock(lock.fd_.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return fail_errno("lock " + path);
    }
  } while (!is_still_at(path, lock.fd_.get()));
  return lock;
}

}  // namespace weft
