// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/environment.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::lab {
namespace {

constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// "redis-leader" → "REDIS_LEADER".
std::string variable_name(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string host_and_port(const std::string& host, int port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

void add_port(const std::string& service, const std::string& host, const Json& port, bool first,
              Variables& out) {
  const int number = number_at(port, "/port", 0);
  const std::string protocol = text_at(port, "/protocol");
  const std::string url = fmt::format("{}://{}", lower(protocol), host_and_port(host, number));
  if (first) {
    out[service + "_SERVICE_PORT"] = std::to_string(number);
    out[service + "_PORT"] = url;
  }
  if (const std::string name = text_at(port, "/name"); !name.empty()) {
    out[service + "_SERVICE_PORT_" + variable_name(name)] = std::to_string(number);
  }
  const std::string prefix = fmt::format("{}_PORT_{}_{}", service, number, protocol);
  out[prefix] = url;
  out[prefix + "_PROTO"] = lower(protocol);
  out[prefix + "_PORT"] = std::to_string(number);
  out[prefix + "_ADDR"] = host;
}

std::string joined_ips(const Json& pod) {
  std::vector<std::string> texts;
  for (const IpAddress& ip : pod_ips(pod)) texts.push_back(ip.to_string());
  return fmt::format("{}", fmt::join(texts, ","));
}

std::string field_value(const std::string& path, const Json& pod, const std::string& host_ip) {
  if (path == "metadata.name") return name_of(pod).name;
  if (path == "metadata.namespace") return name_of(pod).name_space;
  if (path == "metadata.uid") return text_at(pod, "/metadata/uid");
  if (path == "spec.nodeName") return node_of(pod);
  if (path == "status.podIPs") return joined_ips(pod);
  if (path == "status.hostIP") return host_ip;
  const std::vector<IpAddress> ips = pod_ips(pod);
  return ips.empty() ? std::string() : ips.front().to_string();
}

}  // namespace

Variables service_variables(const ObjectStore::Objects& services, const std::string& name_space) {
  Variables variables;
  for (const auto& [name, service] : services) {
    const std::string host = text_at(service, "/spec/clusterIP");
    if (name.name_space != name_space || host.empty() || host == "None") continue;
    const std::string prefix = variable_name(name.name);
    variables[prefix + "_SERVICE_HOST"] = host;
    bool first = true;
    for (const Json& port : service.at("spec").value("ports", Json::array())) {
      add_port(prefix, host, port, first, variables);
      first = false;
    }
  }
  return variables;
}

Variables container_variables(const Container& container, const Json& pod,
                              const std::string& host_ip, const Variables& services) {
  Variables variables = services;
  variables["PATH"] = kPath;
  variables["HOME"] = "/root";
  variables["HOSTNAME"] = name_of(pod).name;
  for (const EnvVar& variable : container.env) {
    variables[variable.name] = variable.field_path.empty()
                                   ? expand(variable.value, variables)
                                   : field_value(variable.field_path, pod, host_ip);
  }
  return variables;
}

std::string expand(std::string_view text, const Variables& variables) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      expanded += text[i];
      continue;
    }
    const std::size_t end = text[i + 1] == '(' ? text.find(')', i) : std::string_view::npos;
    if (text[i + 1] == '$') {
      expanded += '$';
      ++i;
    } else if (end == std::string_view::npos) {
      expanded += '$';
    } else {
      const auto found = variables.find(std::string(text.substr(i + 2, end - i - 2)));
      expanded +=
          found == variables.end() ? text.substr(i, end - i + 1) : std::string_view(found->second);
      i = end;
    }
  }
  return expanded;
}

}  // namespace weft::lab
