// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/workload.h"

#include <algorithm>
#include <chrono>

#include "document/reading.h"

namespace weft::lab {
namespace {

using document::Document;
using document::Field;
using nlohmann::json;

constexpr int kLongestSeconds = 86400;

constexpr std::string_view kFieldPaths[] = {"metadata.name", "metadata.namespace", "metadata.uid",
                                            "spec.nodeName", "status.podIP",       "status.podIPs",
                                            "status.hostIP"};

std::string required_text(const Field& field) {
  std::string text = field.text();
  if (text.empty()) field.refuse_as("is required");
  return text;
}

EnvVar decode_env_var(const Field& field) {
  EnvVar variable;
  variable.name = required_text(field["name"]);
  variable.value = field["value"].text();
  const Field from = field["valueFrom"];
  if (!from.is_set()) return variable;
  variable.field_path = from["fieldRef"]["fieldPath"].text();
  if (std::find(std::begin(kFieldPaths), std::end(kFieldPaths), variable.field_path) ==
      std::end(kFieldPaths)) {
    from.refuse_as(
        "the lab knows only fieldRef, of metadata.name, metadata.namespace, "
        "spec.nodeName, status.podIP, status.podIPs and status.hostIP");
  }
  return variable;
}

ContainerPort decode_port(const Field& field) {
  ContainerPort port;
  port.name = field["name"].text();
  port.number = field["containerPort"].port();
  if (port.number == 0) field["containerPort"].refuse_as("is required");
  const auto protocol = parse_protocol(field["protocol"].text("TCP"));
  if (!protocol) field["protocol"].refuse("must be TCP, UDP or SCTP");
  port.protocol = protocol.value_or(model::Protocol::kTcp);
  return port;
}

std::uint16_t decode_probe_port(const Field& field, const Container& container) {
  if (!field.is_set()) field.refuse_as("is required");
  const auto name = field.value().text();
  if (!name) return field.port();
  const auto named = std::find_if(container.ports.begin(), container.ports.end(),
                                  [&](const ContainerPort& port) { return port.name == *name; });
  if (named != container.ports.end()) return named->number;
  field.refuse("must be a number or the name of a port of the container");
  return 0;
}

void decode_probe_action(const Field& field, const Container& container, Probe& probe) {
  if (const Field socket = field["tcpSocket"]; socket.is_set()) {
    probe.kind = Probe::Kind::kTcpSocket;
    probe.port = decode_probe_port(socket["port"], container);
  } else if (const Field get = field["httpGet"]; get.is_set()) {
    probe.kind = Probe::Kind::kHttpGet;
    probe.port = decode_probe_port(get["port"], container);
    probe.path = get["path"].text("/");
    if (get["scheme"].text("HTTP") != "HTTP")
      get["scheme"].refuse_as("the lab's probes speak HTTP only");
  } else if (const Field exec = field["exec"]; exec.is_set()) {
    probe.kind = Probe::Kind::kExec;
    probe.command = exec["command"].texts();
    if (probe.command.empty()) exec["command"].refuse_as("is required");
  } else {
    field.refuse_as("must have tcpSocket, httpGet or exec");
  }
}

std::optional<Probe> decode_probe(const Field& field, const Container& container) {
  if (!field.is_set()) return std::nullopt;
  Probe probe;
  decode_probe_action(field, container, probe);
  // Checked, not heeded: see readiness.h.
  field["initialDelaySeconds"].number(0, kLongestSeconds);
  field["periodSeconds"].number(1, kLongestSeconds);
  const std::int64_t timeout = field["timeoutSeconds"].number(1, kLongestSeconds);
  if (timeout > 0) probe.timeout = std::chrono::seconds(timeout);
  return probe;
}

Container decode_container(const Field& field) {
  Container container;
  container.name = required_text(field["name"]);
  container.command = field["command"].texts();
  if (container.command.empty()) {
    field["command"].refuse_as(
        "is required: the lab ignores images and runs a container's command from the host's root");
  }
  const std::vector<std::string> args = field["args"].texts();
  container.command.insert(container.command.end(), args.begin(), args.end());
  container.working_directory = field["workingDir"].text();
  if (field["envFrom"].is_set())
    field["envFrom"].refuse_as("the lab has no ConfigMaps and Secrets");
  field["env"].each([&](const Field& item) { container.env.push_back(decode_env_var(item)); });
  field["ports"].each([&](const Field& item) { container.ports.push_back(decode_port(item)); });
  container.readiness = decode_probe(field["readinessProbe"], container);
  return container;
}

std::vector<Container> decode_containers(const Field& field) {
  std::vector<Container> containers;
  field.each([&](const Field& item) { containers.push_back(decode_container(item)); });
  return containers;
}

}  // namespace

Result<PodSpec> decode_pod_spec(const Document& document, const std::string& pointer) {
  document::Reading reading(document);
  const Field field = reading.root().at(pointer);
  if (!field.is_set()) field.refuse_as("is required");
  PodSpec spec;
  spec.node_name = field["nodeName"].text();
  spec.node_selector = field["nodeSelector"].labels();
  spec.host_network = field["hostNetwork"].flag(false);
  spec.restart_policy = field["restartPolicy"].text("Always");
  spec.hostname = field["hostname"].text();
  spec.init_containers = decode_containers(field["initContainers"]);
  spec.containers = decode_containers(field["containers"]);
  if (spec.containers.empty()) field["containers"].refuse_as("needs at least one container");
  WEFT_TRY(reading.outcome());
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
