// SPDX-License-Identifier: Apache-2.0
//
// A Reconciler over two kinds of fake kernels, with a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fake_clock.h"
#include "reconcile/reconciler.h"

namespace weft::reconcile {

template <int N>
struct TextKind {
  using Key = std::string;
  using Value = std::string;
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = N == 0 ? "low" : N == 1 ? "high" : "last";
  static bool same(const Value& desired, const Value& actual) { return desired == actual; }
  static std::string describe(const std::string& text) { return text; }
};
using Low = TextKind<0>;
using High = TextKind<1>;
using Last = TextKind<2>;

// Compiled once, in reconciler_test.cpp.
extern template class TableState<Low>;
extern template class TableState<High>;
extern template class TableState<Last>;

// A kernel of one table: what is in it, what it refuses, and everything that was written to it.
struct FakeKernel {
  std::map<std::string, std::string> entries{};
  std::set<std::string> refuses{};
  bool halves = false;              // what it refuses is gone, where it was there before
  std::set<std::string> forgets{};  // acknowledged, and not kept
  bool unreadable = false;
  bool others = false;      // change it too, or halves: what it holds cannot be known
  bool breaks = false;      // nobody knows what of a write was done
  bool slow = false;        // a write completes when finish() is called
  bool slow_reads = false;  // and so does a read, which sees what is there then
  std::function<void()> finish{};
  std::vector<FakeKernel*> takes_along{};  // emptied when an entry here goes or changes
  std::vector<std::string>* journal = nullptr;
  int reads = 0;
};

template <class Kind>
class FakeDriver final : public Driver<Kind> {
 public:
  explicit FakeDriver(FakeKernel& kernel) : kernel_(kernel) {}

  // A slow read finds half of the entries at once and the others when it ends; all of them anew
  // where somebody else wrote meanwhile.
  void read(ReadSink<Kind>& sink) override {
    ++kernel_.reads;
    const auto there = kernel_.entries;
    const auto half = std::next(there.begin(), static_cast<std::ptrdiff_t>(there.size() / 2));
    if (kernel_.slow_reads)
      for (auto entry = there.begin(); entry != half; ++entry)
        sink.found(entry->first, entry->second);
    const auto found = kernel_.slow_reads ? std::map<std::string, std::string>(there.begin(), half)
                                          : std::map<std::string, std::string>();
    finish_later(kernel_.slow_reads, [this, &sink, there, found] {
      if (!sink.wanted()) return sink.done(fail("abandoned", ECANCELED));
      if (kernel_.unreadable) return sink.done(fail("cannot read"));
      const bool again = kernel_.entries != there;
      if (again) sink.forget([](const typename Kind::Key&) { return true; });
      for (const auto& [key, value] : kernel_.entries)
        if (again || !found.contains(key)) sink.found(key, value);
      sink.done({});
    });
  }

  void write(const Changes<Kind>& changes, const Desired<Kind>& desired,
             WriteDone<Kind> done) override {
    for (const Change<Kind>& change : changes)
      EXPECT_EQ(desired.find(change.key) != nullptr, change.value != nullptr) << change.key;
    finish_later(kernel_.slow, [this, &changes, done = std::move(done)] { done(apply(changes)); });
  }

 private:
  void finish_later(bool later, std::function<void()> finish) {
    EXPECT_FALSE(kernel_.finish) << "one job at a time";
    if (later)
      kernel_.finish = std::move(finish);
    else
      finish();
  }

  std::vector<WriteFailure<Kind>> apply(const Changes<Kind>& changes) {
    if (kernel_.breaks) return {{std::nullopt, Error{"broken", 0}}};
    std::vector<WriteFailure<Kind>> failures;
    for (const Change<Kind>& change : changes) {
      const auto held = kernel_.entries.find(change.key);
      if (kernel_.refuses.contains(change.key)) {
        const bool half_done = kernel_.halves && kernel_.entries.erase(change.key) > 0;
        failures.push_back({change.key, Error{"refused", 1}, half_done});
        continue;
      }
      if (!kernel_.others) {
        EXPECT_EQ(change.previous != nullptr, held != kernel_.entries.end()) << change.key;
      }
      if (change.previous)
        for (FakeKernel* const other : kernel_.takes_along) other->entries.clear();
      if (change.value) {
        kernel_.journal->push_back("+" + change.key + "=" + *change.value);
        if (kernel_.forgets.contains(change.key))
          kernel_.entries.erase(change.key);
        else
          kernel_.entries[change.key] = *change.value;
      } else {
        kernel_.journal->push_back("-" + change.key);
        kernel_.entries.erase(change.key);
      }
    }
    return failures;
  }

  FakeKernel& kernel_;
};

class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() {
    low.journal = &journal;
    high.journal = &journal;
  }

  Reconciler& make(ReconcilerOptions options = {}, bool atomic = false) {
    reconciler = std::make_unique<Reconciler>(
        clock, options,
        ReconcilerEvents{[this](const Error& error) { failures.push_back(error.message); },
                         [this](const Drift& drift) { drifted.push_back(drift.key); },
                         [this] { ++ended; }});
    reconciler->add<High>(std::make_shared<FakeDriver<High>>(high),
                          {.stage = 2, .rests_on_links = true});
    reconciler->add<Low>(std::make_shared<FakeDriver<Low>>(low),
                         {.stage = 1, .atomic = atomic, .rests_on_links = true, .cascades = true});
    return *reconciler;
  }

  template <class Kind>
  void set(const std::string& key, const std::string& value) {
    reconciler->merge<Kind>("feature", {{key, value}});
  }
  template <class Kind>
  void remove(const std::string& key) {
    reconciler->merge<Kind>("feature", {{key, std::nullopt}});
  }
  std::vector<std::string> run() {
    journal.clear();
    reconciler->run();
    return journal;
  }

  // What a slow job came to, and the run that follows.
  std::vector<std::string> finish(FakeKernel& kernel) {
    journal.clear();
    std::exchange(kernel.finish, nullptr)();
    reconciler->run();
    return journal;
  }
  std::vector<std::string> failing() const {
    std::vector<std::string> out;
    for (const Error& error : reconciler->failing()) out.push_back(error.message);
    return out;
  }

  FakeClock clock{};
  FakeKernel low{}, high{};
  std::vector<std::string> journal{}, failures{}, drifted{};
  int ended = 0;  // jobs that took their time
  std::unique_ptr<Reconciler> reconciler{};
};

}  // namespace weft::reconcile
