// SPDX-License-Identifier: Apache-2.0
//
// What the Reconciler reports, as log lines and counts. A failure that repeats is logged once, and
// again when it comes back after it was over; of much drift at once (a bridge that was deleted
// takes all along) the first lines and a total.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "reconcile/reconciler.h"

namespace weft::agent {

class ReconcileLog {
 public:
  // `clock` must outlive this.
  explicit ReconcileLog(const Clock& clock) : clock_(clock) {}

  // Callbacks that refer to this object.
  reconcile::ReconcilerEvents events();

  // From now on what is found and removed is no drift: it is being uninstalled.
  void expect_removals() { removing_ = true; }

  // After each run() of the Reconciler, with what it is failing at.
  void end_of_pass(bool settled, std::span<const Error> failing);

  std::uint64_t drifted() const { return drifted_; }
  std::uint64_t failures() const { return failures_; }

 private:
  void on_failure(const Error& error);
  void on_drift(const reconcile::Drift& drift);

  const Clock& clock_;
  std::uint64_t drifted_ = 0;
  std::optional<Clock::TimePoint> quiet_until_{};  // the end of these ten seconds
  std::uint64_t lines_ = 0;                        // in them
  std::uint64_t failures_ = 0;
  bool removing_ = false;
  std::set<std::string> failing_{};  // as logged, while it lasts
  bool all_is_well_ = true;          // as last logged
};

}  // namespace weft::agent
