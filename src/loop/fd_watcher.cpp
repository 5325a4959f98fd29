// SPDX-License-Identifier: Apache-2.0
#include "loop/fd_watcher.h"

namespace weft::loop {
namespace {

void on_poll(uv_poll_t* poll, int status, int events) {
  Ready ready;
  // An error is reported as readable: the read that follows says which.
  ready.readable = status < 0 || (events & UV_READABLE) != 0;
  ready.writable = (events & UV_WRITABLE) != 0;
  static_cast<Handle<uv_poll_t, Ready>*>(poll->data)->callback(ready);
}

}  // namespace

Result<FdWatcher> FdWatcher::watch(Loop& loop, int fd, Ready interest, Callback callback) {
  WEFT_ASSIGN(Poll poll, (make_handle<uv_poll_t, Ready>(std::move(callback), [&](uv_poll_t* uv) {
                return uv_poll_init(loop.uv(), uv, fd);
              })));
  FdWatcher watcher(std::move(poll));
  WEFT_TRY(watcher.set_interest(interest));
  return watcher;
}

Result<FdWatcher> FdWatcher::readable(Loop& loop, int fd, std::function<void()> callback) {
  return watch(loop, fd, {.readable = true, .writable = false},
               [callback = std::move(callback)](Ready) { callback(); });
}

Result<> FdWatcher::set_interest(Ready interest) {
  const int events = (interest.readable ? UV_READABLE : 0) | (interest.writable ? UV_WRITABLE : 0);
  const int error =
      events == 0 ? uv_poll_stop(&poll_->uv) : uv_poll_start(&poll_->uv, events, on_poll);
  if (error != 0) return fail_errno("watch descriptor", -error);
  return {};
}

}  // namespace weft::loop
