// SPDX-License-Identifier: Apache-2.0
//
// The Reconciler owns the desired tables and brings the kernel to them through the drivers. It is
// pure: time comes from a Clock, the kernel is behind Driver<Kind>, and nothing runs by itself. The
// event loop calls run() after every change, notification and completion, and again at deadline().
//
// - Incremental: merge() takes a plan's edits, run() writes those entries. Cost follows change.
// - Resync: read, diff, write; after start, on a kernel notification, on a period, when nobody
//   knows what a write did, and when a write below may have taken entries along.
// - What the kernel refuses is one entry's failure: it is tried again alone, with back-off.
// - A unit (unit.h) does one read or write at a time, which may take time; others go on. A long
//   read, or comparison, gives way to what is to be written, for kPatience at most.
// - Additions wait for those of lower stages; removals for all additions, and for the removals of
//   higher stages: the new stands before the old goes. Nobody waits for what is refused or cannot
//   be read, and removals for kPatience at most, and until what is being written by then is. An
//   atomic unit is written as a whole.
//
// One thread. Not re-entrant: what is called from a driver's completion only notes; run() does.
#pragma once

#include <cassert>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "reconcile/edit.h"
#include "reconcile/table.h"
#include "reconcile/table_state.h"
#include "reconcile/ticket.h"
#include "reconcile/unit.h"

namespace weft::reconcile {

struct ReconcilerOptions {
  std::chrono::milliseconds resync_period{0};  // 0 = never
  std::chrono::milliseconds backoff_first{100};
  std::chrono::milliseconds backoff_limit{30'000};
  // A unit marked again and again by notifications is read at most this often.
  std::chrono::milliseconds mark_interval{50};
  // One that is failing, at most this often: to try in vain may itself be what marks it.
  std::chrono::milliseconds failing_mark_interval{1'000};
};

// What happened, for logs and metrics; every member may be empty.
struct ReconcilerEvents {
  std::function<void(const Error&)> failed{};   // a read, a write, an entry; it is tried again
  std::function<void(const Drift&)> drifted{};  // what was right no longer is; run() mends it
  // A job that took its time has ended: run() has something to do.
  std::function<void()> ended{};
};

class Reconciler final : private Tickets {
 public:
  static constexpr std::chrono::seconds kPatience{2};

  Reconciler(const Clock& clock, ReconcilerOptions options, ReconcilerEvents events = {});
  ~Reconciler() override;
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  // A kind and its driver. Of a kind with several instances each has a name, and `holds` says which
  // keys are its own.
  template <class Kind>
  void add(std::shared_ptr<Driver<Kind>> driver, Placement placement) {
    add<Kind>("", std::move(driver), std::move(placement), nullptr);
  }
  template <class Kind>
  void add(std::string_view instance, std::shared_ptr<Driver<Kind>> driver, Placement placement,
           std::function<bool(const typename Kind::Key&)> holds) {
    auto state = std::make_unique<TableState<Kind>>(std::move(driver), backoff(), std::move(holds));
    instances<Kind>().push_back(state.get());
    std::string name(Kind::kName);
    if (!instance.empty()) name.append(" ").append(instance);
    insert(std::move(name), std::move(state), std::move(placement));
  }

  // Takes a plan's edits for one kind in the name of `owner` (a feature). Several owners may hold
  // one key with one value. Who plans another value than the holders waits, and is failing, until
  // they give it up. `ticket`, if given, tells when what the edits ask for is in the kernel.
  template <class Kind>
  void merge(std::string_view owner, const std::vector<Edit<Kind>>& edits,
             const Ticket& ticket = {}) {
    if (edits.empty()) return;
    [[maybe_unused]] std::size_t taken = 0;
    for (TableState<Kind>* const state : instances<Kind>())
      taken += state->merge(owner, edits, ticket.id());
    assert(taken == edits.size());  // each is one instance's
    hasten(Kind::kName);
  }
  // The same, where the edits are all that the owner plans of this kind: what else it holds, it
  // gives up.
  template <class Kind>
  void replace(std::string_view owner, const std::vector<Edit<Kind>>& edits,
               const Ticket& ticket = {}) {
    [[maybe_unused]] std::size_t taken = 0;
    for (TableState<Kind>* const state : instances<Kind>())
      taken += state->replace(owner, edits, ticket.id());
    assert(taken == edits.size());
    hasten(Kind::kName);
  }
  // The owner gives up every key of every kind.
  void drop(std::string_view owner, const Ticket& ticket = {});

  // A ticket for merges to come.
  Ticket ticket() { return {*this, ++last_ticket_}; }
  // Nothing while something is still to be written; the error while something is refused, in
  // conflict or cannot be read.
  std::optional<Result<>> outcome(const Ticket& ticket) const;

  // All that is desired of a kind, whatever the instance.
  template <class Kind>
  void each(const std::function<void(const typename Kind::Key&, const typename Kind::Value&)>&
                visit) const {
    for (const TableState<Kind>* const state : instances<Kind>()) state->desired().each(visit);
  }
  template <class Kind>
  const typename Kind::Value* find(const typename Kind::Key& key) const {
    for (const TableState<Kind>* const state : instances<Kind>())
      if (const auto* const value = state->desired().find(key)) return value;
    return nullptr;
  }

  void start();                      // sources are in sync: the first run() resyncs everything
  void run();                        // reads and writes what is due now
  void mark(std::string_view kind);  // the kernel changed something of this kind, or of this unit
  void resync_now();                 // every unit, whatever back-off or interval says
  std::optional<Clock::TimePoint> deadline() const;  // when run() has something to do again

  bool started() const { return started_; }
  bool busy() const;     // a job is under way
  bool settled() const;  // nothing is to be written or read, under way or failing
  bool settled(std::string_view kind) const;
  // What could not be read or written and is to be tried again, and what is in conflict, by stage:
  // causes come first. Of very much the first few of each unit.
  std::vector<Error> failing() const;

  // Reads every unit and compares; writes nothing. Works before start() too. `done` is called by a
  // run(), by this one already where no read takes time.
  using Verified = std::function<void(Result<std::vector<Drift>>)>;
  void verify(Verified done);

  struct UnitStatus {
    std::string_view name{};  // "route", "nft weft-services"
    std::size_t desired = 0;  // entries
    Counts counts{};
  };
  std::vector<UnitStatus> units() const;  // by stage

 private:
  struct AnyInstances {
    virtual ~AnyInstances() = default;
  };
  template <class Kind>
  struct Instances final : AnyInstances {
    std::vector<TableState<Kind>*> all{};
  };
  struct Verify {
    Verified done{};
    std::vector<Unit*> left{};  // to compare, by stage
    std::size_t under_way = 0;
    std::map<const Unit*, std::vector<Drift>> drifts{};
    std::optional<Error> error{};
  };

  template <class Kind>
  std::vector<TableState<Kind>*>& instances() {
    auto& any = kinds_[Kind::kName];
    if (!any) any = std::make_unique<Instances<Kind>>();
    return static_cast<Instances<Kind>&>(*any).all;
  }
  template <class Kind>
  const std::vector<TableState<Kind>*>& instances() const {
    return static_cast<const Instances<Kind>&>(*kinds_.at(Kind::kName)).all;
  }
  Backoff backoff() const { return {options_.backoff_first, options_.backoff_limit}; }
  void insert(std::string name, std::unique_ptr<AnyTableState> state, Placement placement);
  void forget(TicketId ticket) override;
  void hasten(std::string_view kind);  // a unit that failed: what was merged may help

  bool step();
  void give_way(Unit& unit);
  bool may_read(const Unit& unit) const;
  bool may_add(const Unit& unit) const;
  bool may_remove(const Unit& unit) const;
  bool is_held_up(const Unit& unit) const;
  bool has_to_add(const Unit& unit) const;

  void begin(Unit& unit, Unit::Job job);
  void end(Unit& unit);
  void tell_ended() const;
  void read(Unit& unit);
  void write(Unit& unit, Part part);
  void on_read(Unit& unit, Unit::Cause cause, Result<> outcome);
  void on_written(Unit& unit, AnyTableState::Written written);
  void fail(Unit& unit, Error error);
  void mark_resting(const Unit& cause, bool displaced);

  bool compare_next();
  void on_compared(Unit& unit, Result<std::vector<Drift>> drifts);
  void finish_verify();

  const Clock& clock_;
  ReconcilerOptions options_;
  ReconcilerEvents events_;
  std::map<std::string_view, std::unique_ptr<AnyInstances>> kinds_{};
  std::vector<std::unique_ptr<Unit>> units_{};  // by stage
  std::deque<Verify> verifies_{};
  TicketId last_ticket_ = 0;
  bool started_ = false;
  bool running_ = false;
  std::optional<Clock::TimePoint> next_period_{};
};

}  // namespace weft::reconcile
