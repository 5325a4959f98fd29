// SPDX-License-Identifier: Apache-2.0
#include "agent/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "explain/verify.h"

namespace weft::agent {
namespace {

using reconcile::Drift;

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

void Requests::verify(Reply reply) { add(Kind::kVerify, std::move(reply)); }

void Requests::repair(Reply reply) { add(Kind::kRepair, std::move(reply)); }

void Requests::uninstall(Reply reply) {
  uninstalling_ = true;
  add(Kind::kUninstall, std::move(reply));
}

void Requests::add(Kind kind, Reply reply) {
  queue_.push_back({kind, std::move(reply)});
  has_newcomers_ = true;
}

void Requests::advance() {
  has_newcomers_ = false;
  while (!queue_.empty() && go_on(queue_.front())) {
  }
}

// What it waits for in the first place is a job that ends, which the Reconciler tells of.
std::optional<Clock::TimePoint> Requests::deadline() const {
  if (queue_.empty()) return std::nullopt;
  const Request& first = queue_.front();
  return first.phase == Phase::kWaiting ? clock_.now() : first.give_up;
}

bool Requests::go_on(Request& request) {
  if (request.phase == Phase::kWaiting) {
    begin(request);
    return true;
  }
  if (request.phase != Phase::kSettling) return go_on_looking(request);
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
  settle(request);
}

void Requests::settle(Request& request) {
  reconciler_.resync_now();
  request.phase = Phase::kSettling;
  request.give_up = clock_.now() + kPatience;
}

void Requests::look(Request& request, Phase phase) const {
  request.phase = phase;
  request.give_up = clock_.now() + kReadPatience;
}

// A read that nobody waits for any more ends when it ends, and the next one begins after it.
bool Requests::go_on_looking(const Request& request) {
  if (!reading_) {
    read();
    return true;
  }
  if (clock_.now() < request.give_up) return false;
  abandoned_ = true;
  take_first().reply(Failure(unread()));
  return true;
}

void Requests::read() {
  reading_ = true;
  for (const auto& unit : reconciler_.units()) reads_before_[unit.name] = unit.counts.reads;
  reconciler_.verify([this](Result<std::vector<Drift>> drift) {
    reading_ = false;
    if (!std::exchange(abandoned_, false)) on_read(std::move(drift));
  });
}

void Requests::on_read(Result<std::vector<Drift>> drift) {
  Request& request = queue_.front();
  if (drift && request.phase == Phase::kLooking) {
    request.before = std::move(*drift);
    return settle(request);
  }
  Request answered = take_first();
  if (drift)
    finish(answered, *drift);
  else
    answered.reply(Failure(std::move(drift.error())));
}

Error Requests::unread() const {
  std::vector<std::string_view> busy;
  for (const auto& unit : reconciler_.units())
    if (unit.counts.reads == reads_before_.at(unit.name)) busy.push_back(unit.name);
  return {fmt::format("the kernel could not be read within {} s; still busy: {}",
                      kReadPatience.count(), fmt::join(busy, ", ")),
          0};
}

Requests::Request Requests::take_first() {
  Request first = std::move(queue_.front());
  queue_.pop_front();
  return first;
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
