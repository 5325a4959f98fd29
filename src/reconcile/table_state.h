// SPDX-License-Identifier: Apache-2.0
//
// One kind's desired table and what of it is still to be written. The Reconciler holds one
// TableState per kind, behind AnyTableState.
#pragma once

#include <cassert>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
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
  // Reads the kernel; what differs becomes what is pending, and is told to `report` (which may be
  // null: a first load has 100,000s of entries to write, and nobody to tell).
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

  Result<> merge(std::string_view owner, const std::vector<Edit<Kind>>& edits) {
    const std::uint8_t id = owner_id(owner);
    for (const Edit<Kind>& edit : edits)
      if (const auto held = held_.find(edit.key); held != held_.end() && held->second.owner != id)
        return fail(std::string(owner) + " plans " + std::string(Kind::kName) + " " +
                    Kind::describe(edit.key) + ", which " + owners_[held->second.owner] + " holds");
    if constexpr (requires { held_.reserve(1); }) {
      if (edits.size() > held_.size()) held_.reserve(held_.size() + edits.size());
    }
    for (const Edit<Kind>& edit : edits) {
      if (edit.value)
        set(id, edit.key, *edit.value);
      else
        remove(edit.key);
    }
    return {};
  }

  void drop(std::string_view owner) override {
    const std::uint8_t id = owner_id(owner);
    std::vector<Key> keys;
    for (const auto& [key, held] : held_)
      if (held.owner == id) keys.push_back(key);
    for (const Key& key : keys) remove(key);
  }

  std::string_view kind() const override { return Kind::kName; }

  bool pending(Part part) const override {
    return (part != Part::kRemovals && !dirty_.empty()) ||
           (part != Part::kAdditions && !removed_.empty());
  }

  Result<> resync(const std::function<void(const Drift&)>& report) override {
    WEFT_ASSIGN(typename Kind::Table actual, driver_->read());
    forget_pending();
    for (auto& [key, held] : held_) {
      const auto found = actual.find(key);
      if (found == actual.end())
        soil(key, held, nullptr);
      else if (!Kind::same(held.value, found->second))
        soil(key, held, &found->second);
    }
    for (auto& [key, value] : actual)
      if (!held_.contains(key)) removed_.emplace(key, std::move(value));
    if (report) report_pending(report);
    return {};
  }

  Result<std::vector<Drift>> compare() override {
    WEFT_ASSIGN(const typename Kind::Table actual, driver_->read());
    std::vector<Drift> drifts;
    const auto value_of = [](const Held& held) -> const Value& { return held.value; };
    for (const Change<Kind>& change : diff<Kind>(held_, actual, value_of))
      drifts.push_back(to_drift(change));
    return drifts;
  }

  void write(Part part, std::function<void(std::vector<Error>)> done) override {
    in_flight_ = take(part);
    if (in_flight_.empty()) return done({});
    driver_->write(
        in_flight_, *this,
        [this, done = std::move(done)](std::vector<WriteFailure<Kind>> failures) {
          in_flight_.clear();
          std::vector<Error> errors;
          for (WriteFailure<Kind>& failure : failures)
            errors.push_back(failure.key ? std::move(failure.error).in(Kind::describe(*failure.key))
                                         : std::move(failure.error));
          done(std::move(errors));
        });
  }

 private:
  struct Held {
    Value value{};
    std::uint8_t owner = 0;
    bool dirty = false;                 // its key is in dirty_
    std::unique_ptr<Value> previous{};  // of a dirty one: what the kernel holds, if anything

    void clean() {
      dirty = false;
      previous.reset();
    }
  };
  using HeldMap = typename detail::Remap<typename Kind::Table, Held>::Type;
  using RemovedMap = typename detail::Remap<typename Kind::Table, Value>::Type;

  const Value* find(const Key& key) const override {
    const auto held = held_.find(key);
    return held == held_.end() ? nullptr : &held->second.value;
  }
  void each(const std::function<void(const Key&, const Value&)>& visit) const override {
    for (const auto& [key, held] : held_) visit(key, held.value);
  }

  void set(std::uint8_t owner, const Key& key, const Value& value) {
    auto [held, inserted] = held_.try_emplace(key);
    if (inserted) {
      held->second.owner = owner;
      const auto gone = removed_.find(key);
      soil(key, held->second, gone == removed_.end() ? nullptr : &gone->second);
      if (gone != removed_.end()) removed_.erase(gone);
    } else if (!held->second.dirty) {
      if (equal(value, held->second.value)) return;
      soil(key, held->second, &held->second.value);
    }
    held->second.value = value;
  }

  void remove(const Key& key) {
    const auto held = held_.find(key);
    if (held == held_.end()) return;
    if (!held->second.dirty)
      removed_.emplace(key, std::move(held->second.value));
    else if (held->second.previous)
      removed_.emplace(key, std::move(*held->second.previous));
    held_.erase(held);  // its key may stay in dirty_: take() passes over what is gone
  }

  // Both ways round, because unset fields of the first are not compared.
  static bool equal(const Value& a, const Value& b) { return Kind::same(a, b) && Kind::same(b, a); }

  // `previous`: what the kernel holds, or null.
  void soil(const Key& key, Held& held, const Value* previous) {
    held.dirty = true;
    if (previous != nullptr) held.previous = std::make_unique<Value>(*previous);
    dirty_.push_back(key);
  }

  Changes<Kind> take(Part part) {
    Changes<Kind> changes;
    if (part != Part::kAdditions) {
      for (auto& [key, value] : removed_) changes.push_back({key, std::move(value), std::nullopt});
      removed_.clear();
    }
    if (part != Part::kRemovals) {
      changes.reserve(changes.size() + dirty_.size());
      for (const Key& key : dirty_) {
        const auto held = held_.find(key);
        if (held == held_.end() || !held->second.dirty) continue;
        if (!held->second.previous || !equal(*held->second.previous, held->second.value)) {
          Change<Kind>& change = changes.emplace_back();
          change.key = key;
          if (held->second.previous) change.previous = std::move(*held->second.previous);
          change.value = held->second.value;
        }
        held->second.clean();
      }
      dirty_.clear();
    }
    return changes;
  }

  void forget_pending() {
    for (const Key& key : dirty_)
      if (const auto held = held_.find(key); held != held_.end()) held->second.clean();
    dirty_.clear();
    removed_.clear();
  }

  void report_pending(const std::function<void(const Drift&)>& report) const {
    for (const auto& [key, value] : removed_)
      report(to_drift(Change<Kind>{key, value, std::nullopt}));
    for (const Key& key : dirty_) {
      const Held& held = held_.at(key);
      Change<Kind> change{key, std::nullopt, held.value};
      if (held.previous) change.previous = *held.previous;
      report(to_drift(change));
    }
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
  std::vector<Key> dirty_{};  // new and changed entries to write
  RemovedMap removed_{};      // entries to remove, with what the kernel holds
  Changes<Kind> in_flight_{};
  std::vector<std::string> owners_{};
};

}  // namespace weft::reconcile
