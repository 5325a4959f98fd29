// SPDX-License-Identifier: Apache-2.0
#include "model/service_claims.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::model {
namespace {

bool has_node_ports(const Service& service) {
  return service.type == ServiceType::kNodePort || service.type == ServiceType::kLoadBalancer;
}

bool has_family(const Service& service, IpFamily family) {
  return std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(),
                     [&](const IpAddress& address) { return address.family() == family; });
}

std::vector<std::string> texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  return texts;
}

std::vector<std::string> texts(TrafficPolicy policy) {
  if (policy == TrafficPolicy::kLocal) return {"Local"};
  return {};
}

// What a Service asks for and does not get.
std::set<std::string> unserved_fields(const Service& service) {
  std::set<std::string> unserved;
  const auto add = [&](std::string_view field, const std::vector<std::string>& values,
                       std::string_view instead = "") {
    if (!values.empty())
      unserved.insert(
          fmt::format("{}: {} is not served{}", field, fmt::join(values, ", "), instead));
  };
  if (service.type == ServiceType::kExternalName || service.cluster_ips.empty()) return unserved;
  if (service.session_affinity == SessionAffinity::kClientIp)
    add("spec.sessionAffinity", {"ClientIP"}, ": a client's connections go to any backend");
  add("spec.internalTrafficPolicy", texts(service.internal_traffic_policy),
      ": backends on other nodes are used too");
  add("spec.externalIPs", texts(service.external_ips));
  if (has_node_ports(service) || !service.external_ips.empty())
    add("spec.externalTrafficPolicy", texts(service.external_traffic_policy),
        ": backends on other nodes are used too, and see the node's address for the client's");
  if (service.type != ServiceType::kLoadBalancer) return unserved;
  add("status.loadBalancer.ingress", texts(service.load_balancer_ips));
  add("spec.loadBalancerSourceRanges", service.load_balancer_source_ranges);
  if (service.health_check_node_port != 0)
    add("spec.healthCheckNodePort", {std::to_string(service.health_check_node_port)});
  return unserved;
}

// Cluster IPs that are a Node's address, or outside the Service CIDRs.
std::set<std::string> odd_cluster_ips(const Service& service, const ServiceNode& node,
                                      const NodeAddresses& node_addresses) {
  std::set<std::string> odd;
  if (service.type == ServiceType::kExternalName) return odd;
  const auto& cidrs = node.service_cidrs;
  for (const IpAddress& address : service.cluster_ips) {
    if (std::find(node.families.begin(), node.families.end(), address.family()) ==
        node.families.end())
      continue;
    const std::string field = "spec.clusterIPs: " + address.to_string();
    if (const auto taken = node_addresses.find(address); taken != node_addresses.end())
      odd.insert(fmt::format("{} is not served: it is an InternalIP of Node {}", field,
                             taken->second.to_string()));
    else if (!cidrs.empty() && std::none_of(cidrs.begin(), cidrs.end(), [&](const Prefix& cidr) {
               return cidr.contains(address);
             }))
      odd.insert(field +
                 " is outside serviceCIDRs of the configuration; it is served all the same");
  }
  return odd;
}

void claim_port(const Service& service, const ServicePort& port, IpFamily family,
                const ServiceNode& node, const NodeAddresses& node_addresses,
                std::map<Frontend, FrontendEntry>& claims) {
  const PoolKey pool{service.name, port.name, port.protocol, family};
  for (const IpAddress& address : service.cluster_ips)
    if (address.family() == family && !node_addresses.contains(address))
      claims.try_emplace({address, port.protocol, port.port},
                         FrontendEntry{FrontendKind::kClusterIp, false, pool});
  if (!has_node_ports(service) || port.node_port == 0) return;
  for (const IpAddress& address : node.node_port_addresses)
    if (address.family() == family)
      claims.try_emplace({address, port.protocol, port.node_port},
                         FrontendEntry{FrontendKind::kNodePort, true, pool});
}

}  // namespace

ServiceClaims claims_of(const Service& service, const ServiceNode& node,
                        const NodeAddresses& node_addresses) {
  ServiceClaims claims;
  if (service.type == ServiceType::kExternalName) return claims;
  for (const ServicePort& port : service.ports) {
    if (port.protocol == Protocol::kSctp) {
      claims.problems.insert(
          fmt::format("port {}/SCTP is not served: no back end has SCTP", port.port));
      continue;
    }
    for (const IpFamily family : node.families)
      if (has_family(service, family))
        claim_port(service, port, family, node, node_addresses, claims.frontends);
  }
  claims.problems.merge(unserved_fields(service));
  claims.problems.merge(odd_cluster_ips(service, node, node_addresses));
  return claims;
}

}  // namespace weft::model
