// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/workload.h"

#include <algorithm>

#include "lab/field.h"

namespace weft::lab {
namespace {

using cluster::Document;
using nlohmann::json;

constexpr int kLargestPort = 65535;
constexpr int kLongestSeconds = 86400;

constexpr std::string_view kFieldPaths[] = {"metadata.name", "metadata.namespace", "metadata.uid",
                                            "spec.nodeName", "status.podIP",       "status.podIPs",
                                            "status.hostIP"};

Result<EnvVar> decode_env_var(const Field& field) {
  EnvVar variable;
  WEFT_ASSIGN(variable.name, field["name"].text());
  if (variable.name.empty()) return field["name"].refuse("is required");
  WEFT_ASSIGN(variable.value, field["value"].text());
  const Field from = field["valueFrom"];
  if (!from.present()) return variable;
  WEFT_ASSIGN(variable.field_path, from["fieldRef"]["fieldPath"].text());
  if (std::find(std::begin(kFieldPaths), std::end(kFieldPaths), variable.field_path) ==
      std::end(kFieldPaths)) {
    return from.refuse(
        "the lab knows only fieldRef, of metadata.name, metadata.namespace, "
        "spec.nodeName, status.podIP, status.podIPs and status.hostIP");
  }
  return variable;
}

Result<ContainerPort> decode_port(const Field& field) {
  ContainerPort port;
  WEFT_ASSIGN(port.name, field["name"].text());
  WEFT_ASSIGN(const int number, field["containerPort"].number(0, 1, kLargestPort));
  if (number == 0) return field["containerPort"].refuse("is required");
  port.number = static_cast<std::uint16_t>(number);
  WEFT_ASSIGN(const std::string protocol, field["protocol"].text("TCP"));
  const auto parsed = parse_protocol(protocol);
  if (!parsed) return field["protocol"].refuse("must be TCP, UDP or SCTP");
  port.protocol = *parsed;
  return port;
}

Result<std::uint16_t> decode_probe_port(const Field& field, const Container& container) {
  if (!field.present()) return field.refuse("is required");
  if (field.value().is_string()) {
    for (const ContainerPort& port : container.ports) {
      if (port.name == field.value().get<std::string>()) return port.number;
    }
    return field.refuse("names no port of the container");
  }
  WEFT_ASSIGN(const int number, field.number(0, 1, kLargestPort));
  return static_cast<std::uint16_t>(number);
}

Result<> decode_probe_action(const Field& field, const Container& container, Probe& probe) {
  if (field["tcpSocket"].present()) {
    probe.kind = Probe::Kind::kTcpSocket;
    WEFT_ASSIGN(probe.port, decode_probe_port(field["tcpSocket"]["port"], container));
    return {};
  }
  if (field["httpGet"].present()) {
    probe.kind = Probe::Kind::kHttpGet;
    WEFT_ASSIGN(probe.port, decode_probe_port(field["httpGet"]["port"], container));
    WEFT_ASSIGN(probe.path, field["httpGet"]["path"].text("/"));
    WEFT_ASSIGN(const std::string scheme, field["httpGet"]["scheme"].text("HTTP"));
    if (scheme != "HTTP")
      return field["httpGet"]["scheme"].refuse("the lab's probes speak HTTP only");
    return {};
  }
  if (field["exec"].present()) {
    probe.kind = Probe::Kind::kExec;
    WEFT_ASSIGN(probe.command, field["exec"]["command"].texts());
    if (probe.command.empty()) return field["exec"]["command"].refuse("is required");
    return {};
  }
  return field.refuse("must have tcpSocket, httpGet or exec");
}

Result<std::optional<Probe>> decode_probe(const Field& field, const Container& container) {
  if (!field.present()) return std::optional<Probe>{};
  Probe probe;
  WEFT_TRY(decode_probe_action(field, container, probe));
  // Checked, not heeded: see readiness.h.
  WEFT_TRY(field["initialDelaySeconds"].number(0, 0, kLongestSeconds));
  WEFT_TRY(field["periodSeconds"].number(10, 1, kLongestSeconds));
  WEFT_ASSIGN(const int timeout, field["timeoutSeconds"].number(1, 1, kLongestSeconds));
  probe.timeout = std::chrono::seconds(timeout);
  return std::optional<Probe>(std::move(probe));
}

Result<Container> decode_container(const Field& field) {
  Container container;
  WEFT_ASSIGN(container.name, field["name"].text());
  if (container.name.empty()) return field["name"].refuse("is required");
  WEFT_ASSIGN(container.command, field["command"].texts());
  if (container.command.empty()) {
    return field["command"].refuse(
        "is required: the lab ignores images and runs a container's command from the host's root");
  }
  WEFT_ASSIGN(const std::vector<std::string> args, field["args"].texts());
  container.command.insert(container.command.end(), args.begin(), args.end());
  WEFT_ASSIGN(container.working_directory, field["workingDir"].text());
  if (field["envFrom"].present())
    return field["envFrom"].refuse("the lab has no ConfigMaps and Secrets");
  for (const Field& item : field["env"].items()) {
    WEFT_ASSIGN(EnvVar variable, decode_env_var(item));
    container.env.push_back(std::move(variable));
  }
  for (const Field& item : field["ports"].items()) {
    WEFT_ASSIGN(ContainerPort port, decode_port(item));
    container.ports.push_back(std::move(port));
  }
  WEFT_ASSIGN(container.readiness, decode_probe(field["readinessProbe"], container));
  return container;
}

Result<std::vector<Container>> decode_containers(const Field& field) {
  std::vector<Container> containers;
  if (field.present() && !field.value().is_array()) return field.refuse("must be a list");
  for (const Field& item : field.items()) {
    WEFT_ASSIGN(Container container, decode_container(item));
    containers.push_back(std::move(container));
  }
  return containers;
}

}  // namespace

Result<PodSpec> decode_pod_spec(const Document& document, const std::string& pointer) {
  const Field field = Field::at(document, pointer);
  if (!field.present()) return field.refuse("is required");
  PodSpec spec;
  WEFT_ASSIGN(spec.node_name, field["nodeName"].text());
  WEFT_ASSIGN(spec.node_selector, field["nodeSelector"].labels());
  WEFT_ASSIGN(spec.host_network, field["hostNetwork"].boolean());
  WEFT_ASSIGN(spec.restart_policy, field["restartPolicy"].text("Always"));
  WEFT_ASSIGN(spec.hostname, field["hostname"].text());
  WEFT_ASSIGN(spec.init_containers, decode_containers(field["initContainers"]));
  WEFT_ASSIGN(spec.containers, decode_containers(field["containers"]));
  if (spec.containers.empty()) return field["containers"].refuse("needs at least one container");
  return spec;
}

Document document_of(const json& object) {
  Document document;
  const auto text = [&](const char* pointer) {
    const json::json_pointer path(pointer);
    return object.contains(path) && object.at(path).is_string() ? object.at(path).get<std::string>()
                                                                : std::string();
  };
  document.file = "lab";
  document.api_version = text("/apiVersion");
  document.kind = text("/kind");
  document.name = {text("/metadata/namespace"), text("/metadata/name")};
  document.value = object;
  return document;
}

std::uint16_t container_port(const PodSpec& spec, const json& port, model::Protocol protocol) {
  if (port.is_number_integer()) return port.get<std::uint16_t>();
  if (!port.is_string()) return 0;
  for (const Container& container : spec.containers) {
    for (const ContainerPort& candidate : container.ports) {
      if (candidate.name == port.get<std::string>() && candidate.protocol == protocol) {
        return candidate.number;
      }
    }
  }
  return 0;
}

std::optional<model::Protocol> parse_protocol(std::string_view text) {
  for (const auto protocol :
       {model::Protocol::kTcp, model::Protocol::kUdp, model::Protocol::kSctp}) {
    if (text == model::to_string(protocol)) return protocol;
  }
  return std::nullopt;
}

}  // namespace weft::lab
