// SPDX-License-Identifier: Apache-2.0
//
// What the benchmark programs share: a stopwatch, order statistics, a line a result, and network
// namespaces that go with the process. Contestants are run in turn within one process, so that a
// busy machine slows them alike, and results are told as ratios. Minimum: the cost itself; median:
// what one sees.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft::bench {

class Samples {
 public:
  template <class Work>
  void measure(Work work) {
    const double start = now();
    work();
    microseconds_.push_back(now() - start);
  }
  double minimum() const { return *std::min_element(microseconds_.begin(), microseconds_.end()); }
  double maximum() const { return *std::max_element(microseconds_.begin(), microseconds_.end()); }
  double median() const {
    std::vector<double> sorted = microseconds_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  std::size_t count() const { return microseconds_.size(); }

 private:
  static double now() {
    const std::chrono::duration<double, std::micro> since =
        std::chrono::steady_clock::now().time_since_epoch();
    return since.count();
  }

  std::vector<double> microseconds_{};
};

inline void print(const char* what, const Samples& samples) {
  std::printf("  %-44s min %10.1f us   median %10.1f us   n=%zu\n", what, samples.minimum(),
              samples.median(), samples.count());
}

// How many times `of` is `to`; `limit` (0: none) is what the project promises of
// the median.
inline void print_ratio(const char* what, const Samples& of, const Samples& to, double limit = 0) {
  std::printf("  %-44s min %10.2f x    median %10.2f x", what, of.minimum() / to.minimum(),
              of.median() / to.median());
  if (limit > 0)
    std::printf("    promised <= %.1f: %s", limit,
                of.median() / to.median() <= limit ? "kept" : "NOT KEPT");
  std::printf("\n");
}

// A new network namespace that only this process refers to: nothing is left when it ends.
class PrivateNetns {
 public:
  static Result<PrivateNetns> create();
  int fd() const { return fd_.get(); }
  std::string path() const;  // good for other processes while this one lives

 private:
  UniqueFd fd_{};
};

// Ends the program, saying why, when a benchmark cannot go on.
template <class T>
T value_or_exit(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}
void exit_unless(const Result<>& result);

}  // namespace weft::bench
