// SPDX-License-Identifier: Apache-2.0
// What a TableState does with edits: claims, and what is to be written for them.
#pragma once

#include <algorithm>

#include "reconcile/table_state.h"

namespace weft::reconcile {

template <class Kind>
std::size_t TableState<Kind>::merge(std::string_view owner, const Edits& edits, TicketId ticket) {
  const Owners bit = bit_of(owner);
  const Number number = waiting_.begin(ticket);
  reserve(edits);
  std::size_t taken = 0;
  for (const Edit<Kind>& edit : edits) {
    if (!holds(edit)) continue;
    ++taken;
    if (compared_) edited_.try_emplace(edit.key);
    if (edit.value)
      set(bit, edit.key, *edit.value, number);
    else
      remove(bit, edit.key, number);
  }
  return taken;
}

template <class Kind>
void TableState<Kind>::reserve(const Edits& edits) {
  if constexpr (requires { held_.reserve(1); }) {
    if (edits.size() <= held_.size()) return;
    dirty_.reserve(dirty_.size() + edits.size());
    const auto own = std::count_if(edits.begin(), edits.end(),
                                   [&](const Edit<Kind>& edit) { return holds(edit); });
    held_.reserve(held_.size() + static_cast<std::size_t>(own));
  }
}

template <class Kind>
std::size_t TableState<Kind>::replace(std::string_view owner, const Edits& edits, TicketId ticket) {
  const std::size_t taken = merge(owner, edits, ticket);
  Map<char> planned;
  for (const Edit<Kind>& edit : edits)
    if (edit.value && holds(edit)) planned.try_emplace(edit.key);
  const Owners bit = bit_of(owner);
  std::vector<Key> outdated;
  for (const auto& [key, held] : held_)
    if ((held.owners & bit) != 0 && !planned.contains(key)) outdated.push_back(key);
  for (const auto& [key, claims] : conflicts_)
    if (!planned.contains(key)) outdated.push_back(key);
  const Number number = waiting_.begin(ticket);
  for (const Key& key : outdated) {
    if (compared_) edited_.try_emplace(key);
    remove(bit, key, number);
  }
  return taken;
}

template <class Kind>
void TableState<Kind>::set(Owners owner, const Key& key, const Value& value, Number number) {
  if (!conflicts_.empty()) {
    if (waits_for(owner, key, value, number)) return;
    withdraw(owner, key);
  }
  const auto [entry, inserted] = held_.try_emplace(key, value, owner);
  Held& held = entry->second;
  if (inserted) {
    held.seen = pass_;
    mark_dirty(*entry, nullptr, number);
    take_removed(*entry);
  } else if (equal(value, held.value)) {
    held.owners |= owner;
    share(*entry, number);
  } else if (held.owners == owner) {
    change(entry, value, number);
  } else {
    held.owners &= static_cast<Owners>(~owner);
    conflicts_[key].push_back({owner, value, number});
    waiting_.open(number);
  }
}

template <class Kind>
void TableState<Kind>::remove(Owners owner, const Key& key, Number number) {
  if (!conflicts_.empty()) withdraw(owner, key);
  const auto entry = held_.find(key);
  if (entry == held_.end()) return share_removal(key, number);
  Held& held = entry->second;
  if ((held.owners & owner) == 0) return;
  held.owners &= static_cast<Owners>(~owner);
  if (held.owners == 0 && !inherit(entry)) erase(entry, number);
}

// Gives an entry another value.
template <class Kind>
void TableState<Kind>::change(typename HeldMap::iterator entry, const Value& value, Number number) {
  Held& held = entry->second;
  if (held.in_flight) {
    const Key key = entry->first;
    const Owners owners = held.owners;
    const Value& written = set_aside(entry);
    Entry& fresh = *held_.try_emplace(key, value, owners).first;
    fresh.second.seen = pass_;
    mark_dirty(fresh, std::make_unique<Value>(written), number);
    return admit(fresh);
  }
  if (held.dirty != 0) {
    Number& waits = dirty_[held.dirty - 1].number;
    waiting_.close(std::exchange(waits, number));
    waiting_.open(number);
    take_refused(entry->first);  // it was to be tried again
    held.value = value;
  } else if (held.refused) {
    waiting_.close(take_refused(entry->first));
    held.refused = false;
    held.value = value;
    mark_dirty(*entry, std::move(held.previous), number);
  } else {
    mark_dirty(*entry, std::make_unique<Value>(std::move(held.value)), number);
    held.value = value;
  }
  admit(*entry);
}

// Takes an entry that nobody wants any more out of the table; what the kernel holds of it is to be
// removed.
template <class Kind>
void TableState<Kind>::erase(typename HeldMap::iterator entry, Number number) {
  Held& held = entry->second;
  const Key key = entry->first;
  const Pass seen = held.seen;
  rewritten_.erase(key);
  std::unique_ptr<Value> there;
  if (held.in_flight) {
    there = std::make_unique<Value>(set_aside(entry));
  } else {
    if (held.dirty == 0 && !held.refused)
      there = std::make_unique<Value>(std::move(held.value));
    else
      there = std::move(held.previous);
    if (held.dirty != 0) waiting_.close(unmark_dirty(*entry));
    if (held.refused)
      waiting_.close(take_refused(key));
    else
      take_refused(key);
    held_.erase(entry);
  }
  if (!there) return share_removal(key, number);
  removed_.insert_or_assign(key, Removal{std::move(*there), number, seen});
  waiting_.open(number);
}

// The owner waits for this key with this value already, and keeps its place.
template <class Kind>
bool TableState<Kind>::waits_for(Owners owner, const Key& key, const Value& value, Number number) {
  const auto found = conflicts_.find(key);
  if (found == conflicts_.end()) return false;
  for (Claim& claim : found->second) {
    if (claim.owner != owner || !equal(claim.value, value)) continue;
    claim.number = waiting_.share(claim.number, number);
    return true;
  }
  return false;
}

// The owner waits for this key no longer.
template <class Kind>
void TableState<Kind>::withdraw(Owners owner, const Key& key) {
  const auto found = conflicts_.find(key);
  if (found == conflicts_.end()) return;
  std::erase_if(found->second, [&](const Claim& claim) {
    if (claim.owner != owner) return false;
    waiting_.close(claim.number);
    return true;
  });
  if (found->second.empty()) conflicts_.erase(found);
}

// Who has waited longest for an entry that its owners gave up has it now. False: nobody waits.
template <class Kind>
bool TableState<Kind>::inherit(typename HeldMap::iterator entry) {
  const auto found = conflicts_.find(entry->first);
  if (found == conflicts_.end()) return false;
  const Claim heir = std::move(found->second.front());
  found->second.erase(found->second.begin());
  if (found->second.empty()) conflicts_.erase(found);
  entry->second.owners = heir.owner;
  waiting_.close(heir.number);
  change(entry, heir.value, heir.number);
  return true;
}

// Those who wait for the value that the entry has now hold it too.
template <class Kind>
void TableState<Kind>::admit(Entry& entry) {
  const auto found = conflicts_.find(entry.first);
  if (found == conflicts_.end()) return;
  std::erase_if(found->second, [&](const Claim& claim) {
    if (!equal(claim.value, entry.second.value)) return false;
    entry.second.owners |= claim.owner;
    waiting_.close(claim.number);
    share(entry, claim.number);
    return true;
  });
  if (found->second.empty()) conflicts_.erase(found);
}

// Somebody asks for an entry as it is: if it is still to be written, both wait for it.
template <class Kind>
void TableState<Kind>::share(Entry& entry, Number number) {
  if (number == 0) return;
  Held& held = entry.second;
  if (held.dirty != 0) {
    Number& now = dirty_[held.dirty - 1].number;
    now = waiting_.share(now, number);
  } else if (held.refused) {
    Number& now = refused_.at(entry.first).number;
    now = waiting_.share(now, number);
  } else if (held.in_flight) {
    for (Dirty& dirty : flight_.entries)
      if (dirty.entry == &entry) dirty.number = waiting_.share(dirty.number, number);
  }
}

template <class Kind>
void TableState<Kind>::share_removal(const Key& key, Number number) {
  if (number == 0) return;
  for (Map<Removal>* removals : {&removed_, &flight_.removed}) {
    const auto found = removals->find(key);
    if (found == removals->end()) continue;
    Number& now = found->second.number;
    now = waiting_.share(now, number);
    return;
  }
  const auto refused = refused_.find(key);
  if (refused == refused_.end() || refused->second.retrying) return;
  Number& now = refused->second.number;
  now = waiting_.share(now, number);
}

// Takes an entry that is in flight out of the table, but not out of the world; its value.
template <class Kind>
auto TableState<Kind>::set_aside(typename HeldMap::iterator entry) -> const Value& {
  return flight_.outdated.emplace_back(held_.extract(entry)).mapped().value;
}

// An entry that comes again before it was removed: what the kernel holds is its previous value.
template <class Kind>
void TableState<Kind>::take_removed(Entry& entry) {
  if (removed_.empty() && refused_.empty()) return;
  std::optional<Removal> there;
  if (const auto removed = removed_.find(entry.first); removed != removed_.end()) {
    there = std::move(removed->second);
    removed_.erase(removed);
    take_refused(entry.first);  // it was to be tried again
  } else if (const auto refused = refused_.find(entry.first);
             refused != refused_.end() && refused->second.removal) {
    there = std::move(refused->second.removal);
    there->number = take_refused(entry.first);
  }
  if (!there) return;
  waiting_.close(there->number);
  entry.second.previous = std::make_unique<Value>(std::move(there->value));
  entry.second.seen = there->seen;
}

// `previous`: what the kernel holds, or null.
template <class Kind>
void TableState<Kind>::mark_dirty(Entry& entry, std::unique_ptr<Value> previous, Number number) {
  entry.second.previous = std::move(previous);
  entry.second.in_kernel = false;
  close_gaps();
  dirty_.push_back({&entry, number});
  entry.second.dirty = static_cast<std::uint32_t>(dirty_.size());
  ++to_write_;
  waiting_.open(number);
}

// Entries that come and go while nothing can be written leave gaps.
template <class Kind>
void TableState<Kind>::close_gaps() {
  constexpr std::size_t kFew = 64;
  if (dirty_.size() < kFew || to_write_ > dirty_.size() / 2) return;
  std::erase_if(dirty_, [](const Dirty& dirty) { return dirty.entry == nullptr; });
  for (std::size_t i = 0; i < dirty_.size(); ++i)
    dirty_[i].entry->second.dirty = static_cast<std::uint32_t>(i + 1);
}

// It need not be written; who waits for that is the caller's to tell.
template <class Kind>
auto TableState<Kind>::unmark_dirty(Entry& entry) -> Number {
  Dirty& dirty = dirty_[entry.second.dirty - 1];
  const Number number = dirty.number;
  dirty = {};
  entry.second.dirty = 0;
  if (--to_write_ == 0) dirty_.clear();
  return number;
}

template <class Kind>
auto TableState<Kind>::take_refused(const Key& key) -> Number {
  if (refused_.empty()) return 0;
  const auto found = refused_.find(key);
  if (found == refused_.end()) return 0;
  const Number number = found->second.number;
  refused_.erase(found);
  return number;
}

template <class Kind>
auto TableState<Kind>::bit_of(std::string_view owner) -> Owners {
  const auto found = std::find(owners_.begin(), owners_.end(), owner);
  const auto place = static_cast<unsigned>(found - owners_.begin());
  if (found == owners_.end()) owners_.emplace_back(owner);
  assert(place < 8 * sizeof(Owners));
  return static_cast<Owners>(1U << place);
}

template <class Kind>
std::string TableState<Kind>::names_of(Owners owners) const {
  std::string names;
  for (std::size_t i = 0; i < owners_.size(); ++i)
    if ((owners >> i & 1) != 0) names.append(names.empty() ? "" : ", ").append(owners_[i]);
  return names;
}

}  // namespace weft::reconcile
