// SPDX-License-Identifier: Apache-2.0
//
// The doctrine as a property: whatever was planned by whom in whatever order, refused, broken,
// slow, unreadable, taken along or changed behind our back: once all that is over, the kernel is
// what the plans say, as a resync from scratch would make it, nothing is failing but what is in
// conflict, and every ticket is answered. A history that fails is shrunk.
#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "reconcile/reconciler_fixture.h"

namespace weft::reconcile {
namespace {

using std::chrono::milliseconds;

constexpr std::array<const char*, 2> kOwners{"podnet", "services"};
constexpr std::array<const char*, 3> kKeys{"a", "b", "x"};

// The claims on one key as they should be: who holds it, as what, and who waits.
struct Claims {
  std::string value{};
  std::set<std::string> holders{};
  std::vector<std::pair<std::string, std::string>> waiting{};  // owner, value

  void withdraw(const std::string& owner) {
    std::erase_if(waiting, [&](const auto& claim) { return claim.first == owner; });
  }
  void admit() {
    std::erase_if(waiting, [&](const auto& claim) {
      if (claim.second != value) return false;
      holders.insert(claim.first);
      return true;
    });
  }
  void set(const std::string& owner, const std::string& wanted) {
    withdraw(owner);
    if (holders.empty() || holders == std::set<std::string>{owner} || wanted == value) {
      value = wanted;
      holders.insert(owner);
      return admit();
    }
    holders.erase(owner);
    waiting.emplace_back(owner, wanted);
  }
  void remove(const std::string& owner) {
    withdraw(owner);
    if (holders.erase(owner) == 0 || !holders.empty() || waiting.empty()) return;
    value = waiting.front().second;
    admit();
  }
};

enum class What : int {
  kSet,
  kRemove,
  kReplace,
  kDrop,
  kRefuse,
  kAllow,
  kSlow,
  kFinish,
  kUnreadable,
  kBreak,
  kChangeKernel,
  kMark,
  kVerify,
  kPass,
  kRun,
  kCount
};

struct Op {
  What what{};
  int kernel = 0;  // 0 low, 1 and 2 the instances of high
  int key = 0;
  int value = 0;
  int owner = 0;
};

std::ostream& operator<<(std::ostream& out, const Op& op) {
  constexpr std::array<const char*, static_cast<std::size_t>(What::kCount)> kNames{
      "set",        "remove", "replace",       "drop", "refuse", "allow", "slow", "finish",
      "unreadable", "break",  "change kernel", "mark", "verify", "pass",  "run"};
  return out << kNames[static_cast<std::size_t>(op.what)] << " kernel " << op.kernel << " key "
             << op.key << " value " << op.value << " owner " << op.owner;
}

class World {
 public:
  explicit World(bool others) {
    for (FakeKernel& kernel : kernels_) {
      kernel.journal = &journal_;
      kernel.others = others;
    }
    if (others) kernels_[0].takes_along = {&kernels_[1], &kernels_[2]};
    const auto is_x = [](const std::string& key) { return key.starts_with('x'); };
    reconciler_.add<Low>(std::make_shared<FakeDriver<Low>>(kernels_[0]),
                         {.stage = 1, .rests_on_links = true, .cascades = true});
    reconciler_.add<High>("one", std::make_shared<FakeDriver<High>>(kernels_[1]),
                          {.stage = 2, .rests_on_links = true},
                          [=](const std::string& key) { return !is_x(key); });
    reconciler_.add<High>("x", std::make_shared<FakeDriver<High>>(kernels_[2]),
                          {.stage = 2, .atomic = true, .rests_on_links = true}, is_x);
    reconciler_.start();
  }

  void apply(const Op& op) {
    FakeKernel& kernel = kernels_[static_cast<std::size_t>(op.kernel)];
    const std::string key = kKeys[static_cast<std::size_t>(op.key)];
    const std::string value = std::to_string(op.value);
    const std::string owner = kOwners[static_cast<std::size_t>(op.owner)];
    switch (op.what) {
      case What::kSet:
        return edit(op, owner, {{key, value}});
      case What::kRemove:
        return edit(op, owner, {{key, std::nullopt}});
      case What::kReplace:
        return replace(op, owner, key, value);
      case What::kDrop:
        reconciler_.drop(owner);
        for (auto* model : {&low_, &high_})
          for (auto& [held, claims] : *model) claims.remove(owner);
        return;
      case What::kRefuse:
        kernel.refuses.insert(key);
        kernel.halves = kernel.others && op.value == 0;
        return;
      case What::kAllow:
        kernel.refuses.clear();
        return;
      case What::kSlow:
        (op.value == 0 ? kernel.slow : kernel.slow_reads) = true;
        return;
      case What::kFinish:
        return finish(kernel);
      case What::kUnreadable:
        kernel.unreadable = op.value == 0;
        return;
      case What::kBreak:
        kernel.breaks = op.value == 0;
        return;
      case What::kChangeKernel:
        if (!kernel.others || !holds(op.kernel, key)) return;
        if (op.value == 0)
          kernel.entries.erase(key);
        else
          kernel.entries[key] = value;
        return;
      case What::kMark:
        return reconciler_.mark(op.kernel == 0 ? Low::kName : High::kName);
      case What::kVerify:
        ++asked_;
        return reconciler_.verify([this](const auto&) { ++answered_; });
      case What::kPass:
        clock_.time += milliseconds(op.value * 120);
        return;
      default:
        return reconciler_.run();
    }
  }

  // All that stands in the way is over.
  void heal() {
    for (FakeKernel& kernel : kernels_) {
      kernel.slow = kernel.slow_reads = kernel.unreadable = kernel.breaks = false;
      kernel.refuses.clear();
      finish(kernel);
    }
    reconciler_.resync_now();
    const auto conflicts = conflict_count();
    for (int i = 0; i < 50; ++i) {
      reconciler_.run();
      if (reconciler_.failing().size() == conflicts && is_written()) return;
      if (const auto next = reconciler_.deadline()) clock_.time = std::max(clock_.time, *next);
    }
  }

  void check() const {
    RC_ASSERT(kernels_[0].entries == wanted(low_, [](const std::string&) { return true; }));
    RC_ASSERT(kernels_[1].entries ==
              wanted(high_, [](const std::string& key) { return !key.starts_with('x'); }));
    RC_ASSERT(kernels_[2].entries ==
              wanted(high_, [](const std::string& key) { return key.starts_with('x'); }));
    RC_ASSERT(reconciler_.failing().size() == conflict_count());
    RC_ASSERT(reconciler_.settled() == (conflict_count() == 0));
    RC_ASSERT(answered_ == asked_);
    for (const Ticket& ticket : tickets_) {
      const auto outcome = reconciler_.outcome(ticket);
      RC_ASSERT(outcome.has_value());
      if (conflict_count() == 0) RC_ASSERT(outcome->has_value());
    }
  }

 private:
  using Model = std::map<std::string, Claims>;

  static bool holds(int kernel, const std::string& key) {
    return kernel == 0 || key.starts_with('x') == (kernel == 2);
  }

  void edit(const Op& op, const std::string& owner, const std::vector<Edit<Low>>& edits) {
    Ticket ticket = reconciler_.ticket();
    Model& model = op.kernel == 0 ? low_ : high_;
    std::vector<Edit<High>> high;
    for (const Edit<Low>& edit : edits) {
      high.push_back({edit.key, edit.value});
      if (edit.value)
        model[edit.key].set(owner, *edit.value);
      else
        model[edit.key].remove(owner);
    }
    if (op.kernel == 0)
      reconciler_.merge<Low>(owner, edits, ticket);
    else
      reconciler_.merge<High>(owner, high, ticket);
    tickets_.push_back(std::move(ticket));
  }

  // The owner plans this key, and nothing else.
  void replace(const Op& op, const std::string& owner, const std::string& key,
               const std::string& value) {
    if (op.kernel == 0)
      reconciler_.replace<Low>(owner, {{key, value}});
    else
      reconciler_.replace<High>(owner, {{key, value}});
    Model& model = op.kernel == 0 ? low_ : high_;
    model[key].set(owner, value);
    for (auto& [other, claims] : model)
      if (other != key) claims.remove(owner);
  }

  static void finish(FakeKernel& kernel) {
    if (auto done = std::exchange(kernel.finish, nullptr)) done();
  }

  std::size_t conflict_count() const {
    std::size_t count = 0;
    for (const auto* model : {&low_, &high_})
      for (const auto& [key, claims] : *model) count += claims.waiting.size();
    return count;
  }
  bool is_written() const {
    return !reconciler_.busy() && (conflict_count() > 0 || reconciler_.settled()) &&
           std::all_of(tickets_.begin(), tickets_.end(),
                       [&](const auto& ticket) { return reconciler_.outcome(ticket).has_value(); });
  }
  template <class Pick>
  static std::map<std::string, std::string> wanted(const Model& model, Pick pick) {
    std::map<std::string, std::string> out;
    for (const auto& [key, claims] : model)
      if (!claims.holders.empty() && pick(key)) out[key] = claims.value;
    return out;
  }

  FakeClock clock_{};
  std::vector<std::string> journal_{};
  std::array<FakeKernel, 3> kernels_{};
  Reconciler reconciler_{clock_, {}};
  Model low_{}, high_{};
  std::vector<Ticket> tickets_{};
  int asked_ = 0, answered_ = 0;  // verify
};

rc::Gen<std::vector<Op>> histories() {
  return rc::gen::container<std::vector<Op>>(rc::gen::build<Op>(
      rc::gen::set(&Op::what, rc::gen::weightedElement<What>({{8, What::kSet},
                                                              {4, What::kRemove},
                                                              {1, What::kReplace},
                                                              {1, What::kDrop},
                                                              {3, What::kRefuse},
                                                              {3, What::kAllow},
                                                              {4, What::kSlow},
                                                              {6, What::kFinish},
                                                              {1, What::kUnreadable},
                                                              {1, What::kBreak},
                                                              {2, What::kChangeKernel},
                                                              {2, What::kMark},
                                                              {2, What::kVerify},
                                                              {4, What::kPass},
                                                              {8, What::kRun}})),
      rc::gen::set(&Op::kernel, rc::gen::inRange(0, 3)),
      rc::gen::set(&Op::key, rc::gen::inRange(0, static_cast<int>(kKeys.size()))),
      rc::gen::set(&Op::value, rc::gen::inRange(0, 3)),
      rc::gen::set(&Op::owner, rc::gen::inRange(0, static_cast<int>(kOwners.size())))));
}

void play(bool others) {
  World world(others);
  for (const Op& op : *histories()) world.apply(op);
  world.heal();
  world.check();
}

// Nobody else writes, and nothing is half done: what a change says was there before is so, to the
// letter.
RC_GTEST_PROP(ReconcilerProperty, EndsWhereAResyncFromScratchWould, ()) { play(false); }

RC_GTEST_PROP(ReconcilerProperty, EndsThereAlsoWhenOthersWrite, ()) { play(true); }

}  // namespace
}  // namespace weft::reconcile
