// SPDX-License-Identifier: Apache-2.0
#include "traffic/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "traffic/socket_address.h"

namespace weft::traffic {
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

Server::Server(std::string name, UniqueFd listener, UniqueFd datagrams)
    : name_(std::move(name)), listener_(std::move(listener)), datagrams_(std::move(datagrams)) {}

Result<Server> Server::open(std::string name, std::uint16_t port) {
  WEFT_ASSIGN(UniqueFd listener, bound_socket(SOCK_STREAM, port));
  WEFT_ASSIGN(UniqueFd datagrams, bound_socket(SOCK_DGRAM, port));
  if (::listen(listener.get(), kBacklog) != 0) return fail_errno("listen");
  return Server(std::move(name), std::move(listener), std::move(datagrams));
}

Result<> Server::serve(int stop) const {
  for (;;) {
    std::array<pollfd, 3> ready = {pollfd{listener_.get(), POLLIN, 0},
                                   pollfd{datagrams_.get(), POLLIN, 0}, pollfd{stop, POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0) {
      if (errno != EINTR) return fail_errno("poll");
      continue;
    }
    if (ready[0].revents != 0) serve_connection(listener_.get(), name_);
    if (ready[1].revents != 0) serve_datagram(datagrams_.get(), name_);
    if (ready[2].revents != 0) return {};
  }
}

}  // namespace weft::traffic
