// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/objects.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weft::cluster {
namespace {

using model::Endpoint;
using model::EndpointSlice;
using model::Namespace;
using model::Node;
using model::Object;
using model::ObjectName;
using model::Pod;
using model::Protocol;
using model::Service;
using model::ServicePort;
using model::ServiceType;
using model::SessionAffinity;
using model::TrafficPolicy;

constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

std::string required_text(const Field& field) {
  std::string text = field.text();
  if (text.empty()) field.refuse("is missing");
  return text;
}

ObjectName cluster_name(const Field& object) {
  return {"", required_text(object["metadata"]["name"])};
}

ObjectName namespaced_name(const Field& object) {
  const Field metadata = object["metadata"];
  std::string name_space = metadata["namespace"].text();
  if (name_space.empty()) name_space = "default";
  return {std::move(name_space), required_text(metadata["name"])};
}

Protocol protocol_of(const Field& field) {
  const std::string text = field.text("TCP");
  if (text == "UDP") return Protocol::kUdp;
  if (text == "SCTP") return Protocol::kSctp;
  if (text != "TCP") field.refuse("must be TCP, UDP or SCTP");
  return Protocol::kTcp;
}

std::optional<Object> decode_namespace(const Field& object) {
  return Namespace{cluster_name(object), object["metadata"]["labels"].labels()};
}

std::optional<Object> decode_node(const Field& object) {
  Node node;
  node.name = cluster_name(object);
  node.labels = object["metadata"]["labels"].labels();
  object["status"]["addresses"].each([&](const Field& address) {
    if (address["type"].text() == "InternalIP")
      node.internal_ips.push_back(address["address"].address());
  });
  const Field spec = object["spec"];
  spec["podCIDRs"].each([&](const Field& cidr) { node.pod_cidrs.push_back(cidr.network()); });
  if (node.pod_cidrs.empty() && spec["podCIDR"].is_set())
    node.pod_cidrs.push_back(spec["podCIDR"].network());
  return node;
}

std::optional<Object> decode_pod(const Field& object) {
  Pod pod;
  pod.name = namespaced_name(object);
  pod.labels = object["metadata"]["labels"].labels();
  pod.node_name = object["spec"]["nodeName"].text();
  pod.host_network = object["spec"]["hostNetwork"].flag(false);
  const Field status = object["status"];
  status["podIPs"].each([&](const Field& ip) { pod.ips.push_back(ip["ip"].address()); });
  if (pod.ips.empty() && status["podIP"].is_set()) pod.ips.push_back(status["podIP"].address());
  status["conditions"].each([&](const Field& condition) {
    if (condition["type"].text() == "Ready") pod.ready = condition["status"].text() == "True";
  });
  return pod;
}

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

std::optional<Object> decode_service(const Field& object) {
  Service service;
  service.name = namespaced_name(object);
  service.labels = object["metadata"]["labels"].labels();
  const Field spec = object["spec"];
  service.type = service_type(spec["type"]);
  spec["clusterIPs"].each([&](const Field& ip) { add_cluster_ip(ip, service.cluster_ips); });
  if (service.cluster_ips.empty()) add_cluster_ip(spec["clusterIP"], service.cluster_ips);
  ServicePorts ports;
  spec["ports"].each([&](const Field& port) { ports.add(port); });
  service.ports = ports.take();
  service.selector = spec["selector"].labels();
  service.session_affinity = session_affinity(spec["sessionAffinity"]);
  service.internal_traffic_policy = traffic_policy(spec["internalTrafficPolicy"]);
  service.external_traffic_policy = traffic_policy(spec["externalTrafficPolicy"]);
  service.health_check_node_port = node_port(spec["healthCheckNodePort"]);
  spec["externalIPs"].each(
      [&](const Field& ip) { service.external_ips.push_back(ip.unicast_address()); });
  spec["loadBalancerSourceRanges"].each(
      [&](const Field& range) { service.load_balancer_source_ranges.push_back(range.text()); });
  object["status"]["loadBalancer"]["ingress"].each([&](const Field& ingress) {
    // A load balancer that is known by name, or that proxies, sends to node ports.
    if (ingress["ip"].is_set() && ingress["ipMode"].text("VIP") == "VIP")
      service.load_balancer_ips.push_back(ingress["ip"].address());
  });
  return service;
}

Endpoint decode_endpoint(const Field& object, IpFamily family) {
  Endpoint endpoint;
  object["addresses"].each([&](const Field& address) {
    endpoint.addresses.push_back(address.unicast_address());
    if (endpoint.addresses.back().family() != family)
      address.refuse(family == IpFamily::kIpv4 ? "must be IPv4, as addressType says"
                                               : "must be IPv6, as addressType says");
  });
  const Field conditions = object["conditions"];
  endpoint.ready = conditions["ready"].flag(true);
  endpoint.serving = conditions["serving"].flag(endpoint.ready);
  endpoint.terminating = conditions["terminating"].flag(false);
  endpoint.node_name = object["nodeName"].text();
  return endpoint;
}

std::optional<Object> decode_endpoint_slice(const Field& object) {
  EndpointSlice slice;
  slice.name = namespaced_name(object);
  slice.service_name = object["metadata"]["labels"][kServiceNameLabel].text();
  const std::string type = required_text(object["addressType"]);
  if (type == "FQDN") return std::nullopt;  // names are not for packets
  if (type != "IPv4" && type != "IPv6") object["addressType"].refuse("must be IPv4, IPv6 or FQDN");
  slice.family = type == "IPv6" ? IpFamily::kIpv6 : IpFamily::kIpv4;
  object["endpoints"].each([&](const Field& endpoint) {
    slice.endpoints.push_back(decode_endpoint(endpoint, slice.family));
  });
  object["ports"].each([&](const Field& port) {
    // Without a number it stands for every port, which no Service port can be matched to.
    if (port["port"].is_set())
      slice.ports.push_back(
          {port["name"].text(), protocol_of(port["protocol"]), port["port"].port()});
  });
  return slice;
}

struct KnownKind {
  std::string_view api_version{};
  std::string_view kind{};
  Decoder decoder = nullptr;
};

constexpr std::array<KnownKind, 5> kKinds{
    {{"v1", "Namespace", decode_namespace},
     {"v1", "Node", decode_node},
     {"v1", "Pod", decode_pod},
     {"v1", "Service", decode_service},
     {"discovery.k8s.io/v1", "EndpointSlice", decode_endpoint_slice}}};

}  // namespace

Decoder decoder_for(std::string_view api_version, std::string_view kind) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(), [&](const KnownKind& known) {
    return known.api_version == api_version && known.kind == kind;
  });
  return found == kKinds.end() ? nullptr : found->decoder;
}

}  // namespace weft::cluster
