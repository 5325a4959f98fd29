// SPDX-License-Identifier: Apache-2.0
//
// The event loop: libuv behind a few owning classes, so that the rest of Weft sees callbacks and
// lifetimes and no handles. Everything runs on the thread that calls run(). Timers, watchers and
// signals must be gone before their Loop.
#pragma once

#include <uv.h>

#include <chrono>
#include <memory>

#include "base/result.h"

namespace weft::loop {

class Inotify;

class Loop {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static Result<Loop> open();

  // Serves events until stop() is called, or until nothing is left that could cause one.
  void run();
  // From a callback: run() returns once the current events are served.
  void stop();

  static TimePoint now() { return std::chrono::steady_clock::now(); }
  uv_loop_t* uv() const { return loop_.get(); }

  // What all directory watches of this loop share; made for the first, gone with the last.
  Result<std::shared_ptr<Inotify>> inotify();

 private:
  struct Close {
    void operator()(uv_loop_t* loop) const;
  };
  explicit Loop(std::unique_ptr<uv_loop_t, Close> loop) : loop_(std::move(loop)) {}

  std::unique_ptr<uv_loop_t, Close> loop_;
  std::weak_ptr<Inotify> inotify_{};
};

}  // namespace weft::loop
