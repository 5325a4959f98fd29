// SPDX-License-Identifier: Apache-2.0
//
// For tests: counts what a program says to the kernel by netlink and hears back, by standing in
// front of the C library's functions. Included by one file of a test program. One thread.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace weft::netlink {

struct Traffic {
  std::size_t sent = 0;      // datagrams
  std::size_t received = 0;  // datagrams, and looks that found none
  bool operator==(const Traffic&) const = default;
};
inline Traffic traffic{};

// What `run` causes.
template <class Run>
Traffic traffic_of(Run run) {
  const Traffic before = traffic;
  run();
  return {traffic.sent - before.sent, traffic.received - before.received};
}

}  // namespace weft::netlink

extern "C" {

inline __attribute__((used)) ssize_t sendto(int fd, const void* buffer, std::size_t size, int flags,
                                            const sockaddr* to, socklen_t length) {
  ++weft::netlink::traffic.sent;
  return ::syscall(SYS_sendto, fd, buffer, size, flags, to, length);
}

inline __attribute__((used)) ssize_t recvfrom(int fd, void* buffer, std::size_t size, int flags,
                                              sockaddr* from, socklen_t* length) {
  ++weft::netlink::traffic.received;
  return ::syscall(SYS_recvfrom, fd, buffer, size, flags, from, length);
}

}  // extern "C"
