// SPDX-License-Identifier: Apache-2.0
// For what follows a Reconciler: a clock that stands still, and a kernel that does as told.
#pragma once

#include <functional>
#include <string>

#include "base/fake_clock.h"
#include "reconcile/reconciler.h"
#include "tables/kinds.h"

namespace weft::agent {

using tables::SysctlKind;

struct FakeKernel {
  SysctlKind::Table entries{};
  bool refuses = false;
  bool slow = false;  // writes complete only by complete()
  std::function<void()> complete{};
};

class FakeDriver final : public reconcile::PromptDriver<SysctlKind> {
 public:
  explicit FakeDriver(FakeKernel& kernel) : kernel_(kernel) {}
  Result<SysctlKind::Table> read() override { return kernel_.entries; }
  void write(const reconcile::Changes<SysctlKind>& changes, const reconcile::Desired<SysctlKind>&,
             reconcile::WriteDone<SysctlKind> done) override {
    auto finish = [this, &changes, done = std::move(done)] {
      if (kernel_.refuses) return done({{std::nullopt, Error{"refused"}}});
      for (const auto& change : changes) {
        kernel_.entries.erase(change.key);
        if (change.value) kernel_.entries[change.key] = *change.value;
      }
      done({});
    };
    if (kernel_.slow)
      kernel_.complete = std::move(finish);
    else
      finish();
  }

 private:
  FakeKernel& kernel_;
};

// What was answered, or the error.
inline Reply to(std::string& answer) {
  return [&answer](const Result<std::string>& result) {
    answer = result ? *result : "error: " + result.error().message;
  };
}

}  // namespace weft::agent
