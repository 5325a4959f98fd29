// SPDX-License-Identifier: Apache-2.0
//
// The agent's features, gone through in order: each is asked for a plan where one of its inputs
// changed, and what it plans is merged into the desired tables in its name. What nobody's plan
// follows from (a Node's labels) ends here. No kernel, no loop, no time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/feature.h"

namespace weft::agent {

class Features {
 public:
  using List = std::vector<std::unique_ptr<Feature>>;

  explicit Features(List list);

  // Before the first update(): see Feature.
  void take_over(tables::KernelTables& kernel);

  // Told of each feature that has planned, before the next one does: when its plan is in the
  // kernel. What the kernel refuses of one feature is nothing to another's ticket.
  using Planned = std::function<void(const std::shared_ptr<const reconcile::Ticket>& written)>;

  // Brings the desired tables up to date with `state`, in which `changes` are what is new, `self`
  // is this node and `underlay` what carries it. The error is the first of those that stand: of a
  // feature whose last plan failed. The others go on.
  Result<> update(const model::ClusterState& state, const model::ClusterChanges& changes,
                  const model::Node& self, const podnet::Underlay& underlay,
                  reconcile::Reconciler& reconciler, const Planned& planned = {});

  bool has_planned() const;  // all of them, once at least

  // As last given to update(), of which there must have been one.
  const model::Node& self() const { return *self_; }
  const podnet::Underlay& underlay() const { return *underlay_; }

  std::vector<std::string_view> owners() const;
  std::vector<std::string> problems() const;
  struct NewProblem {
    std::string_view owner{};
    std::string text{};
  };
  std::vector<NewProblem> take_new_problems();

  // In order: what each says of itself, and how much it planned.
  std::vector<StatusSection> status(const model::ClusterState& state) const;
  std::vector<PlanCounts> counts() const;

 private:
  struct Item {
    std::unique_ptr<Feature> feature{};
    bool has_planned = false;
    Result<> outcome{};
    PlanCounts counts{};
  };

  InputChanges look(const Inputs& now, const model::ClusterChanges& changes);
  static Result<> plan(Item& item, const Inputs& now, const InputChanges& changed,
                       reconcile::Reconciler& reconciler, const reconcile::Ticket& ticket);

  std::vector<Item> items_{};
  std::optional<model::Node> self_{};
  std::optional<podnet::Underlay> underlay_{};
};

}  // namespace weft::agent
