// SPDX-License-Identifier: Apache-2.0
#include "podnet/addresses.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::podnet {

namespace {

using model::Node;

const IpAddress* internal_ip(const Node& node, IpFamily family) {
  const auto found =
      std::find_if(node.internal_ips.begin(), node.internal_ips.end(),
                   [&](const IpAddress& address) { return address.family() == family; });
  return found == node.internal_ips.end() ? nullptr : &*found;
}

bool is_no_nodes(const IpAddress& address) {
  return address.is_unspecified() || address.is_loopback() || address.is_multicast();
}

// Why no packet goes to a node by this address; "" where it may.
std::string flaw(const IpAddress& address, const std::vector<Prefix>& pods) {
  if (is_no_nodes(address)) return address.to_string() + " is no node's InternalIP";
  if (const Prefix* network = network_of(address, pods))
    return fmt::format("{} is within {}, where pods are", address.to_string(),
                       network->to_string());
  return "";
}

}  // namespace

std::optional<IpAddress> underlay_address(const Node& node) {
  if (const IpAddress* v4 = internal_ip(node, IpFamily::kIpv4)) return *v4;
  return node.internal_ips.empty() ? std::nullopt : std::optional(node.internal_ips.front());
}

bool is_within(const Prefix& cidr, const std::vector<Prefix>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Prefix& network) { return network.contains(cidr); });
}

const Prefix* network_of(const IpAddress& address, const std::vector<Prefix>& networks) {
  const auto found = std::find_if(networks.begin(), networks.end(),
                                  [&](const Prefix& network) { return network.contains(address); });
  return found == networks.end() ? nullptr : &*found;
}

const IpAddress* node_within(const Node& node, const Prefix& network) {
  const auto found =
      std::find_if(node.internal_ips.begin(), node.internal_ips.end(),
                   [&](const IpAddress& address) { return network.contains(address); });
  return found == node.internal_ips.end() ? nullptr : &*found;
}

const IpAddress* remote_for(const Transport& transport, const Node& node, const Prefix& cidr,
                            const std::vector<Prefix>& pods) {
  const IpAddress* address = internal_ip(node, transport.outer_family(cidr.family()));
  if (address == nullptr || is_no_nodes(*address)) return nullptr;
  return network_of(*address, pods) == nullptr ? address : nullptr;
}

std::vector<std::string> address_problems(const Transport& transport, const Node& node,
                                          const std::vector<Prefix>& pods) {
  std::vector<std::string> problems;
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    std::vector<std::string> carried;
    for (const Prefix& cidr : node.pod_cidrs)
      if (transport.outer_family(cidr.family()) == family) carried.push_back(cidr.to_string());
    if (carried.empty()) continue;
    const IpAddress* address = internal_ip(node, family);
    const std::string why = address != nullptr
                                ? flaw(*address, pods)
                                : fmt::format("no InternalIP is IPv{}", static_cast<int>(family));
    if (!why.empty())
      problems.push_back(fmt::format("node {}: status.addresses: {}: {} cannot be reached",
                                     node.name.to_string(), why, fmt::join(carried, ", ")));
  }
  return problems;
}

}  // namespace weft::podnet
