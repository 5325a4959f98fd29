// SPDX-License-Identifier: Apache-2.0
#include "lab/check/probe_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/unique_fd.h"
#include "lab/check/socket_address.h"

namespace weft::lab {
namespace {

constexpr int kBacklog = 1024;

// One socket for both families: an IPv6 wildcard one takes IPv4 too.
Result<UniqueFd> bound_socket(int type, std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET6, type | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket");
  constexpr int kOff = 0;
  constexpr int kOn = 1;
  ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  const SocketAddress any(IpAddress::any(IpFamily::kIpv6), port);
  if (::bind(fd.get(), any.get(), any.size()) != 0)
    return fail_errno(fmt::format("bind port {}", port));
  return fd;
}

std::string answer(const std::string& name, const sockaddr_storage& client) {
  return fmt::format("{} {}\n", name, SocketAddress(client).ip().to_string());
}

void serve_connection(int listener, const std::string& name) {
  sockaddr_storage client{};
  socklen_t size = sizeof client;
  const UniqueFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&client), &size, SOCK_CLOEXEC));
  if (!fd) return;
  const std::string text = answer(name, client);
  ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

void serve_datagram(int socket, const std::string& name) {
  std::array<char, 64> question;
  sockaddr_storage client{};
  socklen_t size = sizeof client;
  if (::recvfrom(socket, question.data(), question.size(), 0, reinterpret_cast<sockaddr*>(&client),
                 &size) < 0) {
    return;
  }
  const std::string text = answer(name, client);
  ::sendto(socket, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&client), size);
}

}  // namespace

Result<> serve_probes(const std::string& name, std::uint16_t port) {
  WEFT_ASSIGN(const UniqueFd listener, bound_socket(SOCK_STREAM, port));
  WEFT_ASSIGN(const UniqueFd datagrams, bound_socket(SOCK_DGRAM, port));
  if (::listen(listener.get(), kBacklog) != 0) return fail_errno("listen");
  for (;;) {
    std::array<pollfd, 2> ready = {pollfd{listener.get(), POLLIN, 0},
                                   pollfd{datagrams.get(), POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return fail_errno("poll");
    if (ready[0].revents != 0) serve_connection(listener.get(), name);
    if (ready[1].revents != 0) serve_datagram(datagrams.get(), name);
  }
}

}  // namespace weft::lab
