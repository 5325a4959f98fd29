// SPDX-License-Identifier: Apache-2.0
#include "linux/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace weft {

Result<FileLock> FileLock::acquire(const std::string& path) {
  FileLock lock;
  lock.fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.fd_) return fail_errno("lock " + path);
  while (::flock(lock.fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno("lock " + path);
  }
  return lock;
}

}  // namespace weft
