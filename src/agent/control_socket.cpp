// SPDX-License-Identifier: Apache-2.0
#include "agent/control_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "agent/control_message.h"

namespace weft::agent {
namespace {

Result<> send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EPIPE) return {};  // refused unheard: the answer says why
    if (size < 0) return fail_errno("send");
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

// Up to the first line break, without it; or up to the end of the stream.
Result<std::string> receive_line(int fd) {
  std::string line;
  std::array<char, 16384> buffer{};
  while (line.find('\n') == std::string::npos) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_errno("receive");
    if (size == 0) break;
    line.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return line.substr(0, line.find('\n'));
}

Result<> set_patience(int fd, std::chrono::milliseconds patience) {
  const timeval limit{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
    return fail_errno("set a time limit");
  return {};
}

Failure explain_connect(const std::string& path, const Error& error) {
  if (error.code == ENOENT || error.code == ECONNREFUSED)
    return fail(fmt::format("no agent runs at {} (is `weft agent` started, and is this its "
                            "controlSocket?)",
                            path),
                error.code);
  if (error.code == EACCES || error.code == EPERM)
    return fail(fmt::format("the agent at {} answers only to root", path), error.code);
  return fail(fmt::format("the agent at {} cannot be reached: {}", path, error.message),
              error.code);
}

}  // namespace

sockaddr_un socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

Result<UniqueFd> connect_to(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(
        fmt::format("a socket path has at most {} bytes", sizeof(sockaddr_un::sun_path) - 1),
        ENAMETOOLONG);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket");
  const sockaddr_un address = socket_address(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("connect");
  return fd;
}

namespace {

Result<std::string> ask(int fd, const std::string& path, std::string_view method,
                        std::chrono::milliseconds patience) {
  WEFT_TRY(set_patience(fd, patience), path);
  const auto line =
      send_all(fd, encode_request(method) + "\n").and_then([&] { return receive_line(fd); });
  if (!line && line.error().code == EAGAIN)
    return fail(fmt::format("the agent at {} did not answer within {} ms", path, patience.count()),
                ETIMEDOUT);
  if (!line) return explain_connect(path, line.error());
  if (line->empty())
    return fail(fmt::format("the agent at {} ended without an answer (see its log)", path),
                ECONNRESET);
  return decode_response(*line);
}

// The listening process; nothing where it cannot be told (another pid namespace) or is this one.
UniqueFd process_behind(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  if (peer.pid == 0 || peer.pid == ::getpid()) return {};
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
}

}  // namespace

Result<std::string> ask_agent(const std::string& path, std::string_view method,
                              std::chrono::milliseconds patience) {
  const Result<UniqueFd> fd = connect_to(path);
  if (!fd) return explain_connect(path, fd.error());
  return ask(fd->get(), path, method, patience);
}

Result<> uninstall_agent(const std::string& path, std::chrono::milliseconds patience) {
  const Result<UniqueFd> fd = connect_to(path);
  if (!fd) return explain_connect(path, fd.error());
  const UniqueFd agent = process_behind(fd->get());
  WEFT_TRY(ask(fd->get(), path, "uninstall", patience));
  if (!agent) return {};
  pollfd ended{agent.get(), POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(patience.count())) == 0)
    return fail("uninstalled, but the agent's process has not ended", ETIMEDOUT);
  return {};
}

}  // namespace weft::agent
