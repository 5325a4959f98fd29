// SPDX-License-Identifier: Apache-2.0
//
// The agent's end of the control socket (control/message.h, docs/control-socket.md). A unix stream
// socket, mode 0600; whoever connects is asked for by the kernel (SO_PEERCRED, unix(7)) and refused
// unless root. What it serves is a list of methods, and a request reaches its method only with the
// parameters that this one declares.
//
// An answer may come later (verify waits for a write in flight); until then the connection's next
// request waits. A connection that goes away takes its answer along. One thread.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "control/message.h"
#include "control/parameters.h"
#include "linux/file_lock.h"
#include "loop/fd_watcher.h"
#include "loop/loop.h"

namespace weft::agent {

// Whether a peer with these credentials may speak. The agent's is is_root.
using Admission = std::function<bool(const ucred& peer)>;
bool is_root(const ucred& peer);

// The result is JSON text without line breaks. Call it once; later calls do nothing.
using Reply = std::function<void(Result<std::string> result)>;

struct ControlMethod {
  std::string name{};
  std::vector<control::Parameter> parameters{};
  std::function<void(const control::Request& request, Reply reply)> serve{};
};

class ControlServer {
 public:
  // Makes the socket and its directory. A socket that nobody listens at is left over from an agent
  // that was killed and is replaced; fails when an agent does, or starts to (PATH.lock says so),
  // and when something else stands at the path.
  static Result<std::unique_ptr<ControlServer>> listen(loop::Loop& loop, const std::string& path,
                                                       Admission admit,
                                                       std::vector<ControlMethod> methods);
  ~ControlServer();  // removes the socket and its lock
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class Connection;

  ControlServer(loop::Loop& loop, std::string path, FileLock lock, Admission admit,
                std::vector<ControlMethod> methods)
      : loop_(loop),
        path_(std::move(path)),
        lock_(std::move(lock)),
        admit_(std::move(admit)),
        methods_(std::move(methods)) {}
  void accept_all();
  void admit(UniqueFd fd);
  void serve(const control::Request& request, Reply reply) const;

  loop::Loop& loop_;
  std::string path_;
  FileLock lock_;
  Admission admit_;
  std::vector<ControlMethod> methods_;
  UniqueFd listener_{};
  std::unique_ptr<loop::FdWatcher> watcher_{};  // gone before the descriptor it watches
  std::set<std::shared_ptr<Connection>> connections_{};
};

}  // namespace weft::agent
