// SPDX-License-Identifier: Apache-2.0
#include "cluster/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace weft::cluster {

// What one source says, with its place in the order.
class Sources::Sink final : public model::SourceSink {
 public:
  Sink(Sources& sources, std::size_t place, std::unique_ptr<Source> source)
      : sources_(sources), place_(place), source_(std::move(source)) {}

  void upsert(model::Object object) override { sources_.upsert(place_, std::move(object)); }
  void remove(const model::ObjectKey& key) override { sources_.remove(place_, key); }
  void synced() override {
    synced_ = true;
    sources_.synced();
  }

  bool is_synced() const { return synced_; }
  Source& source() const { return *source_; }

 private:
  Sources& sources_;
  std::size_t place_;
  bool synced_ = false;
  std::unique_ptr<Source> source_;
};

Sources::Sources(model::ClusterState& state, Report report)
    : state_(state), report_(std::move(report)) {}

Sources::~Sources() = default;

void Sources::add(std::unique_ptr<Source> source) {
  sinks_.push_back(std::make_unique<Sink>(*this, sinks_.size(), std::move(source)));
}

Result<> Sources::start() {
  for (const auto& sink : sinks_) WEFT_TRY(sink->source().start(*sink));
  return {};
}

void Sources::catch_up() {
  for (const auto& sink : sinks_) sink->source().catch_up();
}

void Sources::report(const ObjectStatus& status) {
  const auto found = held_.find(status.object);
  if (found != held_.end())
    sinks_[found->second.owner]->source().report(status);
  else if (state_.find(status.object))
    sinks_[0]->source().report(status);
}

void Sources::upsert(std::size_t source, model::Object object) {
  const model::ObjectKey key = model::key_of(object);
  auto found = held_.find(key);
  if (found == held_.end()) {
    const bool first_has_it = source != 0 && state_.find(key);
    if (source != 0) found = held_.try_emplace(key, Held{first_has_it ? 0 : source, {}}).first;
    if (!first_has_it) return state_.upsert(std::move(object));
  }
  Held& held = found->second;
  if (held.owner == source) return state_.upsert(std::move(object));
  bool newly_contested = true;
  if (held.owner < source) {
    newly_contested = held.waiting.insert_or_assign(source, std::move(object)).second;
  } else {
    auto displaced = state_.find(key);
    assert(displaced);
    held.waiting.emplace(std::exchange(held.owner, source), std::move(*displaced));
    state_.upsert(std::move(object));
  }
  if (newly_contested) report_(conflict(key, held));
}

void Sources::remove(std::size_t source, const model::ObjectKey& key) {
  const auto found = held_.find(key);
  if (found == held_.end()) {
    if (source == 0) state_.remove(key);
    return;
  }
  Held& held = found->second;
  if (held.owner != source) {
    held.waiting.erase(source);
    if (held.owner == 0 && held.waiting.empty()) held_.erase(found);
  } else if (held.waiting.empty()) {
    state_.remove(key);
    held_.erase(found);
  } else {
    auto heir = held.waiting.extract(held.waiting.begin());
    held.owner = heir.key();
    state_.upsert(std::move(heir.mapped()));
  }
}

void Sources::synced() {
  if (std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->is_synced(); }))
    state_.synced();
}

std::vector<std::string> Sources::waited_for() const {
  std::vector<std::string> names;
  for (const auto& sink : sinks_)
    if (!sink->is_synced()) names.push_back(sink->source().name());
  return names;
}

std::vector<std::string> Sources::problems() const {
  std::vector<std::string> problems;
  for (const auto& sink : sinks_)
    for (auto& [about, problem] : sink->source().problems()) problems.push_back(problem);
  for (const auto& [key, held] : held_)
    if (!held.waiting.empty()) problems.push_back(conflict(key, held));
  return problems;
}

std::string Sources::conflict(const model::ObjectKey& key, const Held& held) const {
  std::vector<std::string> others;
  for (const auto& [source, object] : held.waiting)
    others.push_back(sinks_[source]->source().name());
  return fmt::format("{} is in {} and also in {}: the version of the former counts",
                     key.to_string(), sinks_[held.owner]->source().name(),
                     fmt::join(others, " and in "));
}

}  // namespace weft::cluster
