// SPDX-License-Identifier: Apache-2.0
#include "agent/features.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weft::agent {
namespace {

using model::Node;
using reconcile::Reconciler;

bool is_same_place(const Node& one, const Node& other) {
  return one.internal_ips == other.internal_ips && one.pod_cidrs == other.pod_cidrs;
}

void merge(Reconciler& reconciler, std::string_view owner, const Plan& plan,
           const reconcile::Ticket& ticket) {
  plan.entries.each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>& edits) {
    if (plan.is_all)
      reconciler.replace<Kind>(owner, edits, ticket);
    else
      reconciler.merge<Kind>(owner, edits, ticket);
  });
}

}  // namespace

bool InputChanges::any_of(std::uint8_t inputs) const {
  const auto has = [&](Input input) { return (inputs & static_cast<std::uint8_t>(input)) != 0; };
  return (self && has(Input::kSelf)) || (underlay && has(Input::kUnderlay)) ||
         (!nodes.empty() && has(Input::kNodes)) || (services && has(Input::kServices));
}

Features::Features(List list) {
  for (std::unique_ptr<Feature>& feature : list) {
    Item item;
    item.counts.owner = feature->owner();
    item.feature = std::move(feature);
    items_.push_back(std::move(item));
  }
}

void Features::take_over(tables::KernelTables& kernel) {
  for (const Item& item : items_) item.feature->take_over(kernel);
}

Result<> Features::update(const model::ClusterState& state, const model::ClusterChanges& changes,
                          const Node& self, const podnet::Underlay& underlay,
                          Reconciler& reconciler, const Planned& planned) {
  const Inputs now{state, self, underlay};
  const InputChanges changed = look(now, changes);
  Result<> outcome;
  for (Item& item : items_) {
    if (!item.has_planned || changed.any_of(item.feature->depends_on())) {
      const auto written = std::make_shared<const reconcile::Ticket>(reconciler.ticket());
      item.outcome = plan(item, now, changed, reconciler, *written);
      if (planned) planned(written);
    }
    if (outcome) outcome = item.outcome;
  }
  return outcome;
}

InputChanges Features::look(const Inputs& now, const model::ClusterChanges& changes) {
  InputChanges changed{.objects = changes};
  changed.self = !self_ || !is_same_place(*self_, now.self);
  if (changed.self) self_ = now.self;
  changed.underlay = underlay_ != now.underlay;
  if (changed.underlay) underlay_ = now.underlay;
  for (const auto& [name, before] : changes.of<Node>()) {
    const auto node = now.state.nodes().find(name);
    if (!before || node == now.state.nodes().end() || !is_same_place(**before, *node->second))
      changed.nodes.insert(changed.nodes.end(), name);
  }
  changed.services =
      !changes.of<model::Service>().empty() || !changes.of<model::EndpointSlice>().empty();
  return changed;
}

Result<> Features::plan(Item& item, const Inputs& now, const InputChanges& changed,
                        Reconciler& reconciler, const reconcile::Ticket& ticket) {
  Plan plan;
  Result<> outcome = item.feature->plan(now, changed, plan);
  item.has_planned = item.has_planned || outcome.has_value();
  ++item.counts.plans;
  plan.entries.each([&](const auto& edits) { item.counts.entries += edits.size(); });
  // A plan that failed is not all that is planned.
  plan.is_all = plan.is_all && outcome.has_value();
  merge(reconciler, item.feature->owner(), plan, ticket);
  return outcome;
}

bool Features::has_planned() const {
  return std::all_of(items_.begin(), items_.end(),
                     [](const Item& item) { return item.has_planned; });
}

std::vector<std::string_view> Features::owners() const {
  std::vector<std::string_view> out;
  for (const Item& item : items_) out.push_back(item.feature->owner());
  return out;
}

std::vector<std::string> Features::problems() const {
  std::vector<std::string> out;
  for (const Item& item : items_) {
    std::vector<std::string> problems = item.feature->problems();
    std::move(problems.begin(), problems.end(), std::back_inserter(out));
  }
  return out;
}

std::vector<Features::NewProblem> Features::take_new_problems() {
  std::vector<NewProblem> out;
  for (const Item& item : items_)
    for (std::string& problem : item.feature->take_new_problems())
      out.push_back({item.feature->owner(), std::move(problem)});
  return out;
}

std::vector<StatusSection> Features::status(const model::ClusterState& state) const {
  std::vector<StatusSection> out;
  for (const Item& item : items_) out.push_back(item.feature->status(state));
  return out;
}

std::vector<PlanCounts> Features::counts() const {
  std::vector<PlanCounts> out;
  for (const Item& item : items_) out.push_back(item.counts);
  return out;
}

}  // namespace weft::agent
