// SPDX-License-Identifier: Apache-2.0
//
// What a node needs to carry pods: the bridge with the gateway addresses, the way to every other
// node's pods (peers.h, transport.h), masquerade for traffic that leaves the cluster, the sysctls
// all this rests on, and the CNI configuration list that tells the runtime. Pure: the model and
// this node's facts in, table entries out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "model/objects.h"
#include "podnet/transport.h"
#include "tables/changes.h"

namespace weft::podnet {

struct Config {
  std::string node_name{};
  const Transport* transport = find_transport("vxlan");  // never null
  std::vector<Prefix> cluster_cidrs{};                   // of all pods: what is not masqueraded
  bool masquerade = true;
  std::optional<std::uint32_t> mtu{};         // of pods, at most; unset: from the underlay
  std::string cni_configuration_directory{};  // "" = write none
  std::string cni_data_directory{};           // host-local's store; "" = its default
};

// Pod MTU: the underlay's less the transport's overhead, or the configured one where that is less.
std::uint32_t pod_mtu(const Config& config, const Underlay& underlay);

// What of the configuration or of this node's own Node object is not followed as it stands, and
// why, in words that name the field and the value.
std::vector<std::string> node_problems(const Config& config, const model::Node& self,
                                       const Underlay& underlay);

// What stands whatever peers there are: links, addresses, sysctls, masquerade, CNI configuration.
// Fails, naming the node and the field, when this node lacks a pod CIDR or an address, or when its
// pod CIDRs overlap or contain its InternalIP.
Result<> plan_node(const Config& config, const model::Node& self, const Underlay& underlay,
                   tables::TableChanges& out);

}  // namespace weft::podnet
