// SPDX-License-Identifier: Apache-2.0
//
// The pod network as a feature: what this node needs to carry pods, and the way to those of every
// other node (podnet/). A Node that changes costs that Node; this node's own addresses, pod CIDRs
// or underlay: everything, planned anew.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/feature.h"
#include "podnet/peers.h"
#include "podnet/plan.h"

namespace weft::agent {

class PodNetworkFeature final : public Feature {
 public:
  explicit PodNetworkFeature(const Config& config);

  std::string_view owner() const override { return "podnet"; }
  std::uint8_t depends_on() const override {
    return Input::kSelf | Input::kUnderlay | Input::kNodes;
  }
  Result<> plan(const Inputs& now, const InputChanges& changed, Plan& out) override;
  std::vector<std::string> problems() const override;
  std::vector<std::string> take_new_problems() override;
  StatusSection status(const model::ClusterState& state) const override;

 private:
  struct Planned {
    std::vector<Prefix> pod_cidrs{};
    podnet::Underlay underlay{};
    podnet::Peers peers;
    std::vector<std::string> node_problems{};
  };

  Result<> plan_all(const Inputs& now, Plan& out);
  void plan_peers(const Inputs& now, const InputChanges& changed, Plan& out);
  void note_new_problems(const Planned& now);

  podnet::Config config_;
  std::optional<Planned> planned_{};  // what stands
  Result<> outcome_{};                // of the last plan of all
  std::vector<std::string> new_problems_{};
};

}  // namespace weft::agent
