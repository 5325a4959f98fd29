// SPDX-License-Identifier: Apache-2.0
#include "agent/control_connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "control/message.h"

namespace weft::agent {

Result<> ControlServer::Connection::start() {
  WEFT_ASSIGN(watcher_, loop::FdWatcher::watch(server_->loop_, fd_.get(), {.readable = true},
                                               [this](loop::Ready ready) { on_ready(ready); }));
  return {};
}

void ControlServer::Connection::refuse(std::string_view why) {
  ended_ = true;
  answer(fail(std::string(why)));
}

void ControlServer::Connection::close() {
  watcher_.reset();
  fd_.reset();
  server_ = nullptr;
}

void ControlServer::Connection::on_ready(loop::Ready ready) {
  const auto self = shared_from_this();  // leave() takes the server's hold away
  if (ready.writable) write_some();
  if (ready.readable && server_ != nullptr) read_some();
}

void ControlServer::Connection::read_some() {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size < 0) return leave();
  if (size == 0) {
    // The peer may have shut down only its writing side and still wait for the answer.
    ended_ = true;
    if (!waiting_ && out_.empty()) return leave();
    static_cast<void>(watcher_->set_interest({.readable = false, .writable = !out_.empty()}));
    return;
  }
  if (ended_) return;  // refused: what it says does not matter
  in_.append(buffer.data(), static_cast<std::size_t>(size));
  if (waiting_ && in_.size() > control::kLongestRequest) return leave();
  next_request();
}

void ControlServer::Connection::next_request() {
  while (server_ != nullptr && !waiting_) {
    const std::size_t end = in_.find('\n');
    if (end == std::string::npos) {
      if (in_.size() > control::kLongestRequest) refuse("the request is too long");
      return;
    }
    const Result<control::Request> request =
        control::decode_request(std::string_view(in_).substr(0, end));
    in_.erase(0, end + 1);
    if (!request) {
      answer(Failure(request.error()));
      continue;
    }
    waiting_ = true;
    server_->serve(
        *request, [weak = weak_from_this(), id = ++request_](const Result<std::string>& result) {
          const auto self = weak.lock();
          if (!self || self->server_ == nullptr || !self->waiting_ || self->request_ != id) return;
          self->waiting_ = false;
          self->answer(result);
          self->next_request();
        });
  }
}

void ControlServer::Connection::answer(const Result<std::string>& result) {
  out_ += control::encode(result) + "\n";
  write_some();
}

void ControlServer::Connection::write_some() {
  while (!out_.empty()) {
    const ssize_t size = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) {
      static_cast<void>(watcher_->set_interest({.readable = !ended_, .writable = true}));
      return;
    }
    if (size < 0) return leave();
    out_.erase(0, static_cast<std::size_t>(size));
  }
  if (ended_ && !waiting_) return leave();
  static_cast<void>(watcher_->set_interest({.readable = !ended_, .writable = false}));
}

void ControlServer::Connection::leave() {
  ControlServer* const server = server_;
  if (server == nullptr) return;
  const auto self = shared_from_this();
  close();
  server->connections_.erase(self);
}

}  // namespace weft::agent
