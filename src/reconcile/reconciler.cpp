// SPDX-License-Identifier: Apache-2.0
#include "reconcile/reconciler.h"

#include <algorithm>
#include <cassert>

namespace weft::reconcile {

namespace {

constexpr int kFutileWrites = 3;

}  // namespace

enum class Cause { kStart, kMark, kPeriod, kCascade, kFailure };

struct Reconciler::Entry {
  std::unique_ptr<AnyTableState> state{};
  Placement placement{};
  std::optional<Clock::TimePoint> resync_at{};
  Cause cause = Cause::kStart;  // of the resync to come
  Clock::TimePoint last_resync{};
  int futile_writes = 0;  // in a row, each acknowledged, after which the kernel still differed
  bool failed = false;    // the last write or read did: wait for resync_at
  std::vector<Error> errors{};  // of that, until all is well again
  std::chrono::milliseconds backoff{0};

  void plan_resync(Clock::TimePoint when, Cause why) {
    if (resync_at && *resync_at <= when) return;
    resync_at = when;
    cause = why;
  }
  void recover() {
    futile_writes = 0;
    errors.clear();
    backoff = std::chrono::milliseconds(0);
  }
};

Reconciler::Reconciler(const Clock& clock, ReconcilerOptions options, ReconcilerEvents events)
    : clock_(clock), options_(options), events_(std::move(events)) {}

Reconciler::~Reconciler() = default;

void Reconciler::insert(std::unique_ptr<AnyTableState> state, const Placement& placement) {
  assert(!started_);
  auto entry = std::make_unique<Entry>();
  entry->state = std::move(state);
  entry->placement = placement;
  const auto place =
      std::find_if(entries_.begin(), entries_.end(), [&](const std::unique_ptr<Entry>& other) {
        return other->placement.stage > entry->placement.stage;
      });
  entries_.insert(place, std::move(entry));
}

Reconciler::Entry& Reconciler::find(std::string_view kind) const {
  const auto found = std::find_if(
      entries_.begin(), entries_.end(),
      [&](const std::unique_ptr<Entry>& entry) { return entry->state->kind() == kind; });
  assert(found != entries_.end());
  return **found;
}

AnyTableState& Reconciler::state_of(std::string_view kind) const { return *find(kind).state; }

void Reconciler::hasten(Entry& entry) {
  if (entry.failed) entry.plan_resync(clock_.now() + options_.backoff_first, Cause::kFailure);
}

void Reconciler::drop(std::string_view owner) {
  for (const auto& entry : entries_) entry->state->drop(owner);
}

void Reconciler::start() {
  started_ = true;
  for (const auto& entry : entries_) entry->plan_resync(clock_.now(), Cause::kStart);
  if (options_.resync_period.count() > 0) next_period_ = clock_.now() + options_.resync_period;
}

void Reconciler::mark(std::string_view kind) {
  Entry& entry = find(kind);
  const auto soonest =
      entry.last_resync + (entry.failed ? options_.failing_mark_interval : options_.mark_interval);
  entry.plan_resync(std::max(clock_.now(), soonest), Cause::kMark);
}

void Reconciler::resync_now() {
  for (const auto& entry : entries_) entry->plan_resync(clock_.now(), Cause::kPeriod);
}

std::optional<Clock::TimePoint> Reconciler::deadline() const {
  if (!started_ || in_flight_) return std::nullopt;
  std::optional<Clock::TimePoint> soonest = next_period_;
  const auto consider = [&](Clock::TimePoint when) {
    if (!soonest || when < *soonest) soonest = when;
  };
  for (const auto& entry : entries_) {
    if (entry->resync_at) consider(*entry->resync_at);
    if (may_write(*entry, Part::kAll)) consider(clock_.now());
  }
  return soonest;
}

bool Reconciler::settled() const {
  return started_ &&
         std::all_of(entries_.begin(), entries_.end(), [this](const std::unique_ptr<Entry>& entry) {
           return settled(entry->state->kind());
         });
}

bool Reconciler::settled(std::string_view kind) const {
  const Entry& entry = find(kind);
  return started_ && !in_flight_ && !entry.resync_at && !entry.failed &&
         !entry.state->pending(Part::kAll);
}

void Reconciler::run() {
  if (running_ || !started_) return;
  running_ = true;
  if (next_period_ && *next_period_ <= clock_.now()) {
    resync_now();
    next_period_ = clock_.now() + options_.resync_period;
  }
  while (!in_flight_ && step()) {
  }
  running_ = false;
}

// Does the first thing that is due: upward through the stages reads and additions, then downward
// removals. False when nothing is.
bool Reconciler::step() {
  for (const auto& entry : entries_) {
    if (entry->resync_at && *entry->resync_at <= clock_.now()) {
      resync(*entry);
      return true;
    }
    const Part part = entry->placement.atomic ? Part::kAll : Part::kAdditions;
    if (may_write(*entry, part)) {
      write(*entry, part);
      return true;
    }
  }
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (may_write(**entry, Part::kRemovals)) {
      write(**entry, Part::kRemovals);
      return true;
    }
  }
  return false;
}

bool Reconciler::may_write(const Entry& entry, Part part) const {
  if (entry.failed) return false;
  const auto& causes = entry.placement.waits_for;
  const bool held_up = std::any_of(causes.begin(), causes.end(),
                                   [&](std::string_view kind) { return find(kind).failed; });
  if (!held_up) return entry.state->pending(part);
  return part != Part::kAdditions && entry.state->pending(Part::kRemovals);
}

void Reconciler::resync(Entry& entry) {
  const Cause cause = entry.cause;
  entry.resync_at.reset();
  entry.last_resync = clock_.now();
  const bool drift = cause == Cause::kMark || cause == Cause::kPeriod;
  auto read = entry.state->resync(drift ? events_.drifted : nullptr);
  if (!read) return fail(entry, {std::move(read.error()).in("read")});
  entry.failed = false;
  if (!entry.state->pending(Part::kAll)) {
    entry.recover();
  } else if (cause == Cause::kCascade && ++entry.futile_writes > kFutileWrites) {
    fail(entry, {not_kept(*entry.state)});
  }
}

// What is acknowledged and yet not there must not be written for ever.
Error Reconciler::not_kept(AnyTableState& state) {
  const auto drifts = state.compare();
  if (!drifts || drifts->empty()) return {"the kernel did not keep what was written", 0};
  const Drift& drift = drifts->front();
  return {drift.key + " is still " + std::string(to_string(drift.problem)) + " after writing it",
          0};
}

void Reconciler::write(Entry& entry, Part part) {
  in_flight_ = true;
  entry.state->write(part, [this, &entry](std::vector<Error> errors) {
    in_flight_ = false;
    if (entry.placement.cascades) mark_resting(entry);
    if (!errors.empty()) {
      fail(entry, std::move(errors));
    } else if (entry.futile_writes == 0) {
      entry.recover();
    }
    run();
  });
}

void Reconciler::fail(Entry& entry, std::vector<Error> errors) {
  entry.failed = true;
  entry.backoff = std::clamp(entry.backoff * 2, options_.backoff_first, options_.backoff_limit);
  entry.resync_at = clock_.now() + entry.backoff;
  entry.cause = Cause::kFailure;
  entry.errors.clear();
  for (Error& error : errors) entry.errors.push_back(std::move(error).in(entry.state->kind()));
  if (!events_.failed) return;
  for (const Error& error : entry.errors) events_.failed(error);
}

std::vector<Error> Reconciler::failing() const {
  std::vector<Error> all;
  for (const auto& entry : entries_)
    all.insert(all.end(), entry->errors.begin(), entry->errors.end());
  return all;
}

// An address that goes may take other addresses along, hence the cause itself. What is failing may
// have been waiting for this write.
void Reconciler::mark_resting(const Entry& cause) {
  for (const auto& entry : entries_) {
    if (!entry->placement.rests_on_links || entry->placement.stage < cause.placement.stage)
      continue;
    if (entry->failed)
      hasten(*entry);
    else
      entry->plan_resync(clock_.now(), Cause::kCascade);
  }
}

Result<std::vector<Drift>> Reconciler::verify() {
  std::vector<Drift> all;
  for (const auto& entry : entries_) {
    WEFT_ASSIGN(std::vector<Drift> drifts, entry->state->compare(), entry->state->kind());
    std::move(drifts.begin(), drifts.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace weft::reconcile
