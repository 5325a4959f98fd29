// SPDX-License-Identifier: Apache-2.0
//
// A Pod's spec, reduced to what the lab runs: `image`, volumes, resources and security settings are
// ignored (a container is its command, run from the host's root). What would make a container mean
// something else than it says (no command, a variable from a Secret) is an error that names the
// field. Field names and defaults are the API's (core/v1 PodSpec, Container, Probe). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "document/document.h"
#include "model/objects.h"

namespace weft::lab {

struct EnvVar {
  std::string name{};
  std::string value{};       // may hold $(OTHER)
  std::string field_path{};  // valueFrom.fieldRef; then `value` is unset
};

struct ContainerPort {
  std::string name{};
  std::uint16_t number = 0;
  model::Protocol protocol = model::Protocol::kTcp;
};

struct Probe {
  enum class Kind { kTcpSocket, kHttpGet, kExec };
  Kind kind = Kind::kTcpSocket;
  std::uint16_t port = 0;
  std::string path = "/";              // httpGet
  std::vector<std::string> command{};  // exec
  std::chrono::seconds timeout{1};
};

struct Container {
  std::string name{};
  std::vector<std::string> command{};  // command and args, $(VAR) not yet expanded
  std::vector<EnvVar> env{};
  std::string working_directory{};
  std::vector<ContainerPort> ports{};
  std::optional<Probe> readiness{};
};

struct PodSpec {
  std::string node_name{};
  model::Labels node_selector{};
  bool host_network = false;
  std::string restart_policy = "Always";
  std::string hostname{};
  std::vector<Container> init_containers{};
  std::vector<Container> containers{};
};

// The spec at `pointer` ("/spec" of a Pod, "/spec/template/spec" of a Deployment).
Result<PodSpec> decode_pod_spec(const document::Document& document, const std::string& pointer);

// A stored object as a Document, so that one decoder reads both.
document::Document document_of(const nlohmann::json& object);

// A port by number or by a container's port name; 0 = there is none of that name.
std::uint16_t container_port(const PodSpec& spec, const nlohmann::json& port,
                             model::Protocol protocol);

std::optional<model::Protocol> parse_protocol(std::string_view text);  // "TCP", "UDP", "SCTP"

}  // namespace weft::lab
