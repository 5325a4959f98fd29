// SPDX-License-Identifier: Apache-2.0
// What a TableState does with writes: what goes to the driver, and what comes of it.
#pragma once

#include <algorithm>

#include "reconcile/table_state.h"

namespace weft::reconcile {

template <class Kind>
void TableState<Kind>::write(Part part, const Clock& clock, std::function<void(Written)> done) {
  take(part);
  flight_.done = std::move(done);
  flight_.clock = &clock;
  if (flight_.changes.empty()) return land({});
  driver_->write(flight_.changes, *this,
                 [this](std::vector<WriteFailure<Kind>> failures) { land(std::move(failures)); });
}

template <class Kind>
void TableState<Kind>::land(std::vector<WriteFailure<Kind>> failures) {
  const auto done = std::move(flight_.done);
  Written written = settle_flight(std::move(failures));
  flight_.clear();
  done(std::move(written));
}

template <class Kind>
void TableState<Kind>::Flight::clear() {
  constexpr std::size_t kFew = 64;
  const auto empty = [](auto& vector) {
    vector.clear();
    if (vector.capacity() > kFew) vector.shrink_to_fit();
  };
  empty(changes);
  empty(entries);
  if (!removed.empty()) removed = {};
  empty(outdated);
}

// Puts what is to be written in flight.
template <class Kind>
void TableState<Kind>::take(Part part) {
  Changes<Kind>& changes = flight_.changes;
  if (part != Part::kAdditions) {
    flight_.removed.swap(removed_);
    for (const auto& [key, removal] : flight_.removed)
      changes.emplace_back(key, &removal.value, nullptr);
  }
  if (part == Part::kRemovals) return;
  flight_.entries.swap(dirty_);
  to_write_ = 0;
  changes.reserve(changes.size() + flight_.entries.size());
  for (const Dirty& dirty : flight_.entries) {
    if (dirty.entry == nullptr) continue;
    Held& held = dirty.entry->second;
    held.dirty = 0;
    held.in_flight = true;
    if (held.previous && equal(*held.previous, held.value)) continue;
    changes.emplace_back(dirty.entry->first, held.previous.get(), &held.value);
  }
}

template <class Kind>
auto TableState<Kind>::settle_flight(std::vector<WriteFailure<Kind>> failures) -> Written {
  const TimePoint now = failures.empty() ? TimePoint() : flight_.clock->now();
  Written written;
  Map<WriteFailure<Kind>> refused;
  for (WriteFailure<Kind>& failure : failures) {
    if (!failure.key) {
      written.displaced = true;  // for all we know
      written.unknown = std::move(failure.error);
      give_back();
      return written;
    }
    written.refused.push_back(Error(failure.error).in(Kind::describe(*failure.key)));
    written.unproven = written.unproven || failure.half_done;
    refused.try_emplace(*failure.key, std::move(failure));
  }
  const auto failure_of = [&](const Key& key) -> WriteFailure<Kind>* {
    if (refused.empty()) return nullptr;
    const auto found = refused.find(key);
    return found == refused.end() ? nullptr : &found->second;
  };
  // A driver that rebuilds around a change may name entries that are not in flight, half done.
  written.entries = static_cast<std::size_t>(
      std::count_if(flight_.changes.begin(), flight_.changes.end(),
                    [&](const auto& change) { return failure_of(change.key) == nullptr; }));
  written.displaced =
      std::any_of(flight_.changes.begin(), flight_.changes.end(), [&](const auto& change) {
        const WriteFailure<Kind>* const failure =
            change.previous ? failure_of(change.key) : nullptr;
        return change.previous && (failure == nullptr || failure->half_done);
      });
  for (const Dirty& dirty : flight_.entries) {
    if (dirty.entry == nullptr) continue;
    dirty.entry->second.in_flight = false;
    if (WriteFailure<Kind>* const failure = failure_of(dirty.entry->first))
      refuse_entry(dirty, std::move(*failure), now);
    else if (!land_entry(dirty))
      written.unproven = true;
  }
  for (auto& [key, removal] : flight_.removed) {
    if (WriteFailure<Kind>* const failure = failure_of(key)) {
      refuse_removal(key, std::move(removal), std::move(failure->error), now);
    } else {
      waiting_.close(removal.number);
      if (const auto held = held_.find(key); held == held_.end()) take_refused(key);
    }
  }
  return written;
}

// An entry that the kernel acknowledged. False: it was lost before, and counts as refused until a
// read has found it.
template <class Kind>
bool TableState<Kind>::land_entry(const Dirty& dirty) {
  Held& held = dirty.entry->second;
  held.in_kernel = true;
  held.previous.reset();
  waiting_.close(dirty.number);
  if (refused_.empty()) return true;
  const auto refused = refused_.find(dirty.entry->first);
  if (refused == refused_.end() || !refused->second.retrying) return true;
  if (rewritten_.contains(dirty.entry->first)) return false;
  refused_.erase(refused);
  return true;
}

// Nobody knows what of the flight was written: all of it is still to be, and the next read tells.
template <class Kind>
void TableState<Kind>::give_back() {
  const auto still_held = [&](const Entry& entry) {
    const auto held = held_.find(entry.first);
    return held != held_.end() && &*held == &entry;
  };
  for (const Dirty& dirty : flight_.entries) {
    if (dirty.entry == nullptr) continue;
    dirty.entry->second.in_flight = false;
    if (still_held(*dirty.entry))
      mark_dirty(*dirty.entry, std::move(dirty.entry->second.previous), dirty.number);
    waiting_.close(dirty.number);
  }
  for (auto& [key, removal] : flight_.removed) {
    if (held_.contains(key) || removed_.contains(key)) {
      waiting_.close(removal.number);
      continue;
    }
    removed_.try_emplace(key, std::move(removal));
  }
}

template <class Kind>
void TableState<Kind>::refuse(const Key& key, Error error, Number number, TimePoint now) {
  Refused& refused = refused_[key];
  refused.error = std::move(error);
  refused.backoff = std::clamp(refused.backoff * 2, backoff_.first, backoff_.limit);
  refused.retry_at = now + refused.backoff;
  refused.number = number;
  refused.retrying = false;
}

template <class Kind>
void TableState<Kind>::refuse_entry(const Dirty& dirty, WriteFailure<Kind> failure, TimePoint now) {
  Held& held = dirty.entry->second;
  const Key& key = dirty.entry->first;
  if (failure.half_done) held.previous.reset();  // the read that follows tells
  const auto current = held_.find(key);
  if (current != held_.end() && &*current == dirty.entry) {
    held.refused = true;
    held.in_kernel = false;
    return refuse(key, std::move(failure.error), dirty.number, now);
  }
  // It was edited meanwhile: what follows it starts from what the kernel held before.
  waiting_.close(dirty.number);
  if (current != held_.end()) {
    current->second.previous = std::move(held.previous);
    return;
  }
  const auto removed = removed_.find(key);
  if (removed == removed_.end()) return;
  if (held.previous) {
    removed->second.value = std::move(*held.previous);
    return;
  }
  if (failure.half_done) return;
  waiting_.close(removed->second.number);
  removed_.erase(removed);
  take_refused(key);
}

template <class Kind>
void TableState<Kind>::refuse_removal(const Key& key, Removal removal, Error error, TimePoint now) {
  if (const auto held = held_.find(key); held != held_.end()) {
    waiting_.close(removal.number);
    held->second.previous = std::make_unique<Value>(std::move(removal.value));
    return;
  }
  const Number number = removal.number;
  refuse(key, std::move(error), number, now);
  refused_.at(key).removal = std::move(removal);
}

template <class Kind>
void TableState<Kind>::retry(TimePoint now) {
  for (auto& [key, refused] : refused_) {
    if (refused.retrying || refused.retry_at > now) continue;
    refused.retrying = true;
    if (refused.removal) {
      refused.removal->number = refused.number;
      removed_.try_emplace(key, std::move(*refused.removal));
      refused.removal.reset();
      continue;
    }
    const auto entry = held_.find(key);
    assert(entry != held_.end());
    entry->second.refused = false;
    mark_dirty(*entry, std::move(entry->second.previous), refused.number);
    waiting_.close(refused.number);
  }
}

template <class Kind>
auto TableState<Kind>::next_retry() const -> std::optional<TimePoint> {
  std::optional<TimePoint> soonest;
  for (const auto& [key, refused] : refused_)
    if (!refused.retrying && (!soonest || refused.retry_at < *soonest)) soonest = refused.retry_at;
  return soonest;
}

template <class Kind>
void TableState<Kind>::hasten(TimePoint when) {
  for (auto& [key, refused] : refused_) refused.retry_at = std::min(refused.retry_at, when);
}

template <class Kind>
std::vector<Error> TableState<Kind>::failing(std::size_t most) const {
  std::vector<Error> all;
  const auto add_rest = [&](std::size_t told, std::size_t all_there, const char* what) {
    if (all_there > told) all.push_back({"and " + std::to_string(all_there - told) + what, 0});
  };
  std::size_t told = 0;
  for (const auto& [key, refused] : refused_) {
    if (told == most) break;
    all.push_back(Error(refused.error).in(Kind::describe(key)));
    ++told;
  }
  add_rest(told, refused_.size(), " more entries that are refused");
  told = 0;
  for (const auto& [key, claims] : conflicts_) {
    if (told == most) break;
    const Held& held = held_.at(key);
    for (const Claim& claim : claims)
      all.push_back({Kind::describe(key) + ": " + names_of(claim.owner) + " plans " +
                         describe<Kind>(key, claim.value) + ", " + names_of(held.owners) +
                         " holds it as " + describe<Kind>(key, held.value),
                     0});
    ++told;
  }
  add_rest(told, conflicts_.size(), " more conflicts");
  return all;
}

template <class Kind>
std::optional<Result<>> TableState<Kind>::outcome(TicketId ticket) const {
  const std::vector<Number> open = waiting_.open_of(ticket);
  if (open.empty()) return Result<>();
  const auto waits = [&](Number number) {
    return std::find(open.begin(), open.end(), number) != open.end();
  };
  for (const auto& [key, refused] : refused_)
    if (waits(refused.number)) return Failure(Error(refused.error).in(Kind::describe(key)));
  for (const auto& [key, claims] : conflicts_)
    for (const Claim& claim : claims)
      if (waits(claim.number))
        return fail(names_of(claim.owner) + " plans " + std::string(Kind::kName) + " " +
                    Kind::describe(key) + ", which " + names_of(held_.at(key).owners) + " holds");
  return std::nullopt;
}

}  // namespace weft::reconcile
