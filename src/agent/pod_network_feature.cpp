// SPDX-License-Identifier: Apache-2.0
#include "agent/pod_network_feature.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace weft::agent {
namespace {

podnet::Config podnet_config(const Config& config) {
  podnet::Config out;
  out.node_name = config.node_name;
  out.transport = podnet::find_transport(config.pod_network.transport);
  out.cluster_cidrs = config.cluster_cidrs;
  out.masquerade = config.pod_network.masquerade;
  if (config.pod_network.mtu != 0) out.mtu = config.pod_network.mtu;
  out.cni_configuration_directory = config.cni.configuration_directory;
  out.cni_data_directory = config.cni.data_directory;
  return out;
}

}  // namespace

PodNetworkFeature::PodNetworkFeature(const Config& config) : config_(podnet_config(config)) {}

Result<> PodNetworkFeature::plan(const Inputs& now, const InputChanges& changed, Plan& out) {
  if (!planned_ || changed.self || changed.underlay) outcome_ = plan_all(now, out);
  if (planned_ && !out.is_all) plan_peers(now, changed, out);
  return outcome_;
}

Result<> PodNetworkFeature::plan_all(const Inputs& now, Plan& out) {
  tables::TableChanges entries;
  WEFT_TRY(podnet::plan_node(config_, now.self, now.underlay, entries));
  Planned planned{now.self.pod_cidrs, now.underlay,
                  podnet::Peers(config_, now.self, now.state.nodes()),
                  podnet::node_problems(config_, now.self, now.underlay)};
  podnet::plan_peers(*config_.transport, now.underlay, {}, planned.peers.routes(), entries);
  note_new_problems(planned);
  planned_.emplace(std::move(planned));
  out.entries = std::move(entries);
  out.is_all = true;
  return {};
}

void PodNetworkFeature::plan_peers(const Inputs& now, const InputChanges& changed, Plan& out) {
  podnet::PeerChange change = planned_->peers.update(changed.nodes, now.state.nodes());
  podnet::plan_peers(*config_.transport, planned_->underlay, change.before, change.now,
                     out.entries);
  std::move(change.new_problems.begin(), change.new_problems.end(),
            std::back_inserter(new_problems_));
}

void PodNetworkFeature::note_new_problems(const Planned& now) {
  const std::vector<std::string> known = problems();
  const auto note = [&](const std::vector<std::string>& problems) {
    for (const std::string& problem : problems)
      if (std::find(known.begin(), known.end(), problem) == known.end())
        new_problems_.push_back(problem);
  };
  note(now.node_problems);
  for (const auto& [name, problems] : now.peers.problems()) note(problems);
}

std::vector<std::string> PodNetworkFeature::problems() const {
  if (!planned_) return {};
  std::vector<std::string> out = planned_->node_problems;
  for (const auto& [name, problems] : planned_->peers.problems())
    out.insert(out.end(), problems.begin(), problems.end());
  return out;
}

std::vector<std::string> PodNetworkFeature::take_new_problems() {
  return std::exchange(new_problems_, {});
}

StatusSection PodNetworkFeature::status(const model::ClusterState&) const {
  std::vector<std::string> cidrs;
  podnet::Underlay underlay;
  std::uint64_t mtu = 0;
  std::uint64_t peers = 0;
  if (planned_) {
    for (const Prefix& cidr : planned_->pod_cidrs) cidrs.push_back(cidr.to_string());
    underlay = planned_->underlay;
    mtu = podnet::pod_mtu(config_, underlay);
    peers = planned_->peers.count();
  }
  const std::string transport(config_.transport->name());
  StatusSection out;
  out.lines = {{"Pod CIDRs", cidrs.empty() ? "none" : fmt::format("{}", fmt::join(cidrs, ", "))},
               {"Transport", transport}};
  out.fields = {{"/podCIDRs", std::move(cidrs)}, {"/transport", transport}};
  if (planned_) {
    const std::string address = underlay.address.to_string();
    out.fields.push_back({"/underlay/link", underlay.link});
    out.fields.push_back({"/underlay/address", address});
    out.fields.push_back({"/underlay/mtu", std::uint64_t{underlay.mtu}});
    out.lines.push_back(
        {"Underlay", fmt::format("{} {} mtu {}", underlay.link, address, underlay.mtu)});
  } else {
    out.fields.push_back({"/underlay", {}});
  }
  out.fields.push_back({"/podMTU", mtu});
  out.fields.push_back({"/peers", peers});
  out.lines.push_back({"Pod MTU", std::to_string(mtu)});
  out.lines.push_back({"Peers", std::to_string(peers)});
  return out;
}

}  // namespace weft::agent
