// SPDX-License-Identifier: Apache-2.0
#include "agent/reconcile_log.h"

#include "log/log.h"

namespace weft::agent {
namespace {

constexpr std::uint64_t kLinesAPass = 20;

}  // namespace

reconcile::ReconcilerEvents ReconcileLog::events() {
  return {[this](const Error& error) { on_failure(error); },
          [this](const reconcile::Drift& drift) { on_repair(drift); }};
}

void ReconcileLog::on_failure(const Error& error) {
  ++failures_;
  if (error.message == failing_) return;
  failing_ = error.message;
  log::error("reconcile", "the kernel refused; trying again", {{"error", error}});
}

void ReconcileLog::on_repair(const reconcile::Drift& drift) {
  if (removing_) return;
  ++repaired_;
  if (++repaired_in_pass_ > kLinesAPass) return;
  log::warning("reconcile", "repairing drift",
               {{"kind", drift.kind}, {"key", drift.key}, {"problem", to_string(drift.problem)}});
}

void ReconcileLog::end_of_pass(bool settled) {
  if (repaired_in_pass_ > kLinesAPass)
    log::warning("reconcile", "repairing more drift",
                 {{"entries", repaired_in_pass_ - kLinesAPass}});
  repaired_in_pass_ = 0;
  if (!settled || failing_.empty()) return;
  failing_.clear();
  log::info("reconcile", "settled again");
}

}  // namespace weft::agent
