// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "cluster/objects/decode.h"
#include "cluster/objects/read.h"

namespace weft::cluster {
namespace {

using model::Protocol;
using model::ServicePort;
using model::ServiceType;
using model::SessionAffinity;
using model::TrafficPolicy;

ServiceType service_type(const Field& field) {
  const std::string text = field.text("ClusterIP");
  if (text == "NodePort") return ServiceType::kNodePort;
  if (text == "LoadBalancer") return ServiceType::kLoadBalancer;
  if (text == "ExternalName") return ServiceType::kExternalName;
  if (text != "ClusterIP")
    field.refuse("must be ClusterIP, NodePort, LoadBalancer or ExternalName");
  return ServiceType::kClusterIp;
}

SessionAffinity session_affinity(const Field& field) {
  const std::string text = field.text("None");
  if (text == "ClientIP") return SessionAffinity::kClientIp;
  if (text != "None") field.refuse("must be None or ClientIP");
  return SessionAffinity::kNone;
}

TrafficPolicy traffic_policy(const Field& field) {
  const std::string text = field.text("Cluster");
  if (text == "Local") return TrafficPolicy::kLocal;
  if (text != "Cluster") field.refuse("must be Cluster or Local");
  return TrafficPolicy::kCluster;
}

// 0 where there is none.
std::uint16_t node_port(const Field& field) {
  return static_cast<std::uint16_t>(std::max<std::int64_t>(field.number(0, 65535), 0));
}

// "None" is headless; "" is not yet assigned.
void add_cluster_ip(const Field& field, std::vector<IpAddress>& ips) {
  const std::string text = field.text();
  if (!text.empty() && text != "None") ips.push_back(field.unicast_address());
}

// The ports of one Service, of which no two are alike.
class ServicePorts {
 public:
  void add(const Field& field) {
    if (!field["port"].is_set()) field["port"].refuse("is missing");
    ServicePort port{field["name"].text(), protocol_of(field["protocol"]), field["port"].port(),
                     node_port(field["nodePort"])};
    if (!names_.insert(port.name).second)
      field["name"].refuse(port.name.empty() ? "is missing, as another port's is"
                                             : "must be no other port's");
    if (!numbers_.emplace(port.protocol, port.port).second)
      field["port"].refuse("must be no other port's of the same protocol");
    if (port.node_port != 0 && !node_ports_.emplace(port.protocol, port.node_port).second)
      field["nodePort"].refuse("must be no other port's of the same protocol");
    ports_.push_back(std::move(port));
  }

  std::vector<ServicePort> take() { return std::move(ports_); }

 private:
  std::vector<ServicePort> ports_{};
  std::set<std::string> names_{};
  std::set<std::pair<Protocol, std::uint16_t>> numbers_{};
  std::set<std::pair<Protocol, std::uint16_t>> node_ports_{};
};

}  // namespace

bool decode(const Field& object, model::Service& out) {
  out.name = namespaced_name(object);
  out.labels = object["metadata"]["labels"].labels();
  const Field spec = object["spec"];
  out.type = service_type(spec["type"]);
  spec["clusterIPs"].each([&](const Field& ip) { add_cluster_ip(ip, out.cluster_ips); });
  if (out.cluster_ips.empty()) add_cluster_ip(spec["clusterIP"], out.cluster_ips);
  ServicePorts ports;
  spec["ports"].each([&](const Field& port) { ports.add(port); });
  out.ports = ports.take();
  out.selector = spec["selector"].labels();
  out.session_affinity = session_affinity(spec["sessionAffinity"]);
  out.internal_traffic_policy = traffic_policy(spec["internalTrafficPolicy"]);
  out.external_traffic_policy = traffic_policy(spec["externalTrafficPolicy"]);
  out.health_check_node_port = node_port(spec["healthCheckNodePort"]);
  spec["externalIPs"].each(
      [&](const Field& ip) { out.external_ips.push_back(ip.unicast_address()); });
  spec["loadBalancerSourceRanges"].each(
      [&](const Field& range) { out.load_balancer_source_ranges.push_back(range.text()); });
  object["status"]["loadBalancer"]["ingress"].each([&](const Field& ingress) {
    // A load balancer that is known by name, or that proxies, sends to node ports.
    if (ingress["ip"].is_set() && ingress["ipMode"].text("VIP") == "VIP")
      out.load_balancer_ips.push_back(ingress["ip"].address());
  });
  return true;
}

}  // namespace weft::cluster
