// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.h"

#include <cassert>

#include "loop/inotify.h"

namespace weft::loop {

Result<Loop> Loop::open() {
  auto loop = std::make_unique<uv_loop_t>();
  if (const int error = uv_loop_init(loop.get()); error != 0)
    return fail_errno("event loop", -error);
  return Loop(std::unique_ptr<uv_loop_t, Close>(loop.release()));
}

void Loop::run() { uv_run(loop_.get(), UV_RUN_DEFAULT); }

void Loop::stop() { uv_stop(loop_.get()); }

Result<std::shared_ptr<Inotify>> Loop::inotify() {
  std::shared_ptr<Inotify> shared = inotify_.lock();
  if (!shared) {
    WEFT_ASSIGN(shared, Inotify::open(*this));
    inotify_ = shared;
  }
  return shared;
}

void Loop::Close::operator()(uv_loop_t* loop) const {
  uv_walk(
      loop,
      [](uv_handle_t* handle, void*) {
        static_cast<void>(handle);
        assert(uv_is_closing(handle) && "a handle outlived its loop");
      },
      nullptr);
  // Handles that were destroyed are freed by their close callbacks, which need a turn. A stop()
  // that no run() has seen yet would end the first one early.
  while (uv_run(loop, UV_RUN_NOWAIT) != 0) {
  }
  [[maybe_unused]] const int busy = uv_loop_close(loop);
  assert(busy == 0);
  delete loop;
}

}  // namespace weft::loop
