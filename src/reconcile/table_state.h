// SPDX-License-Identifier: Apache-2.0
//
// One kind's desired table and what of it is still to be written. The Reconciler holds one
// TableState per kind, behind AnyTableState.
#pragma once

#include <algorithm>
#include <cassert>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reconcile/edit.h"
#include "reconcile/table.h"

namespace weft::reconcile {

enum class Part { kAdditions, kRemovals, kAll };  // additions: new and changed entries

class AnyTableState {
 public:
  virtual ~AnyTableState() = default;
  virtual std::string_view kind() const = 0;
  virtual bool pending(Part part) const = 0;
  // Reads the kernel; what differs becomes what is pending. Drift, that is what was right before
  // and what nobody asked for, is told to `report`, which may be null.
  virtual Result<> resync(const std::function<void(const Drift&)>& report) = 0;
  // Reads the kernel and compares; changes nothing.
  virtual Result<std::vector<Drift>> compare() = 0;
  // Hands what is pending to the driver; `done` gets the errors, now or later.
  virtual void write(Part part, std::function<void(std::vector<Error>)> done) = 0;
  virtual void drop(std::string_view owner) = 0;
};

namespace detail {
// The same map with another mapped type.
template <class Map, class Mapped>
struct Remap;
template <class K, class V, class Compare, class Mapped>
struct Remap<std::map<K, V, Compare>, Mapped> {
  using Type = std::map<K, Mapped, Compare>;
};
template <class K, class V, class Hash, class Mapped>
struct Remap<std::unordered_map<K, V, Hash>, Mapped> {
  using Type = std::unordered_map<K, Mapped, Hash>;
};
}  // namespace detail

template <class Kind>
class TableState final : public AnyTableState, private Desired<Kind> {
 public:
  using Key = typename Kind::Key;
  using Value = typename Kind::Value;

  explicit TableState(std::unique_ptr<Driver<Kind>> driver) : driver_(std::move(driver)) {}

  Driver<Kind>& driver() const { return *driver_; }
  const Desired<Kind>& desired() const { return *this; }
  std::size_t size() const { return held_.size(); }

  // An edit of a key that another owner holds is not taken, and is the failure told; every other
  // is.
  Result<> merge(std::string_view owner, const std::vector<Edit<Kind>>& edits) {
    const std::uint8_t id = owner_id(owner);
    if constexpr (requires { held_.reserve(1); }) {
      if (edits.size() > held_.size()) held_.reserve(held_.size() + edits.size());
    }
    const Edit<Kind>* clash = nullptr;
    for (const Edit<Kind>& edit : edits) {
      const bool taken = edit.value ? set(id, edit.key, *edit.value) : remove(id, edit.key);
      if (!taken) clash = &edit;
    }
    if (clash == nullptr) return {};
    return fail(std::string(owner) + " plans " + std::string(Kind::kName) + " " +
                Kind::describe(clash->key) + ", which " + owners_[held_.at(clash->key).owner] +
                " holds");
  }

  void drop(std::string_view owner) override {
    const std::uint8_t id = owner_id(owner);
    std::vector<Key> keys;
    for (const auto& [key, held] : held_)
      if (held.owner == id) keys.push_back(key);
    for (const Key& key : keys) remove(id, key);
  }

  std::string_view kind() const override { return Kind::kName; }

  bool pending(Part part) const override {
    return (part != Part::kRemovals && !dirty_.empty()) ||
           (part != Part::kAdditions && !removed_.empty());
  }

  Result<> resync(const std::function<void(const Drift&)>& report) override {
    WEFT_ASSIGN(typename Kind::Table actual, read_all(*driver_));
    forget_pending();
    for (Entry& entry : held_) {
      const auto found = actual.find(entry.first);
      Value* const there = found == actual.end() ? nullptr : &found->second;
      Held& held = entry.second;
      const bool was_right = held.in_kernel;
      held.in_kernel = there != nullptr && Kind::same(held.value, *there);
      if (held.in_kernel) continue;
      if (report && was_right) report(to_drift(Change<Kind>(entry.first, there, &held.value)));
      mark_dirty(entry, there == nullptr ? nullptr : std::make_unique<Value>(std::move(*there)));
    }
    const RemovedMap asked_for = std::exchange(unremoved_, {});
    for (auto& [key, value] : actual) {
      if (held_.contains(key)) continue;
      if (report && !asked_for.contains(key)) report(to_drift(Change<Kind>(key, &value, nullptr)));
      removed_.emplace(key, std::move(value));
    }
    return {};
  }

  Result<std::vector<Drift>> compare() override {
    WEFT_ASSIGN(const typename Kind::Table actual, read_all(*driver_));
    std::vector<Drift> drifts;
    const auto value_of = [](const Held& held) -> const Value& { return held.value; };
    for (const Change<Kind>& change : diff<Kind>(held_, actual, value_of))
      drifts.push_back(to_drift(change));
    return drifts;
  }

  void write(Part part, std::function<void(std::vector<Error>)> done) override {
    take(part);
    if (flight_.changes.empty()) {
      land({});
      return done({});
    }
    driver_->write(
        flight_.changes, *this,
        [this, done = std::move(done)](std::vector<WriteFailure<Kind>> failures) {
          land(failures);
          std::vector<Error> errors;
          for (WriteFailure<Kind>& failure : failures)
            errors.push_back(failure.key ? std::move(failure.error).in(Kind::describe(*failure.key))
                                         : std::move(failure.error));
          done(std::move(errors));
        });
  }

 private:
  struct Held {
    Held(Value desired, std::uint8_t whose) : value(std::move(desired)), owner(whose) {}

    Value value;
    std::unique_ptr<Value> previous{};  // of one to be written: what the kernel holds, if anything
    std::uint32_t dirty = 0;            // its place in dirty_, counted from 1; 0 = not there
    std::uint8_t owner;
    bool in_flight = false;  // a change refers to it: it must stay as it is
    bool in_kernel = false;  // as far as we know the kernel has it so
  };
  using HeldMap = typename detail::Remap<typename Kind::Table, Held>::Type;
  using Entry = typename HeldMap::value_type;
  using RemovedMap = typename detail::Remap<typename Kind::Table, Value>::Type;
  // What is with the driver, and what its changes refer to.
  struct Flight {
    Changes<Kind> changes{};
    std::vector<Entry*> entries{};
    RemovedMap removed{};
    std::vector<typename HeldMap::node_type> outdated{};  // edited or removed meanwhile
  };

  const Value* find(const Key& key) const override {
    const auto held = held_.find(key);
    return held == held_.end() ? nullptr : &held->second.value;
  }
  void each(const std::function<void(const Key&, const Value&)>& visit) const override {
    for (const auto& [key, held] : held_) visit(key, held.value);
  }

  // False when another holds the key.
  bool set(std::uint8_t owner, const Key& key, const Value& value) {
    const auto [entry, inserted] = held_.try_emplace(key, value, owner);
    Held& held = entry->second;
    if (inserted) {
      mark_dirty(*entry, take_removed(key));
      return true;
    }
    if (held.owner != owner) return false;
    if (equal(value, held.value)) return true;
    if (held.in_flight) {
      const Value& written = set_aside(entry);
      mark_dirty(*held_.try_emplace(key, value, owner).first, std::make_unique<Value>(written));
      return true;
    }
    if (held.dirty == 0) mark_dirty(*entry, std::make_unique<Value>(std::move(held.value)));
    held.value = value;
    return true;
  }

  bool remove(std::uint8_t owner, const Key& key) {
    const auto entry = held_.find(key);
    if (entry == held_.end()) return true;
    Held& held = entry->second;
    if (held.owner != owner) return false;
    if (held.in_flight) {
      removed_.emplace(key, set_aside(entry));
      return true;
    }
    if (held.dirty == 0)
      removed_.emplace(key, std::move(held.value));
    else if (held.previous)
      removed_.emplace(key, std::move(*held.previous));
    if (held.dirty != 0) dirty_[held.dirty - 1] = nullptr;
    held_.erase(entry);
    return true;
  }

  // Takes an entry that is in flight out of the table, but not out of the world; its value.
  const Value& set_aside(typename HeldMap::iterator entry) {
    return flight_.outdated.emplace_back(held_.extract(entry)).mapped().value;
  }

  std::unique_ptr<Value> take_removed(const Key& key) {
    if (removed_.empty()) return nullptr;
    auto gone = removed_.extract(key);
    return gone.empty() ? nullptr : std::make_unique<Value>(std::move(gone.mapped()));
  }

  // Both ways round, because unset fields of the first are not compared.
  static bool equal(const Value& a, const Value& b) { return Kind::same(a, b) && Kind::same(b, a); }

  // `previous`: what the kernel holds, or null.
  void mark_dirty(Entry& entry, std::unique_ptr<Value> previous) {
    entry.second.previous = std::move(previous);
    entry.second.in_kernel = false;
    dirty_.push_back(&entry);
    entry.second.dirty = static_cast<std::uint32_t>(dirty_.size());
  }

  // Puts what is to be written in flight.
  void take(Part part) {
    Changes<Kind>& changes = flight_.changes;
    if (part != Part::kAdditions) {
      flight_.removed.swap(removed_);
      for (const auto& [key, value] : flight_.removed) changes.emplace_back(key, &value, nullptr);
    }
    if (part == Part::kRemovals) return;
    flight_.entries.swap(dirty_);
    changes.reserve(changes.size() + flight_.entries.size());
    for (Entry* const entry : flight_.entries) {
      if (entry == nullptr) continue;
      Held& held = entry->second;
      held.dirty = 0;
      held.in_flight = true;
      if (!held.previous || !equal(*held.previous, held.value))
        changes.emplace_back(entry->first, held.previous.get(), &held.value);
    }
  }

  void land(const std::vector<WriteFailure<Kind>>& failures) {
    const bool whole = std::any_of(failures.begin(), failures.end(),
                                   [](const auto& failure) { return !failure.key; });
    for (Entry* const entry : flight_.entries) {
      if (entry == nullptr) continue;
      entry->second.in_flight = false;
      entry->second.in_kernel = !whole;
      entry->second.previous.reset();
    }
    for (const WriteFailure<Kind>& failure : failures) {
      if (!failure.key) continue;
      if (const auto held = held_.find(*failure.key); held != held_.end())
        held->second.in_kernel = false;
    }
    if (!failures.empty()) unremoved_.merge(flight_.removed);
    flight_ = {};
  }

  void forget_pending() {
    for (Entry* const entry : dirty_) {
      if (entry == nullptr) continue;
      entry->second.dirty = 0;
      entry->second.previous.reset();
    }
    dirty_.clear();
    unremoved_.merge(removed_);
    removed_.clear();
  }

  std::uint8_t owner_id(std::string_view owner) {
    for (std::size_t i = 0; i < owners_.size(); ++i)
      if (owners_[i] == owner) return static_cast<std::uint8_t>(i);
    assert(owners_.size() < 255);
    owners_.emplace_back(owner);
    return static_cast<std::uint8_t>(owners_.size() - 1);
  }

  std::unique_ptr<Driver<Kind>> driver_;
  HeldMap held_{};
  std::vector<Entry*> dirty_{};  // new and changed entries to write; null: removed since
  RemovedMap removed_{};         // entries to remove, with what the kernel holds
  RemovedMap unremoved_{};       // those that may have stayed: to find them again is no drift
  Flight flight_{};
  std::vector<std::string> owners_{};
};

}  // namespace weft::reconcile
