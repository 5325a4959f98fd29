// SPDX-License-Identifier: Apache-2.0
#include "control/unix_address.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace weft::control {

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  constexpr std::size_t kLongest = sizeof address.sun_path - 1;
  if (path.size() > kLongest)
    return fail(fmt::format("a socket path has at most {} bytes", kLongest), ENAMETOOLONG);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace weft::control
