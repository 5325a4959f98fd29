// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace weft::bench {

Result<PrivateNetns> PrivateNetns::create() {
  PrivateNetns made;
  int error = 0;
  // A thread may leave its namespace without taking the process along.
  std::thread([&] {
    if (unshare(CLONE_NEWNET) == 0)
      made.fd_ = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!made.fd_) error = errno;
  }).join();
  if (error != 0) return fail_errno("new network namespace", error);
  return made;
}

std::string PrivateNetns::path() const {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get());
}

void exit_unless(const Result<>& result) {
  if (result) return;
  std::fprintf(stderr, "bench: %s\n", result.error().message.c_str());
  std::exit(1);
}

}  // namespace weft::bench
