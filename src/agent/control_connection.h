// SPDX-License-Identifier: Apache-2.0
// One connection to the control socket: splits lines, hands on requests one at a time, writes the
// answers. Part of ControlServer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/control_server.h"

namespace weft::agent {

class ControlServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ControlServer& server, UniqueFd fd) : server_(&server), fd_(std::move(fd)) {}

  Result<> start();
  // Answers once with an error and closes, whatever the peer sends.
  void refuse(std::string_view why);
  void close();  // by the server; answers that come later are dropped

 private:
  void on_ready(loop::Ready ready);
  void read_some();
  void next_request();
  void answer(const Result<std::string>& result);
  void write_some();
  void leave();

  ControlServer* server_;
  UniqueFd fd_;
  std::optional<loop::FdWatcher> watcher_{};  // gone before the descriptor it watches
  std::string in_{};
  std::string out_{};
  std::uint64_t request_ = 0;  // how many were handed on
  bool waiting_ = false;       // for the answer to the last one
  bool ended_ = false;         // the peer sends no more, or must not
};

}  // namespace weft::agent
