// SPDX-License-Identifier: Apache-2.0
//
// Runs the same work for many items on a few threads. The work is mostly waiting for processes and
// the kernel, each item's is independent of the others', and it changes namespaces, which are a
// thread's own: so threads, and not the event loop.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"

namespace weft::lab {

inline constexpr std::size_t kWorkers = 4;

// work(0) … work(count - 1), in any order. After a failure no new item is begun; the first is
// returned.
template <class Work>
Result<> in_parallel(std::size_t count, Work work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> error;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      if (Result<> done = work(i); !done) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::move(done.error());
        next = count;
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(kWorkers, count); ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  if (error) return Failure(std::move(*error));
  return {};
}

}  // namespace weft::lab
