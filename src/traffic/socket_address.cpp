// SPDX-License-Identifier: Apache-2.0
#include "traffic/socket_address.h"

#include <cerrno>
#include <cstring>

#include "base/bytes.h"

namespace weft::traffic {

SocketAddress::SocketAddress(const IpAddress& ip, std::uint16_t port) {
  const auto bytes = ip.bytes();
  if (ip.is_v4()) {
    auto& address = reinterpret_cast<sockaddr_in&>(storage_);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
  } else {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage_);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
  }
}

IpAddress SocketAddress::ip() const {
  if (family() == AF_INET) {
    return IpAddress::from_bytes(bytes_of(reinterpret_cast<const sockaddr_in&>(storage_).sin_addr));
  }
  const Bytes bytes = bytes_of(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr);
  constexpr std::size_t kMappedPrefix = 12;
  if (IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr)) {
    return IpAddress::from_bytes(bytes.subspan(kMappedPrefix));
  }
  return IpAddress::from_bytes(bytes);
}

int SocketAddress::error_of(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace weft::traffic
