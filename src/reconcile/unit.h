// SPDX-License-Identifier: Apache-2.0
//
// A unit: one instance of one kind (all links; one nft table) with its place in the order of
// writes. It is what is registered, what is read and written at one time, and what fails as a whole
// when it cannot be read. Of a unit here is when it is due; the Reconciler says whose turn it is.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "reconcile/table_state.h"

namespace weft::reconcile {

// Units of a lower stage are written first and removed last.
struct Placement {
  int stage = 0;
  bool atomic = false;          // its additions and removals go in one write
  bool rests_on_links = false;  // the kernel may take its entries along when a link or address goes
  bool cascades = false;        // its writes may take along entries of units that rest on links
  // Units of lower stages, by name ("link", "nft weft-podnet"): nothing is added while one of them
  // is failing.
  std::vector<std::string> waits_for{};
};

// What a unit did since the start, for status and metrics.
struct Counts {
  using Duration = std::chrono::microseconds;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t entries = 0;   // written: added, changed or removed
  std::uint64_t failures = 0;  // reads and writes that failed, and entries that were refused
  Duration reading{0};         // altogether
  Duration writing{0};
  Duration longest_read{0};
  Duration longest_write{0};

  void note(bool write, Duration took) {
    (write ? writes : reads) += 1;
    (write ? writing : reading) += took;
    Duration& longest = write ? longest_write : longest_read;
    longest = std::max(longest, took);
  }
};

class Unit {
 public:
  using TimePoint = Clock::TimePoint;
  enum class Cause { kStart, kMark, kPeriod, kCascade, kOwnWrite, kFailure };
  enum class Job { kNone, kRead, kCompare, kWrite };

  Unit(std::string unit_name, std::unique_ptr<AnyTableState> table, Placement where)
      : name(std::move(unit_name)), state(std::move(table)), placement(std::move(where)) {}

  void plan_read(TimePoint when, Cause why) {
    if (read_at && *read_at <= when) return;
    read_at = when;
    cause = why;
  }
  bool idle() const { return job == Job::kNone; }
  bool may_write() const { return idle() && !failed && was_read; }
  bool is_failing() const { return !error.message.empty() || state->is_failing(); }
  bool is_settled() const {
    return (idle() || job == Job::kCompare) && !read_at && !is_failing() &&
           !state->pending(Part::kAll);
  }
  // An atomic unit removes along with what it adds.
  bool has_to_remove() const {
    return state->pending(Part::kRemovals) &&
           !(placement.atomic && state->pending(Part::kAdditions));
  }
  // All is well: what fails next is a first failure.
  void recover() {
    error = {};
    backoff = std::chrono::milliseconds(0);
  }

  std::string name;  // the kind's, and the instance's if there are several
  std::unique_ptr<AnyTableState> state;
  Placement placement;

  Job job = Job::kNone;
  TimePoint job_began{};
  bool was_read = false;  // since the start
  std::optional<TimePoint> read_at{};
  Cause cause = Cause::kStart;  // of the read to come
  TimePoint last_read{};
  TimePoint hastened_at{};  // when what is refused was last tried early, for a mark

  bool failed = false;  // as a whole: it waits for read_at
  Error error{};        // why
  std::chrono::milliseconds backoff{0};

  std::optional<TimePoint> reading_since{};   // the first of the reads that gave way to writes
  std::optional<TimePoint> removals_since{};  // how long they have waited for others' additions
  Counts counts{};
};

}  // namespace weft::reconcile
