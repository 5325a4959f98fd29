// SPDX-License-Identifier: Apache-2.0
#include "agent/plans.h"

#include <algorithm>
#include <utility>

namespace weft::agent {

void Plans::add(std::shared_ptr<const reconcile::Ticket> written) {
  open_.emplace(++last_, std::move(written));
}

void Plans::wait(Reply reply, std::chrono::milliseconds patience) {
  waits_.push_back({std::move(reply), clock_.now() + patience, std::nullopt});
}

bool Plans::has_newcomers() const {
  return std::any_of(waits_.begin(), waits_.end(), [](const Wait& wait) { return !wait.last; });
}

void Plans::advance(const std::string& obstacle) {
  std::erase_if(open_, [&](const auto& plan) {
    const auto outcome = reconciler_.outcome(*plan.second);
    return outcome && outcome->has_value();
  });
  std::erase_if(waits_, [&](Wait& wait) { return answer(wait, obstacle); });
}

void Plans::give_up(const std::string& reason) {
  for (const Wait& wait : std::exchange(waits_, {})) wait.reply(fail(reason));
}

bool Plans::answer(Wait& wait, const std::string& obstacle) const {
  if (!wait.last && obstacle.empty()) wait.last = last_;
  const bool written = wait.last && (open_.empty() || open_.begin()->first > *wait.last);
  if (written)
    wait.reply(std::string(R"({"ok":true})"));
  else if (clock_.now() >= wait.give_up)
    wait.reply(Failure(wait.last ? obstacle_to(*wait.last) : Error{obstacle, 0}));
  else
    return false;
  return true;
}

// The first reason there is among the plans up to `last`.
Error Plans::obstacle_to(Number last) const {
  for (auto plan = open_.begin(); plan != open_.end() && plan->first <= last; ++plan)
    if (const auto outcome = reconciler_.outcome(*plan->second); outcome && !*outcome)
      return outcome->error();
  return {"the kernel is still being written", 0};
}

std::optional<Clock::TimePoint> Plans::deadline() const {
  std::optional<Clock::TimePoint> soonest;
  for (const Wait& wait : waits_)
    if (!soonest || wait.give_up < *soonest) soonest = wait.give_up;
  return soonest;
}

}  // namespace weft::agent
