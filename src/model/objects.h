// SPDX-License-Identifier: Apache-2.0
//
// The Kubernetes objects Weft reads, reduced to what it needs; names and meanings are the API's
// (core/v1, discovery.k8s.io/v1), as are kApiVersion and kKind. Sources decode into these; nothing
// here knows YAML or JSON. One more kind is its struct here, one line in Object (object_key.h)
// and a decoder in src/cluster/objects.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "model/interned.h"

namespace weft::model {

struct ObjectName {
  std::string name_space{};  // "" for cluster-scoped kinds
  std::string name{};
  auto operator<=>(const ObjectName&) const = default;
  std::string to_string() const;  // "namespace/name", or "name"
};

using Labels = std::map<std::string, std::string>;

struct Namespace {
  static constexpr std::string_view kApiVersion = "v1";
  static constexpr std::string_view kKind = "Namespace";
  ObjectName name{};
  Labels labels{};
  bool operator==(const Namespace&) const = default;
};

struct Node {
  static constexpr std::string_view kApiVersion = "v1";
  static constexpr std::string_view kKind = "Node";
  ObjectName name{};
  Labels labels{};
  std::vector<IpAddress> internal_ips{};  // status.addresses of type InternalIP
  std::vector<Prefix> pod_cidrs{};        // spec.podCIDRs (or podCIDR)
  bool operator==(const Node&) const = default;
};

struct Pod {
  static constexpr std::string_view kApiVersion = "v1";
  static constexpr std::string_view kKind = "Pod";
  ObjectName name{};
  Labels labels{};
  std::string node_name{};
  std::vector<IpAddress> ips{};  // status.podIPs
  bool host_network = false;
  bool ready = false;  // the Ready condition
  bool operator==(const Pod&) const = default;
};

enum class Protocol : std::uint8_t { kTcp = 6, kUdp = 17, kSctp = 132 };  // IP protocol numbers
std::string_view to_string(Protocol protocol);                            // "TCP"

struct ServicePort {
  std::string name{};
  Protocol protocol = Protocol::kTcp;
  std::uint16_t port = 0;
  std::uint16_t node_port = 0;  // 0 = none
  bool operator==(const ServicePort&) const = default;
};

enum class ServiceType : std::uint8_t { kClusterIp, kNodePort, kLoadBalancer, kExternalName };
enum class SessionAffinity : std::uint8_t { kNone, kClientIp };
enum class TrafficPolicy : std::uint8_t { kCluster, kLocal };

struct Service {
  static constexpr std::string_view kApiVersion = "v1";
  static constexpr std::string_view kKind = "Service";
  ObjectName name{};
  Labels labels{};
  ServiceType type = ServiceType::kClusterIp;
  std::vector<IpAddress> cluster_ips{};  // empty: headless ("None") or not yet assigned
  std::vector<ServicePort> ports{};
  Labels selector{};
  SessionAffinity session_affinity = SessionAffinity::kNone;
  TrafficPolicy internal_traffic_policy = TrafficPolicy::kCluster;
  TrafficPolicy external_traffic_policy = TrafficPolicy::kCluster;
  std::uint16_t health_check_node_port = 0;  // 0 = none
  std::vector<IpAddress> external_ips{};
  std::vector<IpAddress> load_balancer_ips{};  // status.loadBalancer.ingress of ipMode VIP
  std::vector<std::string> load_balancer_source_ranges{};
  bool operator==(const Service&) const = default;
};

struct Endpoint {
  IpAddress address{};  // the first: they are interchangeable, says the API
  bool ready = true;    // conditions.ready; unset means true
  bool serving = true;
  bool terminating = false;
  Interned node_name{};
  bool operator==(const Endpoint&) const = default;
};

struct EndpointPort {
  std::string name{};
  Protocol protocol = Protocol::kTcp;
  std::uint16_t port = 0;
  bool operator==(const EndpointPort&) const = default;
};

struct EndpointSlice {
  static constexpr std::string_view kApiVersion = "discovery.k8s.io/v1";
  static constexpr std::string_view kKind = "EndpointSlice";
  ObjectName name{};
  std::string service_name{};         // label kubernetes.io/service-name
  IpFamily family = IpFamily::kIpv4;  // addressType
  std::vector<Endpoint> endpoints{};
  std::vector<EndpointPort> ports{};
  bool operator==(const EndpointSlice&) const = default;
};

}  // namespace weft::model
