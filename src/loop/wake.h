// SPDX-License-Identifier: Apache-2.0
//
// The one way into a loop from another thread: send() there, the callback here. Sends coalesce (one
// callback may answer for many) and none is lost: a callback begins after every send. So it carries
// no data; what it is about lies in a place of its own, guarded by a mutex, which the callback
// empties. The other thread must be past its last send() when the Wake goes. Source: libuv 1.44,
// uv_async_t.
#pragma once

#include <functional>

#include "loop/handle.h"
#include "loop/loop.h"

namespace weft::loop {

class Wake {
 public:
  // On the loop's thread; so is `callback`, and the end of the Wake.
  static Result<Wake> make(Loop& loop, std::function<void()> callback);

  void send() const;  // any thread

 private:
  explicit Wake(OwnedHandle<uv_async_t> async) : async_(std::move(async)) {}
  OwnedHandle<uv_async_t> async_;
};

}  // namespace weft::loop
