// SPDX-License-Identifier: Apache-2.0
//
// Tables, changes and drivers: the vocabulary of the one idea. A *kind* (a link, a route, an nft
// object) is a struct that names its key, its value and when two values are the same:
//
//   struct RouteKind {
//     using Key = …;                       // plain data, as is Value
//     using Value = …;
//     using Table = std::map<Key, Value>;  // or an unordered_map
//     static constexpr std::string_view kName = "route";
//     // Fields that `desired` leaves unset are the kernel's.
//     static bool same(const Value& desired, const Value& actual);
//     // As an operator would write it.
//     static std::string describe(const Key&);
//     static std::string describe(const Value&);
//   };
//
// A *driver* reads the kernel's actual entries of a kind (only ours) and writes changes to them.
#pragma once

#include <cassert>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::reconcile {

// What one entry shall become. `previous` is what the kernel holds now, as far as we know (null: no
// such entry); `value` is what it shall hold (null: remove it). It refers to the entries of the
// tables it was made from, and is good as long as those stand: a first load has 100,000s.
template <class Kind>
struct Change {
  using Key = typename Kind::Key;
  using Value = typename Kind::Value;

  Change(const Key& entry, const Value* was, const Value* shall_be)
      : key(entry), previous(was), value(shall_be) {}
  Change(Key&& temporary, const Value* was, const Value* shall_be) = delete;

  const Key& key;
  const Value* previous;
  const Value* value;
};

template <class Kind>
using Changes = std::vector<Change<Kind>>;

// One entry that could not be written, or (key unset) the whole write.
template <class Kind>
struct WriteFailure {
  std::optional<typename Kind::Key> key{};
  Error error{};
  bool half_done = false;  // a part was written: it may hold anything, or be gone
};

template <class Kind>
using WriteDone = std::function<void(std::vector<WriteFailure<Kind>>)>;

// The whole desired table, for a driver that must look beyond the changes.
template <class Kind>
class Desired {
 public:
  virtual ~Desired() = default;
  virtual const typename Kind::Value* find(const typename Kind::Key& key) const = 0;
  virtual void each(const std::function<void(const typename Kind::Key&,
                                             const typename Kind::Value&)>& visit) const = 0;
};

// Takes what a read finds, entry by entry, so that a table of 100,000s is never held twice.
template <class Kind>
class ReadSink {
 public:
  virtual ~ReadSink() = default;
  // One that comes again replaces what it was.
  virtual void found(typename Kind::Key key, typename Kind::Value value) = 0;
  // What was found of these keys does not stand: they are read again.
  virtual void forget(const std::function<bool(const typename Kind::Key&)>& again) = 0;
  // Whether a read that takes its time should go on. Where not, the driver may end it at once, with
  // ECANCELED: there is something to write, and the read comes again.
  virtual bool wanted() const { return true; }
  // Once, and last: the entries are all there are, or why they are not. The sink may be gone after.
  virtual void done(Result<> outcome) = 0;
};

// One kind's way to the kernel, or one instance's of it (an nft table, the addresses of one link).
// One thread. `done` of either job may be called before the call that began it returns, or later
// from the event loop; until then no other job is begun. A driver that is destroyed calls nothing
// any more.
template <class Kind>
class Driver {
 public:
  virtual ~Driver() = default;

  // Every entry in the kernel that is ours.
  virtual void read(ReadSink<Kind>& sink) = 0;

  // Writes the changes and calls `done` once; `changes` and all they refer to stay as they are
  // until then, whatever is merged meanwhile. Where the kernel allows, writing what is already so
  // is success: creating what exists replaces it, removing what is gone is nothing. `desired` is
  // the whole table as it shall be, for a driver that must rebuild around a change (an nft set
  // whose type changed).
  //
  // A failure that names its key means that the kernel holds of it what it held before (unless it
  // is half done), and all that is not named was written; one without a key, that nobody knows
  // what was.
  virtual void write(const Changes<Kind>& changes, const Desired<Kind>& desired,
                     WriteDone<Kind> done) = 0;
};

// A driver whose read takes no time worth speaking of.
template <class Kind>
class PromptDriver : public Driver<Kind> {
 public:
  virtual Result<typename Kind::Table> read() = 0;

  void read(ReadSink<Kind>& sink) final {
    Result<typename Kind::Table> table = read();
    if (!table) return sink.done(Failure(std::move(table.error())));
    for (auto& [key, value] : *table) sink.found(key, std::move(value));
    sink.done({});
  }
};

// The whole table at once, for who may wait for it: of a driver that ends its read within the call.
template <class Kind>
Result<typename Kind::Table> read_all(Driver<Kind>& driver) {
  struct Collector final : ReadSink<Kind> {
    void found(typename Kind::Key key, typename Kind::Value value) override {
      table.insert_or_assign(std::move(key), std::move(value));
    }
    void forget(const std::function<bool(const typename Kind::Key&)>& again) override {
      std::erase_if(table, [&](const auto& entry) { return again(entry.first); });
    }
    void done(Result<> how) override { outcome = std::move(how); }
    typename Kind::Table table{};
    std::optional<Result<>> outcome{};
  };
  Collector collector;
  driver.read(collector);
  assert(collector.outcome);
  if (!*collector.outcome) return Failure(std::move(collector.outcome->error()));
  return std::move(collector.table);
}

// A difference between a desired and an actual table, ready to print.
struct Drift {
  enum class Problem { kMissing, kUnexpected, kDifferent };
  std::string kind{};  // "route"
  std::string key{};   // "10.244.2.0/24"
  Problem problem = Problem::kMissing;
  std::string desired{};  // "" when unexpected
  std::string actual{};   // "" when missing
};

std::string_view to_string(Drift::Problem problem);  // "missing", "unexpected", "different"

// What must be written to make `actual` the `desired`: removals, replacements and additions, in the
// tables' order. Empty exactly when the kernel is what the model says. `value_of` reads a value out
// of what the desired map holds. The changes refer to both.
template <class Kind, class DesiredMap, class ValueOf>
Changes<Kind> diff(const DesiredMap& desired, const typename Kind::Table& actual,
                   ValueOf value_of) {
  Changes<Kind> changes;
  for (const auto& [key, value] : actual)
    if (!desired.contains(key)) changes.emplace_back(key, &value, nullptr);
  for (const auto& [key, held] : desired) {
    const typename Kind::Value& value = value_of(held);
    const auto found = actual.find(key);
    if (found == actual.end())
      changes.emplace_back(key, nullptr, &value);
    else if (!Kind::same(value, found->second))
      changes.emplace_back(key, &found->second, &value);
  }
  return changes;
}

template <class Kind>
Changes<Kind> diff(const typename Kind::Table& desired, const typename Kind::Table& actual) {
  return diff<Kind>(
      desired, actual, [](const typename Kind::Value& value) -> const auto& { return value; });
}
template <class Kind>
Changes<Kind> diff(typename Kind::Table&& temporary, const typename Kind::Table&) = delete;
template <class Kind>
Changes<Kind> diff(const typename Kind::Table&, typename Kind::Table&& temporary) = delete;

// A value as its kind writes it, with the key's help where the kind asks for it.
template <class Kind>
std::string describe(const typename Kind::Key& key, const typename Kind::Value& value) {
  if constexpr (requires { Kind::describe(key, value); })
    return Kind::describe(key, value);
  else
    return Kind::describe(value);
}

template <class Kind>
Drift to_drift(const Change<Kind>& change) {
  Drift drift{
      std::string(Kind::kName), Kind::describe(change.key), Drift::Problem::kDifferent, {}, {}};
  if (change.value) drift.desired = describe<Kind>(change.key, *change.value);
  if (change.previous) drift.actual = describe<Kind>(change.key, *change.previous);
  if (!change.previous) drift.problem = Drift::Problem::kMissing;
  if (!change.value) drift.problem = Drift::Problem::kUnexpected;
  return drift;
}

}  // namespace weft::reconcile
