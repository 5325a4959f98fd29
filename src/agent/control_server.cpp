// SPDX-License-Identifier: Apache-2.0
#include "agent/control_server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "agent/control_connection.h"
#include "control/client.h"
#include "control/unix_address.h"
#include "log/log.h"

namespace weft::agent {
namespace {

constexpr int kBacklog = 16;

Result<> make_directory_of(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return fail(path + ": make its directory: " + error.message(), error.value());
  return {};
}

// One that was killed may still accept for a moment while the kernel takes it apart; it hangs up.
bool is_alive(const std::string& path) {
  const auto answer = control::ask_agent(path, {"status"}, control::kBusyAgent);
  if (answer) return true;
  const int code = answer.error().code;
  return code != ENOENT && code != ECONNREFUSED && code != ECONNRESET;
}

// Whatever stands there and is no socket is not ours to replace.
Result<> check_place(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0)
    return S_ISSOCK(found.st_mode) ? Result<>() : fail(path + " exists and is no socket", EEXIST);
  return errno == ENOENT ? Result<>() : fail_errno(path);
}

std::string lock_file(const std::string& path) { return path + ".lock"; }

// The right to the socket, for this process's life. Who has it answers, or is about to, or was
// killed and is being taken apart.
Result<FileLock> claim(const std::string& path) {
  const auto end = std::chrono::steady_clock::now() + control::kBusyAgent;
  while (true) {
    if (is_alive(path)) return fail("another agent answers at " + path, EADDRINUSE);
    WEFT_ASSIGN(auto lock, FileLock::try_acquire(lock_file(path)));
    if (lock) return std::move(*lock);
    if (std::chrono::steady_clock::now() > end)
      return fail("another agent holds " + lock_file(path) + ", and does not answer", EADDRINUSE);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Result<UniqueFd> bind_socket(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("socket");
  WEFT_ASSIGN(const sockaddr_un address, control::unix_address(path));
  // From the first moment on only root can connect: bind makes the file with this mask.
  const mode_t mask = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(mask);
  if (bound != 0) return fail_errno(path, error);
  if (::listen(fd.get(), kBacklog) != 0) return fail_errno(path);
  return fd;
}

}  // namespace

bool is_root(const ucred& peer) { return peer.uid == 0; }

Result<std::unique_ptr<ControlServer>> ControlServer::listen(loop::Loop& loop,
                                                             const std::string& path,
                                                             Admission admit,
                                                             std::vector<ControlMethod> methods) {
  WEFT_TRY(make_directory_of(path), "control socket");
  WEFT_TRY(check_place(path), "control socket");
  WEFT_ASSIGN(FileLock lock, claim(path), "control socket");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("control socket: " + path);
  auto server = std::unique_ptr<ControlServer>(
      new ControlServer(loop, path, std::move(lock), std::move(admit), std::move(methods)));
  WEFT_ASSIGN(server->listener_, bind_socket(path), "control socket");
  WEFT_ASSIGN(loop::FdWatcher watcher,
              loop::FdWatcher::readable(loop, server->listener_.get(),
                                        [server = server.get()] { server->accept_all(); }));
  server->watcher_ = std::make_unique<loop::FdWatcher>(std::move(watcher));
  return server;
}

ControlServer::~ControlServer() {
  for (const auto& connection : connections_) connection->close();
  if (listener_) ::unlink(path_.c_str());
  ::unlink(lock_file(path_).c_str());
}

void ControlServer::accept_all() {
  while (true) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;  // none left, or out of descriptors: the peer waits
    admit(std::move(fd));
  }
}

void ControlServer::admit(UniqueFd fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  auto connection = std::make_shared<Connection>(*this, std::move(fd));
  if (!connection->start()) return;
  connections_.insert(connection);
  if (known && admit_(peer)) return;
  log::warning("control", "refused a peer that is not root",
               {{"uid", peer.uid}, {"pid", peer.pid}});
  connection->refuse("only root may ask the agent");
}

void ControlServer::serve(const control::Request& request, Reply reply) const {
  std::vector<std::string_view> names;
  for (const ControlMethod& method : methods_) {
    names.push_back(method.name);
    if (method.name != request.method) continue;
    if (const auto checked = control::check(request, method.parameters); !checked)
      return reply(Failure(checked.error()));
    return method.serve(request, std::move(reply));
  }
  reply(fail(fmt::format("unknown method \"{}\" ({})", request.method, fmt::join(names, ", "))));
}

}  // namespace weft::agent
