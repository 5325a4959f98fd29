// SPDX-License-Identifier: Apache-2.0
// What a TableState does with reads: a resync, which takes over what the kernel holds, and a
// comparison, which changes nothing.
#pragma once

#include "reconcile/table_state.h"

namespace weft::reconcile {

inline constexpr int kFutileWrites = 3;  // in a row, after which an entry counts as refused

template <class Kind>
void TableState<Kind>::resync(TimePoint now, bool after_own_write, Report report,
                              std::function<void(Result<>)> done) {
  comparing_ = false;
  after_own_write_ = after_own_write;
  read_at_ = now;
  report_ = std::move(report);
  resynced_ = std::move(done);
  begin_pass();
}

template <class Kind>
void TableState<Kind>::compare(std::function<void(Result<std::vector<Drift>>)> done) {
  comparing_ = true;
  drifts_.clear();
  edited_.clear();
  compared_ = std::move(done);
  begin_pass();
}

template <class Kind>
void TableState<Kind>::begin_pass() {
  ++pass_;
  left_to_find_ = held_.size() + removed_.size() + refused_.size();
  abandoned_ = false;
  driver_->read(static_cast<ReadSink<Kind>&>(*this));
}

// What comes into the table during a pass counts as seen by it, and what is not there any more is
// never seen: so that, once nothing is left to find, nothing can have been lost.
template <class Kind>
void TableState<Kind>::see(Pass& seen) {
  if (std::exchange(seen, pass_) != pass_) --left_to_find_;
}

template <class Kind>
void TableState<Kind>::unsee(Pass& seen) {
  if (std::exchange(seen, 0) == pass_) ++left_to_find_;
}

template <class Kind>
void TableState<Kind>::found(Key key, Value value) {
  if (comparing_) return compare_found(key, value);
  const auto entry = held_.find(key);
  if (entry == held_.end()) return found_surplus(std::move(key), std::move(value));
  Held& held = entry->second;
  see(held.seen);
  if (Kind::same(held.value, value)) return settle(*entry);
  lost(*entry, std::make_unique<Value>(std::move(value)));
}

// The kernel has it as it should be, whatever we thought.
template <class Kind>
void TableState<Kind>::settle(Entry& entry) {
  Held& held = entry.second;
  if (held.in_kernel) {
    if (!rewritten_.empty()) rewritten_.erase(entry.first);
    take_refused(entry.first);  // what was lost before has stayed this time
    return;
  }
  if (held.dirty != 0) waiting_.close(unmark_dirty(entry));
  if (const Number number = take_refused(entry.first); held.refused) waiting_.close(number);
  held.refused = false;
  held.in_kernel = true;
  held.previous.reset();
  rewritten_.erase(entry.first);
}

// The kernel has it not, or not so: `there` is what it has.
template <class Kind>
void TableState<Kind>::lost(Entry& entry, std::unique_ptr<Value> there) {
  Held& held = entry.second;
  if (!held.in_kernel) {
    held.previous = std::move(there);
    return;
  }
  const std::string problem(
      to_string(there ? Drift::Problem::kDifferent : Drift::Problem::kMissing));
  tell(entry.first, there.get(), &held.value);
  mark_dirty(entry, std::move(there), 0);
  if (!after_own_write_ || ++rewritten_[entry.first] <= kFutileWrites) return;
  const Dirty dirty{&entry, unmark_dirty(entry)};
  refuse_entry(dirty, {entry.first, {"is still " + problem + " after writing it", 0}}, read_at_);
}

template <class Kind>
void TableState<Kind>::found_surplus(Key key, Value value) {
  if (const auto removed = removed_.find(key); removed != removed_.end()) {
    removed->second.value = std::move(value);
    see(removed->second.seen);
    return;
  }
  if (const auto refused = refused_.find(key);
      refused != refused_.end() && refused->second.removal) {
    refused->second.removal->value = std::move(value);
    see(refused->second.removal->seen);
    return;
  }
  tell(key, &value, nullptr);
  removed_.try_emplace(std::move(key), Removal{std::move(value), 0, pass_});
}

template <class Kind>
void TableState<Kind>::forget(const std::function<bool(const Key&)>& again) {
  for (auto& [key, held] : held_)
    if (again(key)) unsee(held.seen);
  for (auto& [key, removal] : removed_)
    if (again(key)) unsee(removal.seen);
  for (auto& [key, refused] : refused_)
    if (refused.removal && again(key)) unsee(refused.removal->seen);
  std::erase_if(drifts_, [&](const auto& drift) { return again(drift.first); });
}

template <class Kind>
void TableState<Kind>::done(Result<> outcome) {
  if (outcome) comparing_ ? end_compare() : end_resync();
  report_ = nullptr;
  if (!comparing_) return std::exchange(resynced_, nullptr)(std::move(outcome));
  std::vector<Drift> drifts;
  for (auto& [key, drift] : std::exchange(drifts_, {}))
    if (!edited_.contains(key)) drifts.push_back(std::move(drift));
  const auto compared = std::exchange(compared_, nullptr);
  if (!outcome) return compared(Failure(std::move(outcome.error())));
  compared(std::move(drifts));
}

// What was not found is not there. To go through a table of 100,000s takes some 10 ms, so that it
// is done only where something is lost.
template <class Kind>
void TableState<Kind>::end_resync() {
  if (left_to_find_ == 0) return;
  for (Entry& entry : held_)
    if (entry.second.seen != pass_) lost(entry, nullptr);
  for (auto removed = removed_.begin(); removed != removed_.end();) {
    if (removed->second.seen == pass_) {
      ++removed;
      continue;
    }
    waiting_.close(removed->second.number);
    take_refused(removed->first);
    removed = removed_.erase(removed);
  }
  for (auto refused = refused_.begin(); refused != refused_.end();) {
    const auto& removal = refused->second.removal;
    if (!removal || removal->seen == pass_) {
      ++refused;
      continue;
    }
    waiting_.close(refused->second.number);
    refused = refused_.erase(refused);
  }
}

template <class Kind>
void TableState<Kind>::compare_found(const Key& key, const Value& value) {
  const auto entry = held_.find(key);
  const Value* wanted = entry == held_.end() ? nullptr : &entry->second.value;
  if (wanted != nullptr) entry->second.seen = pass_;
  if (wanted == nullptr || !Kind::same(*wanted, value))
    drifts_.insert_or_assign(key, to_drift(Change<Kind>(key, &value, wanted)));
}

template <class Kind>
void TableState<Kind>::end_compare() {
  for (const auto& [key, held] : held_)
    if (held.seen != pass_)
      drifts_.insert_or_assign(key, to_drift(Change<Kind>(key, nullptr, &held.value)));
}

template <class Kind>
void TableState<Kind>::tell(const Key& key, const Value* there, const Value* wanted) {
  if (report_) report_(to_drift(Change<Kind>(key, there, wanted)));
}

}  // namespace weft::reconcile
