// SPDX-License-Identifier: Apache-2.0
//
// The control socket: how `weft status`, `verify` and `uninstall` talk to the agent. A unix stream
// socket, mode 0600; whoever connects is asked for by the kernel (SO_PEERCRED, unix(7)) and refused
// unless root. One JSON object a line each way, in order:
//
//   → {"method":"status"}
//   ← {"ok":true,"result":{…}}            or {"ok":false,"error":"…"}
//
// An answer may come later (verify waits for a write in flight); until then the connection's next
// request waits. A connection that goes away takes its answer along. One thread.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "linux/file_lock.h"
#include "loop/fd_watcher.h"
#include "loop/loop.h"

namespace weft::agent {

// Whether a peer with these credentials may speak. The agent's is is_root.
using Admission = std::function<bool(const ucred& peer)>;
bool is_root(const ucred& peer);

// The result is JSON text without line breaks. Call it once; later calls do nothing.
using Reply = std::function<void(Result<std::string> result)>;
using ControlHandler = std::function<void(const std::string& method, Reply reply)>;

class ControlServer {
 public:
  // Makes the socket and its directory. A socket that nobody listens at is left over from an agent
  // that was killed and is replaced; fails when an agent does, or starts to (PATH.lock says so),
  // and when something else stands at the path.
  static Result<std::unique_ptr<ControlServer>> listen(loop::Loop& loop, const std::string& path,
                                                       Admission admit, ControlHandler handler);
  ~ControlServer();  // removes the socket and its lock
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class Connection;

  ControlServer(loop::Loop& loop, std::string path, FileLock lock, Admission admit,
                ControlHandler handler)
      : loop_(loop),
        path_(std::move(path)),
        lock_(std::move(lock)),
        admit_(std::move(admit)),
        handler_(std::move(handler)) {}
  void accept_all();
  void admit(UniqueFd fd);

  loop::Loop& loop_;
  std::string path_;
  FileLock lock_;
  Admission admit_;
  ControlHandler handler_;
  UniqueFd listener_{};
  std::unique_ptr<loop::FdWatcher> watcher_{};  // gone before the descriptor it watches
  std::set<std::shared_ptr<Connection>> connections_{};
};

}  // namespace weft::agent
