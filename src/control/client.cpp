// SPDX-License-Identifier: Apache-2.0
#include "control/client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "control/message.h"
#include "control/unix_address.h"
#include "linux/file.h"

namespace weft::control {
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

// The listening process; nothing where the kernel does not tell (another pid namespace).
std::optional<pid_t> listener_of(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0)
    return std::nullopt;
  return peer.pid;
}

// "stopped", "sleeping" (proc_pid_status(5)); "" when it has gone.
std::string state_of(pid_t process) {
  const auto status = read_file(fmt::format("/proc/{}/status", process)).value_or("");
  const std::size_t line = status.find("\nState:");
  const std::size_t begin = line == std::string::npos ? line : status.find('(', line);
  if (begin == std::string::npos) return "";
  return status.substr(begin + 1, status.find(')', begin) - begin - 1);
}

// "the agent at /run/weft/agent.sock (pid 4711, stopped)"
std::string name_of(int fd, const std::string& path) {
  const auto process = listener_of(fd);
  if (!process) return "the agent at " + path;
  const std::string state = state_of(*process);
  return fmt::format("the agent at {} (pid {}{}{})", path, *process, state.empty() ? "" : ", ",
                     state);
}

std::string text_of(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000)
                                  : fmt::format("{} ms", time.count());
}

Failure unanswered(const std::string& agent, std::chrono::milliseconds patience) {
  return fail(fmt::format("{} did not answer within {}", agent, text_of(patience)), ETIMEDOUT);
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

Result<UniqueFd> connect_to(const std::string& path, std::chrono::milliseconds patience) {
  WEFT_ASSIGN(const sockaddr_un address, unix_address(path));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket");
  WEFT_TRY(set_patience(fd.get(), patience));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("connect");
  return fd;
}

namespace {

bool is_readable(int fd, std::chrono::milliseconds within) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, static_cast<int>(within.count())) != 0;
}

Result<UniqueFd> reach(const std::string& path, std::chrono::milliseconds patience) {
  Result<UniqueFd> fd = connect_to(path, patience);
  if (!fd && fd.error().code == EAGAIN) return unanswered("the agent at " + path, patience);
  if (!fd) return explain_connect(path, fd.error());
  return fd;
}

Result<std::string> ask(int fd, const std::string& path, const Request& request,
                        std::chrono::milliseconds patience, const Waiting& waiting) {
  const auto answer = [&]() -> Result<std::string> {
    WEFT_TRY(send_all(fd, encode(request) + "\n"));
    if (waiting.tell && waiting.after < patience && !is_readable(fd, waiting.after)) {
      WEFT_TRY(set_patience(fd, patience - waiting.after));
      waiting.tell(fmt::format("{} has not answered for {}; waiting up to {}", name_of(fd, path),
                               text_of(waiting.after), text_of(patience)));
    }
    return receive_line(fd);
  };
  const Result<std::string> line = answer();
  if (!line && line.error().code == EAGAIN) return unanswered(name_of(fd, path), patience);
  if (!line) return explain_connect(path, line.error());
  if (line->empty())
    return fail(fmt::format("the agent at {} ended without an answer (see its log)", path),
                ECONNRESET);
  return decode_response(*line);
}

// Of the listening process; nothing where it is not known, has ended or is this one.
UniqueFd process_behind(int fd) {
  const auto process = listener_of(fd);
  if (!process || *process == ::getpid()) return {};
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, *process, 0)));
}

// Its failure has the code ECONNRESET when the agent ended without an answer.
Result<> ask_to_uninstall(const std::string& path, std::chrono::milliseconds patience,
                          const Waiting& waiting) {
  WEFT_ASSIGN(const UniqueFd fd, reach(path, patience));
  const UniqueFd agent = process_behind(fd.get());
  const auto answer = ask(fd.get(), path, {"uninstall"}, patience, waiting);
  if (!answer && answer.error().code != ECONNRESET) return Failure(answer.error());
  if (agent && !is_readable(agent.get(), patience))
    return fail("uninstalled, but the agent's process has not ended", ETIMEDOUT);
  if (!answer) return Failure(answer.error());
  return {};
}

}  // namespace

Result<std::string> ask_agent(const std::string& path, const Request& request,
                              std::chrono::milliseconds patience, const Waiting& waiting) {
  WEFT_ASSIGN(const UniqueFd fd, reach(path, patience));
  return ask(fd.get(), path, request, patience, waiting);
}

Result<> uninstall_agent(const std::string& path, std::chrono::milliseconds patience,
                         const Waiting& waiting) {
  auto done = ask_to_uninstall(path, patience, waiting);
  if (done || done.error().code != ECONNRESET) return done;
  done = ask_to_uninstall(path, patience, waiting);  // a supervisor may have started another one
  if (done || (done.error().code != ENOENT && done.error().code != ECONNREFUSED)) return done;
  return fail(fmt::format("the agent at {} ended before it answered, and whether something is left "
                          "is not known (see its log); start it and uninstall again",
                          path),
              ECONNRESET);
}

}  // namespace weft::control
