// SPDX-License-Identifier: Apache-2.0
#include "reconcile/reconciler.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

namespace weft::reconcile {

namespace {

using Cause = Unit::Cause;
using Job = Unit::Job;

constexpr std::size_t kTold = 10;  // failures of one unit, and conflicts

// "nft" of "nft weft-services".
bool is_of(const Unit& unit, std::string_view kind_or_unit) {
  const std::string_view name = unit.name;
  return name == kind_or_unit || name.substr(0, name.find(' ')) == kind_or_unit;
}

}  // namespace

Reconciler::Reconciler(const Clock& clock, ReconcilerOptions options, ReconcilerEvents events)
    : clock_(clock), options_(options), events_(std::move(events)) {}

Reconciler::~Reconciler() = default;

void Reconciler::insert(std::string name, std::unique_ptr<AnyTableState> state,
                        Placement placement) {
  assert(!started_);
  const auto place = std::find_if(
      units_.begin(), units_.end(),
      [&](const std::unique_ptr<Unit>& other) { return other->placement.stage > placement.stage; });
  units_.insert(place,
                std::make_unique<Unit>(std::move(name), std::move(state), std::move(placement)));
}

void Reconciler::drop(std::string_view owner, const Ticket& ticket) {
  for (const auto& unit : units_) unit->state->drop(owner, ticket.id());
}

void Reconciler::hasten(std::string_view kind) {
  for (const auto& unit : units_)
    if (unit->failed && is_of(*unit, kind))
      unit->plan_read(std::max(clock_.now() + options_.backoff_first,
                               unit->last_read + options_.failing_mark_interval),
                      Cause::kFailure);
}

std::optional<Result<>> Reconciler::outcome(const Ticket& ticket) const {
  bool open = false;
  for (const auto& unit : units_) {
    auto outcome = unit->state->outcome(ticket.id());
    if (outcome && *outcome) continue;
    if (outcome) return Failure(std::move(outcome->error()).in(unit->name));
    if (!unit->error.message.empty()) return Failure(unit->error);
    open = true;
  }
  return open ? std::nullopt : std::optional(Result<>());
}

void Reconciler::forget(TicketId ticket) {
  for (const auto& unit : units_) unit->state->forget(ticket);
}

void Reconciler::start() {
  started_ = true;
  for (const auto& unit : units_) unit->plan_read(clock_.now(), Cause::kStart);
  if (options_.resync_period.count() > 0) next_period_ = clock_.now() + options_.resync_period;
}

void Reconciler::mark(std::string_view kind) {
  for (const auto& unit : units_) {
    if (!is_of(*unit, kind)) continue;
    const auto soonest =
        unit->last_read + (unit->failed ? options_.failing_mark_interval : options_.mark_interval);
    unit->plan_read(std::max(clock_.now(), soonest), Cause::kMark);
  }
}

void Reconciler::resync_now() {
  for (const auto& unit : units_) {
    unit->plan_read(clock_.now(), Cause::kPeriod);
    unit->state->hasten(clock_.now());
  }
}

bool Reconciler::busy() const {
  return std::any_of(units_.begin(), units_.end(),
                     [](const std::unique_ptr<Unit>& unit) { return !unit->idle(); });
}

bool Reconciler::settled() const {
  return started_ && std::all_of(units_.begin(), units_.end(),
                                 [](const auto& unit) { return unit->is_settled(); });
}

bool Reconciler::settled(std::string_view kind) const {
  return started_ && std::all_of(units_.begin(), units_.end(), [&](const auto& unit) {
           return !is_of(*unit, kind) || unit->is_settled();
         });
}

std::vector<Error> Reconciler::failing() const {
  std::vector<Error> all;
  for (const auto& unit : units_) {
    if (!unit->error.message.empty()) all.push_back(unit->error);
    for (Error& error : unit->state->failing(kTold)) all.push_back(std::move(error).in(unit->name));
  }
  return all;
}

std::vector<Reconciler::UnitStatus> Reconciler::units() const {
  std::vector<UnitStatus> all;
  for (const auto& unit : units_) all.push_back({unit->name, unit->state->size(), unit->counts});
  return all;
}

std::optional<Clock::TimePoint> Reconciler::deadline() const {
  if (!started_) return std::nullopt;
  std::optional<Clock::TimePoint> soonest = next_period_;
  const auto consider = [&](const std::optional<Clock::TimePoint>& when) {
    if (when && (!soonest || *when < *soonest)) soonest = when;
  };
  for (const auto& unit : units_) {
    if (!unit->idle()) continue;  // it is heard of when it ends
    if (may_read(*unit)) consider(unit->read_at);
    if (unit->failed) continue;
    consider(unit->state->next_retry());
    if (may_add(*unit) || may_remove(*unit)) consider(clock_.now());
    // After that, the end of a write is waited for, which is heard of.
    if (unit->removals_since && unit->has_to_remove())
      if (const auto then = *unit->removals_since + kPatience; then > clock_.now()) consider(then);
  }
  return soonest;
}

void Reconciler::run() {
  if (std::exchange(running_, true)) return;
  if (started_) {
    if (next_period_ && *next_period_ <= clock_.now()) {
      resync_now();
      next_period_ = clock_.now() + options_.resync_period;
    }
    while (step()) {
    }
    for (const auto& unit : units_) {
      if (!unit->has_to_remove())
        unit->removals_since.reset();
      else if (!unit->removals_since)
        unit->removals_since = clock_.now();
    }
  }
  while (compare_next()) {
  }
  running_ = false;
}

// Does the first thing that is due: upward through the stages reads and additions, then downward
// removals. False when nothing is.
bool Reconciler::step() {
  for (const auto& unit : units_) {
    give_way(*unit);
    if (!unit->idle()) continue;
    if (unit->read_at && *unit->read_at <= clock_.now() && may_read(*unit)) {
      read(*unit);
      return true;
    }
    if (!unit->failed && unit->state->is_failing()) unit->state->retry(clock_.now());
    if (may_add(*unit)) {
      write(*unit, unit->placement.atomic ? Part::kAll : Part::kAdditions);
      return true;
    }
  }
  for (auto unit = units_.rbegin(); unit != units_.rend(); ++unit) {
    if (!may_remove(**unit)) continue;
    write(**unit, Part::kRemovals);
    return true;
  }
  return false;
}

// A change does not wait for a read of everything that happens to be under way.
void Reconciler::give_way(Unit& unit) {
  if (unit.job != Job::kRead && unit.job != Job::kCompare) return;
  if (unit.failed || !unit.was_read) return;
  if (!unit.state->pending(Part::kAll)) return;
  if (!unit.reading_since) unit.reading_since = unit.job_began;
  if (clock_.now() < *unit.reading_since + kPatience) unit.state->abandon();
}

// A write below may take along what would be read.
bool Reconciler::may_read(const Unit& unit) const {
  return std::none_of(units_.begin(), units_.end(), [&](const auto& other) {
    return other->placement.stage < unit.placement.stage && other->job == Job::kWrite;
  });
}

bool Reconciler::is_held_up(const Unit& unit) const {
  const auto& causes = unit.placement.waits_for;
  return std::any_of(causes.begin(), causes.end(), [&](const std::string& cause) {
    return std::any_of(units_.begin(), units_.end(), [&](const auto& other) {
      return is_of(*other, cause) && other->is_failing();
    });
  });
}

bool Reconciler::has_to_add(const Unit& unit) const {
  if (unit.job == Job::kWrite) return true;
  if (unit.failed) return false;
  return !unit.was_read || (unit.state->pending(Part::kAdditions) && !is_held_up(unit));
}

bool Reconciler::may_add(const Unit& unit) const {
  if (!unit.may_write() || !unit.state->pending(Part::kAdditions) || is_held_up(unit)) return false;
  return std::none_of(units_.begin(), units_.end(), [&](const auto& other) {
    return other->placement.stage < unit.placement.stage && has_to_add(*other);
  });
}

bool Reconciler::may_remove(const Unit& unit) const {
  if (!unit.may_write() || !unit.has_to_remove()) return false;
  if (unit.removals_since && clock_.now() >= *unit.removals_since + kPatience)
    return std::none_of(units_.begin(), units_.end(), [&](const auto& other) {
      return other->job == Job::kWrite && other->job_began < *unit.removals_since + kPatience;
    });
  return std::none_of(units_.begin(), units_.end(), [&](const auto& other) {
    const bool above = other->placement.stage > unit.placement.stage;
    return has_to_add(*other) || (above && !other->failed && other->has_to_remove());
  });
}

void Reconciler::begin(Unit& unit, Job job) {
  unit.job = job;
  unit.job_began = clock_.now();
}

void Reconciler::end(Unit& unit) {
  const auto took = std::chrono::duration_cast<Counts::Duration>(clock_.now() - unit.job_began);
  unit.counts.note(unit.job == Job::kWrite, took);
  unit.job = Job::kNone;
}

void Reconciler::tell_ended() const {
  if (!running_ && events_.ended) events_.ended();
}

void Reconciler::read(Unit& unit) {
  const Cause cause = unit.cause;
  unit.read_at.reset();
  unit.last_read = clock_.now();
  begin(unit, Job::kRead);
  const bool drift = cause == Cause::kMark || cause == Cause::kPeriod;
  unit.state->resync(clock_.now(), cause == Cause::kOwnWrite, drift ? events_.drifted : nullptr,
                     [this, &unit, cause](Result<> outcome) {
                       end(unit);
                       on_read(unit, cause, std::move(outcome));
                       tell_ended();
                     });
}

void Reconciler::on_read(Unit& unit, Cause cause, Result<> outcome) {
  if (!outcome && outcome.error().code == ECANCELED) {
    // It found out what it found out; what it was for is still to be done.
    return unit.plan_read(clock_.now() + options_.backoff_first, cause);
  }
  unit.reading_since.reset();
  if (!outcome) return fail(unit, std::move(outcome.error()).in("read"));
  unit.failed = false;
  unit.was_read = true;
  unit.error = {};  // back-off stays until what is to be written is
  if (!unit.state->pending(Part::kAll)) unit.recover();
  // Who changed the kernel may have made room for what is refused; but to try in vain may itself be
  // what is heard of.
  if (cause != Cause::kMark || !unit.state->is_failing()) return;
  if (unit.hastened_at < clock_.now())
    unit.hastened_at = std::max(clock_.now() + options_.backoff_first,
                                unit.hastened_at + options_.failing_mark_interval);
  unit.state->hasten(unit.hastened_at);
}

void Reconciler::write(Unit& unit, Part part) {
  if (part != Part::kAdditions) unit.removals_since.reset();
  begin(unit, Job::kWrite);
  unit.state->write(part, clock_, [this, &unit](AnyTableState::Written written) {
    end(unit);
    on_written(unit, std::move(written));
    tell_ended();
  });
}

void Reconciler::on_written(Unit& unit, AnyTableState::Written written) {
  unit.counts.entries += written.entries;
  if (unit.placement.cascades) mark_resting(unit, written.displaced);
  for (Error& error : written.refused) {
    ++unit.counts.failures;
    if (events_.failed) events_.failed(std::move(error).in(unit.name));
  }
  if (written.unknown) return fail(unit, std::move(*written.unknown));
  if (written.unproven) unit.plan_read(clock_.now(), Cause::kOwnWrite);
  unit.recover();
}

void Reconciler::fail(Unit& unit, Error error) {
  ++unit.counts.failures;
  unit.failed = true;
  unit.backoff = std::clamp(unit.backoff * 2, options_.backoff_first, options_.backoff_limit);
  unit.read_at = clock_.now() + unit.backoff;
  unit.cause = Cause::kFailure;
  unit.error = std::move(error).in(unit.name);
  if (events_.failed) events_.failed(unit.error);
}

// What is failing may have been waiting for this write. Where something went or became another it
// may have taken along what rests on it; an address that goes other addresses too.
void Reconciler::mark_resting(const Unit& cause, bool displaced) {
  const auto soon = clock_.now() + options_.backoff_first;
  for (const auto& unit : units_) {
    if (!unit->placement.rests_on_links || unit->placement.stage < cause.placement.stage) continue;
    if (!displaced && unit.get() == &cause) continue;
    unit->state->hasten(soon);
    if (unit->failed)
      unit->plan_read(soon, Cause::kFailure);
    else if (displaced)
      unit->plan_read(clock_.now(), unit.get() == &cause ? Cause::kOwnWrite : Cause::kCascade);
  }
}

void Reconciler::verify(Verified done) {
  Verify& verify = verifies_.emplace_back();
  verify.done = std::move(done);
  for (const auto& unit : units_) verify.left.push_back(unit.get());
  run();
}

// Begins the next comparison that nothing stands in the way of. False when there is none.
bool Reconciler::compare_next() {
  if (verifies_.empty()) return false;
  Verify& verify = verifies_.front();
  if (verify.left.empty() && verify.under_way == 0) {
    finish_verify();
    return true;
  }
  const auto next = std::find_if(verify.left.begin(), verify.left.end(),
                                 [](const Unit* unit) { return unit->idle(); });
  if (next == verify.left.end()) return false;
  Unit& unit = **next;
  verify.left.erase(next);
  ++verify.under_way;
  begin(unit, Job::kCompare);
  unit.state->compare([this, &unit](Result<std::vector<Drift>> drifts) {
    end(unit);
    on_compared(unit, std::move(drifts));
    tell_ended();
  });
  return true;
}

void Reconciler::on_compared(Unit& unit, Result<std::vector<Drift>> drifts) {
  Verify& verify = verifies_.front();
  --verify.under_way;
  if (!drifts && drifts.error().code == ECANCELED) return verify.left.push_back(&unit);
  unit.reading_since.reset();
  if (drifts)
    verify.drifts[&unit] = std::move(*drifts);
  else if (!verify.error)
    verify.error = std::move(drifts.error()).in(unit.name);
}

void Reconciler::finish_verify() {
  Verify verify = std::move(verifies_.front());
  verifies_.pop_front();
  if (verify.error) return verify.done(Failure(std::move(*verify.error)));
  std::vector<Drift> all;
  for (const auto& unit : units_) {
    auto& drifts = verify.drifts[unit.get()];
    std::move(drifts.begin(), drifts.end(), std::back_inserter(all));
  }
  verify.done(std::move(all));
}

}  // namespace weft::reconcile
