// SPDX-License-Identifier: Apache-2.0
//
// One instance's desired table, and what of it is still to be written: the entries, not the table,
// are what fails, waits and is claimed.
//
// An entry is in one of four states: in the kernel, as far as we know; to be written; in flight,
// that is with the driver; or refused, until its time to try again comes. One that is no longer
// wanted is to be removed, in flight or refused likewise.
//
// Claims: several owners may hold one key with one value; it stays while one of them does. Who
// wants another value waits, which is a conflict and told as such; the first in line gets the key
// when those before give it up.
//
// A read may take time, and edits go on meanwhile: each entry found is taken against the table as
// it is then, and what was not found by the end is not there. No write is in flight during a read.
//
// The class is told in four files: this one, and what it does with edits (table_edits.h), reads
// (table_reads.h) and writes (table_writes.h). One thread.
#pragma once

#include <cassert>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "reconcile/edit.h"
#include "reconcile/table.h"
#include "reconcile/waiting.h"

namespace weft::reconcile {

enum class Part { kAdditions, kRemovals, kAll };  // additions: new and changed entries

struct Backoff {
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds limit{30'000};
};

// A table state without its kind, for the Reconciler.
class AnyTableState {
 public:
  using TimePoint = Clock::TimePoint;
  using Report = std::function<void(const Drift&)>;
  struct Written {
    std::size_t entries = 0;         // that were written
    bool displaced = false;          // some were changed or removed
    bool unproven = false;           // read: some were lost before, or are half done
    std::vector<Error> refused{};    // entry by entry
    std::optional<Error> unknown{};  // nobody knows what was written: read
  };

  virtual ~AnyTableState() = default;
  virtual std::size_t size() const = 0;
  virtual bool pending(Part part) const = 0;

  // Reads the kernel; what differs becomes what is to be written. Drift, that is what was right
  // before and what nobody asked for, is told to `report`, which may be null. `after_own_write`:
  // what is not as it was written now was not kept by the kernel. `done` may come later.
  virtual void resync(TimePoint now, bool after_own_write, Report report,
                      std::function<void(Result<>)> done) = 0;
  // A resync or comparison under way need not go on: it may end early, with ECANCELED.
  virtual void abandon() = 0;
  // Reads the kernel and compares; changes nothing. What is edited meanwhile is not compared.
  virtual void compare(std::function<void(Result<std::vector<Drift>>)> done) = 0;
  // Hands what is to be written to the driver. `done` may come later; `now` is asked for then.
  virtual void write(Part part, const Clock& clock, std::function<void(Written)> done) = 0;

  virtual void drop(std::string_view owner, TicketId ticket) = 0;

  // Refused entries whose time has come are to be written again.
  virtual void retry(TimePoint now) = 0;
  virtual std::optional<TimePoint> next_retry() const = 0;
  virtual void hasten(TimePoint when) = 0;  // none of them waits longer than until then
  // What is refused and what is in conflict: at most `most` of each kind, and how many more.
  virtual std::vector<Error> failing(std::size_t most) const = 0;
  virtual bool is_failing() const = 0;

  // Of a ticket's entries here: nothing while one is still to be written, the error while one is
  // refused.
  virtual std::optional<Result<>> outcome(TicketId ticket) const = 0;
  virtual void forget(TicketId ticket) = 0;
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
class TableState final : public AnyTableState, private Desired<Kind>, private ReadSink<Kind> {
 public:
  using Key = typename Kind::Key;
  using Value = typename Kind::Value;
  using Edits = std::vector<Edit<Kind>>;

  using Holds = std::function<bool(const Key&)>;

  // Of one instance of several `holds` says which keys are its own; edits of others are passed
  // over.
  explicit TableState(std::shared_ptr<Driver<Kind>> driver, Backoff backoff = {}, Holds holds = {})
      : driver_(std::move(driver)), backoff_(backoff), holds_(std::move(holds)) {}

  Driver<Kind>& driver() const { return *driver_; }
  const Desired<Kind>& desired() const { return *this; }
  std::size_t size() const override { return held_.size(); }

  // ---- Edits.
  // How many of the edits are its own.
  std::size_t merge(std::string_view owner, const Edits& edits, TicketId ticket = 0);
  // The edits are all the owner plans: what else it holds, it gives up.
  std::size_t replace(std::string_view owner, const Edits& edits, TicketId ticket = 0);
  void drop(std::string_view owner, TicketId ticket) override { replace(owner, {}, ticket); }

  // ---- Reads.
  void resync(TimePoint now, bool after_own_write, Report report,
              std::function<void(Result<>)> done) override;
  void abandon() override { abandoned_ = true; }
  void compare(std::function<void(Result<std::vector<Drift>>)> done) override;

  // ---- Writes.
  bool pending(Part part) const override {
    return (part != Part::kRemovals && to_write_ > 0) ||
           (part != Part::kAdditions && !removed_.empty());
  }
  void write(Part part, const Clock& clock, std::function<void(Written)> done) override;
  void retry(TimePoint now) override;
  std::optional<TimePoint> next_retry() const override;
  void hasten(TimePoint when) override;

  std::vector<Error> failing(std::size_t most) const override;
  bool is_failing() const override { return !refused_.empty() || !conflicts_.empty(); }
  std::optional<Result<>> outcome(TicketId ticket) const override;
  void forget(TicketId ticket) override { waiting_.forget(ticket); }

 private:
  using Number = Waiting::Number;
  using Pass = std::uint32_t;    // a read, by number
  using Owners = std::uint16_t;  // a bit each
  template <class Mapped>
  using Map = typename detail::Remap<typename Kind::Table, Mapped>::Type;

  struct Held {
    Held(Value desired, Owners whose) : value(std::move(desired)), owners(whose) {}

    Value value;
    std::unique_ptr<Value> previous{};  // unless it is in the kernel: what is there, if anything
    std::uint32_t dirty = 0;            // its place in dirty_, counted from 1; 0 = not there
    Pass seen = 0;                      // the last that found it
    Owners owners;
    bool in_flight : 1 = false;  // a change refers to it: it must stay as it is
    bool in_kernel : 1 = false;  // as far as we know the kernel has it so
    bool refused : 1 = false;    // and waits in refused_
  };
  using HeldMap = Map<Held>;
  using Entry = typename HeldMap::value_type;
  struct Dirty {
    Entry* entry = nullptr;  // null: written otherwise, or removed since
    Number number = 0;
  };
  struct Removal {
    Value value;  // what the kernel holds
    Number number = 0;
    Pass seen = 0;
  };
  struct Refused {
    Error error{};
    std::chrono::milliseconds backoff{0};
    TimePoint retry_at{};
    Number number = 0;
    bool retrying = false;             // it is to be written again, or in flight
    std::optional<Removal> removal{};  // of one that could not be removed
  };
  struct Claim {
    Owners owner = 0;
    Value value;
    Number number = 0;
  };
  // What is with the driver, and what its changes refer to.
  struct Flight {
    Changes<Kind> changes{};
    std::vector<Dirty> entries{};
    Map<Removal> removed{};
    std::vector<typename HeldMap::node_type> outdated{};  // edited or removed meanwhile
    std::function<void(Written)> done{};
    const Clock* clock = nullptr;

    void clear();  // keeps room for a few: most writes are small
  };

  // Desired.
  const Value* find(const Key& key) const override {
    const auto held = held_.find(key);
    return held == held_.end() ? nullptr : &held->second.value;
  }
  void each(const std::function<void(const Key&, const Value&)>& visit) const override {
    for (const auto& [key, held] : held_) visit(key, held.value);
  }

  // Edits (table_edits.h).
  bool holds(const Edit<Kind>& edit) const { return !holds_ || holds_(edit.key); }
  void reserve(const Edits& edits);
  void set(Owners owner, const Key& key, const Value& value, Number number);
  void remove(Owners owner, const Key& key, Number number);
  void change(typename HeldMap::iterator entry, const Value& value, Number number);
  void erase(typename HeldMap::iterator entry, Number number);
  bool waits_for(Owners owner, const Key& key, const Value& value, Number number);
  void withdraw(Owners owner, const Key& key);
  bool inherit(typename HeldMap::iterator entry);
  void admit(Entry& entry);
  void share(Entry& entry, Number number);
  void share_removal(const Key& key, Number number);
  const Value& set_aside(typename HeldMap::iterator entry);
  void take_removed(Entry& entry);
  void close_gaps();
  void mark_dirty(Entry& entry, std::unique_ptr<Value> previous, Number number);
  Number unmark_dirty(Entry& entry);
  Number take_refused(const Key& key);
  Owners bit_of(std::string_view owner);
  std::string names_of(Owners owners) const;
  // Both ways round, because unset fields of the first are not compared.
  static bool equal(const Value& a, const Value& b) { return Kind::same(a, b) && Kind::same(b, a); }

  // Reads (table_reads.h).
  void found(Key key, Value value) override;
  void forget(const std::function<bool(const Key&)>& again) override;
  bool wanted() const override { return !abandoned_; }
  void done(Result<> outcome) override;
  void begin_pass();
  void see(Pass& seen);
  void unsee(Pass& seen);
  void found_surplus(Key key, Value value);
  void compare_found(const Key& key, const Value& value);
  void settle(Entry& entry);
  void lost(Entry& entry, std::unique_ptr<Value> there);
  void end_resync();
  void end_compare();
  void tell(const Key& key, const Value* there, const Value* wanted);

  // Writes (table_writes.h).
  void take(Part part);
  void land(std::vector<WriteFailure<Kind>> failures);
  Written settle_flight(std::vector<WriteFailure<Kind>> failures);
  bool land_entry(const Dirty& dirty);
  void give_back();
  void refuse(const Key& key, Error error, Number number, TimePoint now);
  void refuse_entry(const Dirty& dirty, WriteFailure<Kind> failure, TimePoint now);
  void refuse_removal(const Key& key, Removal removal, Error error, TimePoint now);

  std::shared_ptr<Driver<Kind>> driver_;
  Backoff backoff_;
  Holds holds_;
  HeldMap held_{};
  std::vector<Dirty> dirty_{};  // new and changed entries to write
  std::size_t to_write_ = 0;    // of dirty_, those that still are
  Map<Removal> removed_{};      // entries to remove
  Map<Refused> refused_{};
  Map<std::vector<Claim>> conflicts_{};  // who waits for a key that others hold otherwise
  Map<int> rewritten_{};  // entries that were lost right after they were written, and how often
  Flight flight_{};
  Waiting waiting_{};
  std::vector<std::string> owners_{};

  // The read under way.
  Pass pass_ = 0;
  std::size_t left_to_find_ = 0;  // of the entries there were at its beginning
  bool comparing_ = false;
  bool abandoned_ = false;
  bool after_own_write_ = false;
  TimePoint read_at_{};
  Report report_{};
  Map<Drift> drifts_{};
  Map<char> edited_{};  // since a comparison began
  std::function<void(Result<>)> resynced_{};
  std::function<void(Result<std::vector<Drift>>)> compared_{};
};

}  // namespace weft::reconcile

#include "reconcile/table_edits.h"   // IWYU pragma: export
#include "reconcile/table_reads.h"   // IWYU pragma: export
#include "reconcile/table_writes.h"  // IWYU pragma: export
