// SPDX-License-Identifier: Apache-2.0
#include "loop/timer.h"

#include <algorithm>

namespace weft::loop {
namespace {

void on_timer(uv_timer_t* timer) { static_cast<Handle<uv_timer_t>*>(timer->data)->callback(); }

void start(uv_timer_t* timer, Loop::TimePoint when) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(when - Loop::now()).count();
  uv_update_time(timer->loop);  // libuv counts from the time it noted last
  uv_timer_start(timer, on_timer, static_cast<std::uint64_t>(std::max<std::int64_t>(rest, 0)), 0);
}

}  // namespace

Timer::Timer(Loop& loop, std::function<void()> callback)
    : when_(std::make_shared<Loop::TimePoint>()) {
  auto* handle = new Handle<uv_timer_t>();
  uv_timer_init(loop.uv(), &handle->uv);  // cannot fail
  handle->uv.data = handle;
  timer_.reset(handle);
  // libuv's clock is coarse: one that fires early is started again for the rest.
  handle->callback = [uv = &handle->uv, when = when_, callback = std::move(callback)] {
    if (Loop::now() < *when)
      start(uv, *when);
    else
      callback();
  };
}

void Timer::arm(Loop::TimePoint when) {
  *when_ = when;
  start(&timer_->uv, when);
}

void Timer::disarm() { uv_timer_stop(&timer_->uv); }

}  // namespace weft::loop
