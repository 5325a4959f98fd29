// SPDX-License-Identifier: Apache-2.0
#include "agent/reconcile_log.h"

#include <algorithm>
#include <utility>

#include "log/log.h"

namespace weft::agent {
namespace {

constexpr std::chrono::seconds kWindow{10};
constexpr std::uint64_t kLinesAWindow = 20;
constexpr std::size_t kMostFailures = 64;  // different ones remembered

}  // namespace

reconcile::ReconcilerEvents ReconcileLog::events() {
  return {[this](const Error& error) { on_failure(error); },
          [this](const reconcile::Drift& drift) { on_drift(drift); }};
}

void ReconcileLog::on_failure(const Error& error) {
  ++failures_;
  if (failing_.size() >= kMostFailures || !failing_.insert(error.message).second) return;
  all_is_well_ = false;
  log::error("reconcile", "failed; trying again", {{"error", error}});
}

void ReconcileLog::on_drift(const reconcile::Drift& drift) {
  if (removing_) return;
  ++drifted_;
  if (!quiet_until_ || clock_.now() >= *quiet_until_) {
    quiet_until_ = clock_.now() + kWindow;
    lines_ = 0;
  }
  if (++lines_ > kLinesAWindow + 1) return;
  if (lines_ > kLinesAWindow)
    log::warning("reconcile", "repairing more drift; counted only", {{"seconds", kWindow.count()}});
  else
    log::warning("reconcile", "repairing drift",
                 {{"kind", drift.kind}, {"key", drift.key}, {"problem", to_string(drift.problem)}});
}

void ReconcileLog::end_of_pass(bool settled, std::span<const Error> failing) {
  std::erase_if(failing_, [&](const std::string& logged) {
    return std::none_of(failing.begin(), failing.end(),
                        [&](const Error& error) { return error.message == logged; });
  });
  if (settled && !std::exchange(all_is_well_, true)) log::info("reconcile", "settled again");
}

}  // namespace weft::agent
