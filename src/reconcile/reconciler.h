// SPDX-License-Identifier: Apache-2.0
//
// The Reconciler owns the desired tables and brings the kernel to them through the drivers. It is
// pure: time comes from a Clock, the kernel is behind Driver<Kind>, and nothing runs by itself. The
// event loop calls run() after every change, notification and completion, and again at deadline().
//
// - Incremental: merge() takes a plan's edits; run() writes just those keys. Cost follows change.
// - Resync: read, diff, write; after start, after any failed write (with back-off), when a kernel
//   notification marks a kind, when an earlier stage's write may have taken entries along (a link
//   that is made anew loses its routes), and on a period.
// - Stages run upward for additions and downward for removals; an atomic kind (nft) is written as
//   a whole at its place on the way up.
// - A write may take time: it has a completion. Meanwhile further edits coalesce; at most one write
//   is in flight.
// - Nothing is written before start(): the sources must be in sync first.
//
// One thread. Not re-entrant: run() called from a completion returns at once and goes on later.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "reconcile/edit.h"
#include "reconcile/table.h"
#include "reconcile/table_state.h"

namespace weft::reconcile {

struct ReconcilerOptions {
  std::chrono::milliseconds resync_period{0};  // 0 = never
  std::chrono::milliseconds backoff_first{100};
  std::chrono::milliseconds backoff_limit{30'000};
  // A kind marked again and again by notifications is read at most this often.
  std::chrono::milliseconds mark_interval{50};
  // One that is failing, at most this often: to try in vain may itself be what marks it.
  std::chrono::milliseconds failing_mark_interval{1'000};
};

// What happened, for logs and metrics; every member may be empty.
struct ReconcilerEvents {
  std::function<void(const Error&)> failed{};   // a read or a write; it will be tried again
  std::function<void(const Drift&)> drifted{};  // what was right no longer is; run() mends it
};

class Reconciler {
 public:
  Reconciler(const Clock& clock, ReconcilerOptions options, ReconcilerEvents events = {});
  ~Reconciler();

  // A kind and its driver. Kinds of a lower stage are written first and removed last. Atomic: its
  // additions and removals go in one write. `rests_on_links`: the kernel may take its entries along
  // when a link or an address goes.
  struct Placement {
    int stage = 0;
    bool atomic = false;
    bool rests_on_links = false;
    bool cascades = false;  // its writes may take along entries of kinds that rest on links
    // Kinds of lower stages: nothing is added while one of them is failing.
    std::vector<std::string_view> waits_for{};
  };
  template <class Kind>
  void add(std::unique_ptr<Driver<Kind>> driver, const Placement& placement) {
    insert(std::make_unique<TableState<Kind>>(std::move(driver)), placement);
  }

  // Takes a plan's edits for one kind in the name of `owner` (a feature). An edit that sets or
  // removes a key that another owner holds is left out, and is the error: two plans claim one key.
  template <class Kind>
  Result<> merge(std::string_view owner, const std::vector<Edit<Kind>>& edits) {
    if (edits.empty()) return {};
    hasten(find(Kind::kName));
    return state<Kind>().merge(owner, edits);
  }
  // Every key of `owner` goes from the desired tables.
  void drop(std::string_view owner);

  template <class Kind>
  const Desired<Kind>& desired() const {
    return state<Kind>().desired();
  }
  template <class Kind>
  Result<typename Kind::Table> read() {
    return read_all(state<Kind>().driver());
  }

  void start();                      // sources are in sync: the first run() resyncs everything
  void run();                        // writes what is due now
  void mark(std::string_view kind);  // the kernel changed something of this kind
  void resync_now();                 // every kind, whatever back-off or interval says
  std::optional<Clock::TimePoint> deadline() const;  // when run() has something to do again

  bool started() const { return started_; }
  bool writing() const { return in_flight_; }
  bool settled() const;  // nothing pending, nothing in flight, nothing to resync
  bool settled(std::string_view kind) const;
  // What could not be read or written and is to be tried again, by stage: causes come first.
  std::vector<Error> failing() const;

  // Reads every kind and compares; writes nothing. Works before start() too.
  Result<std::vector<Drift>> verify();

 private:
  struct Entry;

  template <class Kind>
  TableState<Kind>& state() const {
    return static_cast<TableState<Kind>&>(state_of(Kind::kName));
  }
  void insert(std::unique_ptr<AnyTableState> state, const Placement& placement);
  Entry& find(std::string_view kind) const;
  AnyTableState& state_of(std::string_view kind) const;
  void hasten(Entry& entry);  // what may succeed now does not wait for a long back-off

  bool step();
  void resync(Entry& entry);
  void write(Entry& entry, Part part);
  void fail(Entry& entry, std::vector<Error> errors);
  bool may_write(const Entry& entry, Part part) const;
  void mark_resting(const Entry& cause);
  static Error not_kept(AnyTableState& state);

  const Clock& clock_;
  ReconcilerOptions options_;
  ReconcilerEvents events_;
  std::vector<std::unique_ptr<Entry>> entries_{};  // by stage
  bool started_ = false;
  bool running_ = false;
  bool in_flight_ = false;
  std::optional<Clock::TimePoint> next_period_{};
};

}  // namespace weft::reconcile
