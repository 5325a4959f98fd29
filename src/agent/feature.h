// SPDX-License-Identifier: Apache-2.0
//
// A Feature is what the agent does for a node: the pod network, Services; each plans entries of the
// desired tables in a name of its own. The agent goes through the list of them (features.h,
// feature_list.cpp) and knows none in particular: what is planned, what uninstall drops, what the
// status says and which problems there are come from the list. A new one is a file and a line.
//
// A feature says which inputs its plan follows from, and is asked only when one of those changed.
// It remembers what it planned, so that a change costs what changed, and keeps that when a new plan
// fails (a Node that lost its pod CIDRs): what works keeps working. No kernel, no loop, no time.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/status.h"
#include "base/result.h"
#include "model/cluster_state.h"
#include "podnet/underlay.h"
#include "reconcile/reconciler.h"
#include "tables/changes.h"
#include "tables/kernel_tables.h"
#include "tables/table_states.h"

namespace weft::agent {

enum class Input : std::uint8_t {
  kSelf = 1,      // InternalIPs and pod CIDRs of this node's Node object
  kUnderlay = 2,  // the link that carries its InternalIP
  kNodes = 4,     // InternalIPs and pod CIDRs of all Nodes
  kServices = 8,  // Services and their EndpointSlices
};
constexpr std::uint8_t operator|(Input one, Input other) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(one) |
                                   static_cast<std::uint8_t>(other));
}
constexpr std::uint8_t operator|(std::uint8_t some, Input other) {
  return static_cast<std::uint8_t>(some | static_cast<std::uint8_t>(other));
}

// The inputs as they are.
struct Inputs {
  const model::ClusterState& state;
  const model::Node& self;
  const podnet::Underlay& underlay;
};

// What of them is not as it was when they were last looked at.
struct InputChanges {
  const model::ClusterChanges& objects;  // whatever of them
  bool self = false;
  bool underlay = false;
  std::set<model::ObjectName> nodes{};  // of those in `objects`: not where labels alone changed
  bool services = false;

  bool any_of(std::uint8_t inputs) const;
};

struct Plan {
  tables::TableChanges entries{};
  bool is_all = false;  // all that the feature plans; otherwise what changed of it
};

class Feature {
 public:
  virtual ~Feature() = default;

  // In whose name it plans.
  virtual std::string_view owner() const = 0;
  virtual std::uint8_t depends_on() const = 0;  // Inputs

  // Before the first plan: what an earlier agent left in the kernel, where the plan may follow it
  // so that nothing moves.
  virtual void take_over(tables::KernelTables&) {}

  // Brings what it plans up to date. Until this succeeded once nothing is planned, and everything
  // is to be. On an error what was planned before stands; `out` has what else changed all the same.
  virtual Result<> plan(const Inputs& now, const InputChanges& changed, Plan& out) = 0;

  // What of the configuration and the objects is not followed as it stands, and why; and of that
  // what is new since the last call.
  virtual std::vector<std::string> problems() const = 0;
  virtual std::vector<std::string> take_new_problems() = 0;

  virtual StatusSection status(const model::ClusterState& state) const = 0;
};

}  // namespace weft::agent
