// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/endpoints.h"

#include <fmt/format.h>

#include <map>

#include "lab/kubelet/workload.h"

namespace weft::lab {
namespace {

// One family's port numbers as the pods have them, and the endpoints that share them.
using PortNumbers = std::vector<int>;
using Groups = std::map<PortNumbers, Json>;

// The pod's number for each of the Service's ports; 0 where it has none of that name.
PortNumbers numbers_in(const Json& service_ports, const PodSpec& spec) {
  PortNumbers numbers;
  for (const Json& port : service_ports) {
    const auto protocol = parse_protocol(text_at(port, "/protocol"));
    const Json target = port.value("targetPort", port.at("port"));
    numbers.push_back(container_port(spec, target, protocol.value_or(model::Protocol::kTcp)));
  }
  return numbers;
}

Json endpoint_of(const Json& pod, const IpAddress& ip) {
  const bool ready = is_ready(pod);
  const ObjectName name = name_of(pod);
  return {{"addresses", {ip.to_string()}},
          {"conditions", {{"ready", ready}, {"serving", ready}, {"terminating", false}}},
          {"nodeName", node_of(pod)},
          {"targetRef", {{"kind", "Pod"}, {"name", name.name}, {"namespace", name.name_space}}}};
}

Groups endpoints_of(const Json& service, const Json& ports, IpFamily family,
                    const ObjectStore::Objects& pods) {
  Groups groups;
  const model::Labels selector = labels_at(service, "/spec/selector");
  for (const auto& [name, pod] : pods) {
    if (name.name_space != name_of(service).name_space || !matches(selector, labels_of(pod)))
      continue;
    for (const IpAddress& ip : pod_ips(pod)) {
      if (ip.family() != family) continue;
      const auto spec = decode_pod_spec(document_of(pod), "/spec");
      if (spec) groups[numbers_in(ports, *spec)].push_back(endpoint_of(pod, ip));
      break;
    }
  }
  return groups;
}

Json slice_ports(const Json& service_ports, const PortNumbers& numbers) {
  Json ports = Json::array();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] == 0) continue;
    const Json& port = service_ports.at(i);
    ports.push_back({{"name", text_at(port, "/name")},
                     {"protocol", text_at(port, "/protocol")},
                     {"port", numbers[i]}});
  }
  return ports;
}

Json make_slice(const Json& service, IpFamily family, std::size_t index) {
  const ObjectName name = name_of(service);
  const bool is_v4 = family == IpFamily::kIpv4;
  const std::string suffix = index == 0 ? "" : fmt::format("-{}", index + 1);
  return {{"apiVersion", "discovery.k8s.io/v1"},
          {"kind", "EndpointSlice"},
          {"metadata",
           {{"name", fmt::format("{}-{}{}", name.name, is_v4 ? "ipv4" : "ipv6", suffix)},
            {"namespace", name.name_space},
            {"labels", {{"kubernetes.io/service-name", name.name}}}}},
          {"addressType", is_v4 ? "IPv4" : "IPv6"},
          {"endpoints", Json::array()},
          {"ports", Json::array()}};
}

}  // namespace

std::vector<Json> endpoint_slices(const Json& service, const ObjectStore::Objects& pods) {
  std::vector<Json> slices;
  if (labels_at(service, "/spec/selector").empty()) return slices;
  const Json ports = service.at("spec").value("ports", Json::array());
  for (const std::string& text : texts_at(service, "/spec/ipFamilies")) {
    const IpFamily family = text == "IPv6" ? IpFamily::kIpv6 : IpFamily::kIpv4;
    std::size_t index = 0;
    for (auto& [numbers, endpoints] : endpoints_of(service, ports, family, pods)) {
      slices.push_back(make_slice(service, family, index++));
      slices.back()["endpoints"] = std::move(endpoints);
      slices.back()["ports"] = slice_ports(ports, numbers);
    }
    if (index == 0) slices.push_back(make_slice(service, family, 0));
  }
  return slices;
}

}  // namespace weft::lab
