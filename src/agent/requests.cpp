// SPDX-License-Identifier: Apache-2.0
#include "agent/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "explain/verify.h"

namespace weft::agent {
namespace {

using reconcile::Drift;

constexpr std::chrono::milliseconds kPollInterval{20};

std::vector<Drift> mended(const std::vector<Drift>& before, const std::vector<Drift>& left) {
  std::vector<Drift> out;
  std::copy_if(before.begin(), before.end(), std::back_inserter(out), [&](const Drift& drift) {
    return std::none_of(left.begin(), left.end(), [&](const Drift& other) {
      return other.kind == drift.kind && other.key == drift.key;
    });
  });
  return out;
}

std::string to_json(const std::vector<Error>& failing) {
  nlohmann::json out = nlohmann::json::array();
  for (const Error& error : failing) out.push_back(error.message);
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string verify_json(const std::vector<Drift>& drift, const std::vector<Error>& failing) {
  return fmt::format(R"({{"ok":{},"drift":{},"failing":{}}})", drift.empty(),
                     explain::to_json_array(drift), to_json(failing));
}

std::string repair_json(const std::vector<Drift>& repaired, const std::vector<Drift>& left,
                        const std::vector<Error>& failing) {
  return fmt::format(R"({{"ok":{},"repaired":{},"drift":{},"failing":{}}})", left.empty(),
                     explain::to_json_array(repaired), explain::to_json_array(left),
                     to_json(failing));
}

}  // namespace

void Requests::verify(Reply reply) { queue_.push_back({Kind::kVerify, std::move(reply)}); }

void Requests::repair(Reply reply) { queue_.push_back({Kind::kRepair, std::move(reply)}); }

void Requests::uninstall(Reply reply) {
  uninstalling_ = true;
  queue_.push_back({Kind::kUninstall, std::move(reply)});
}

void Requests::advance() {
  while (!queue_.empty() && !looking_ && go_on(queue_.front())) {
  }
}

std::optional<Clock::TimePoint> Requests::deadline() const {
  if (queue_.empty()) return std::nullopt;
  return clock_.now() + kPollInterval;
}

bool Requests::go_on(Request& request) {
  if (request.phase == Phase::kWaiting) {
    begin(request);
    return true;
  }
  reconciler_.run();
  if (clock_.now() < request.give_up && !is_done(request)) return false;
  look(request, Phase::kVerifying);
  return true;
}

// What was planned is removed, and what nobody planned (an earlier agent left it) as well.
bool Requests::is_done(const Request& request) const {
  const auto removed = reconciler_.outcome(request.removed);
  return removed && *removed && reconciler_.settled();
}

void Requests::begin(Request& request) {
  request.give_up = clock_.now() + kPatience;
  switch (request.kind) {
    case Kind::kVerify:
      return look(request, Phase::kVerifying);
    case Kind::kRepair:
      return look(request, Phase::kLooking);
    case Kind::kUninstall:
      break;
  }
  request.removed = reconciler_.ticket();
  for (const std::string_view owner : owners_) reconciler_.drop(owner, request.removed);
  // An agent that waits for its Node object has not started.
  if (!reconciler_.started()) reconciler_.start();
  reconciler_.resync_now();
  request.phase = Phase::kSettling;
}

void Requests::look(Request& request, Phase phase) {
  request.phase = phase;
  looking_ = true;
  reconciler_.verify([this](Result<std::vector<Drift>> drift) { on_verified(std::move(drift)); });
}

void Requests::on_verified(Result<std::vector<Drift>> drift) {
  looking_ = false;
  Request& request = queue_.front();
  if (drift && request.phase == Phase::kLooking) {
    request.before = std::move(*drift);
    reconciler_.resync_now();
    request.phase = Phase::kSettling;
    return;
  }
  Request answered = std::move(request);
  queue_.pop_front();
  if (drift)
    finish(answered, *drift);
  else
    answered.reply(Failure(std::move(drift.error())));
}

void Requests::finish(Request& request, const std::vector<Drift>& left) {
  std::vector<Error> failing = reconciler_.failing();
  switch (request.kind) {
    case Kind::kVerify:
      return request.reply(verify_json(left, failing));
    case Kind::kRepair:
      return request.reply(repair_json(mended(request.before, left), left, failing));
    case Kind::kUninstall:
      break;
  }
  left_ = left;
  if (!left.empty()) {
    const auto removed = reconciler_.outcome(request.removed);
    if (removed && !*removed) failing.insert(failing.begin(), removed->error());
    const std::string why = failing.empty() ? "" : " (" + failing.front().message + ")";
    return request.reply(fail(fmt::format("{} entries could not be removed{}:\n{}", left.size(),
                                          why, explain::to_text(left))));
  }
  request.reply(std::string(R"({"ok":true})"));
  uninstalled_();
}

}  // namespace weft::agent
