// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/scheduler.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <tuple>

namespace weft::lab {
namespace {

struct Load {
  int same_owner = 0;
  int pods = 0;
};

// Of each node that has pods.
std::map<std::string, Load> loads_of(const std::string& owner, const ObjectStore::Objects& pods) {
  std::map<std::string, Load> loads;
  for (const auto& [name, pod] : pods) {
    Load& load = loads[node_of(pod)];
    ++load.pods;
    if (owner_of(pod) == owner) ++load.same_owner;
  }
  return loads;
}

}  // namespace

std::string owner_of(const Json& pod) {
  const std::string controller = text_at(pod, "/metadata/ownerReferences/0/name");
  const ObjectName name = name_of(pod);
  return ObjectName{name.name_space, controller.empty() ? name.name : controller}.to_string();
}

Result<std::string> schedule(const PodSpec& spec, const Json& pod,
                             const ObjectStore::Objects& nodes, const ObjectStore::Objects& pods) {
  const std::string name = name_of(pod).to_string();
  if (!spec.node_name.empty()) {
    if (nodes.contains({"", spec.node_name})) return spec.node_name;
    return fail(fmt::format("pod {}: spec.nodeName: there is no node {}", name, spec.node_name));
  }
  // node10 comes after node9: by length, then by name.
  std::map<std::string, Load> loads = loads_of(owner_of(pod), pods);
  using Rank = std::tuple<int, int, std::size_t, std::string>;
  std::optional<Rank> best;
  for (const auto& [node, object] : nodes) {
    if (!matches(spec.node_selector, labels_of(object))) continue;
    const Load load = loads[node.name];
    const Rank rank{load.same_owner, load.pods, node.name.size(), node.name};
    if (!best || rank < *best) best = rank;
  }
  if (!best) return fail(fmt::format("pod {}: spec.nodeSelector: no node has these labels", name));
  return std::get<3>(*best);
}

}  // namespace weft::lab
