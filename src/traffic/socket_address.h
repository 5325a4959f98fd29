// SPDX-License-Identifier: Apache-2.0
// An IpAddress and a port as the sockets interface wants them, and back.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/address.h"

namespace weft::traffic {

class SocketAddress {
 public:
  SocketAddress(const IpAddress& ip, std::uint16_t port);
  // As recvfrom and accept filled it. IPv4 in IPv6 (::ffff:a.b.c.d) is IPv4.
  explicit SocketAddress(const sockaddr_storage& storage) : storage_(storage) {}

  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const {
    return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }
  IpAddress ip() const;

  // The socket's pending error (SO_ERROR), an errno.
  static int error_of(int fd);

 private:
  sockaddr_storage storage_{};
};

}  // namespace weft::traffic
