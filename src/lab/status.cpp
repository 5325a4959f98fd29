// SPDX-License-Identifier: Apache-2.0
#include "lab/status.h"

#include <fmt/format.h>

#include "lab/kubelet/pods.h"
#include "lab/terminal.h"
#include "lab/world/nodes.h"
#include "linux/netns.h"

namespace weft::lab {
namespace {

constexpr std::size_t kTailLines = 3;

Json texts(const std::vector<IpAddress>& addresses) {
  Json array = Json::array();
  for (const IpAddress& address : addresses) array.push_back(address.to_string());
  return array;
}

Json node_status(const Lab& lab, const NodePlan& node) {
  Json pod_cidrs = Json::array();
  for (const Prefix& cidr : node.pod_cidrs) pod_cidrs.push_back(cidr.to_string());
  const auto pid = agent_pid(lab, node.name);
  return {{"name", node.name},
          {"netns", named_netns_path(lab.names.node_netns(node.name))},
          {"addresses", texts(node.addresses())},
          {"podCIDRs", std::move(pod_cidrs)},
          {"agentPid", pid ? Json(*pid) : Json()},
          {"socket", lab.names.agent_socket(node.name)}};
}

std::string state_text(const Json& pod, const PodState& state) {
  if (!state.problem.empty()) return state.problem;
  if (state.initializing) return "initializing";
  if (state.running) return is_ready(pod) ? "ready" : "running, not ready";
  return state.exit_code ? fmt::format("ended, exit code {}", *state.exit_code) : "ended";
}

std::string not_started(const Json& pod) {
  const std::string why = text_at(pod, "/status/message");
  return why.empty() ? "not started" : "not started: " + why;
}

Json pod_status(const Json& pod, const PodRecord* record) {
  const ObjectName name = name_of(pod);
  const PodState state = record != nullptr ? state_of(*record) : PodState{};
  Json status = {{"namespace", name.name_space},
                 {"name", name.name},
                 {"node", node_of(pod)},
                 {"netns", record != nullptr ? named_netns_path(record->netns) : ""},
                 {"ips", texts(pod_ips(pod))},
                 {"labels", labels_of(pod)},
                 {"ready", state.running && is_ready(pod)},
                 {"state", record != nullptr ? state_text(pod, state) : not_started(pod)},
                 {"pid", state.pid},
                 {"log", record != nullptr ? record->log_file : ""}};
  if (state.exit_code) status["exitCode"] = *state.exit_code;
  return status;
}

Json service_status(const Json& service) {
  const ObjectName name = name_of(service);
  return {{"namespace", name.name_space},
          {"name", name.name},
          {"type", text_at(service, "/spec/type")},
          {"clusterIPs", texts_at(service, "/spec/clusterIPs")},
          {"ports", service.at("spec").value("ports", Json::array())}};
}

std::string joined(const Json& array) {
  std::vector<std::string> items;
  for (const Json& item : array) items.push_back(item.get<std::string>());
  return fmt::format("{}", fmt::join(items, " "));
}

// "80/TCP", "80:30080/TCP".
std::string ports_text(const Json& ports) {
  std::vector<std::string> items;
  for (const Json& port : ports) {
    const int node_port = number_at(port, "/nodePort", 0);
    items.push_back(fmt::format("{}{}/{}", number_at(port, "/port", 0),
                                node_port != 0 ? fmt::format(":{}", node_port) : "",
                                text_at(port, "/protocol")));
  }
  return fmt::format("{}", fmt::join(items, " "));
}

std::string qualified(const Json& object) {
  const std::string name_space = object["namespace"];
  const std::string name = object["name"];
  return name_space == "default" ? name : name_space + "/" + name;
}

void print_nodes(const Json& nodes) {
  Table table({"NODE", "ADDRESSES", "POD CIDRS", "AGENT", "NETWORK NAMESPACE"});
  for (const Json& node : nodes) {
    const std::string agent = node["agentPid"].is_null()
                                  ? "not running"
                                  : fmt::format("pid {}", node["agentPid"].get<int>());
    table.add({text_at(node, "/name"), joined(node["addresses"]), joined(node["podCIDRs"]), agent,
               text_at(node, "/netns")});
  }
  table.print(stdout);
}

void print_pods(const Json& pods) {
  if (pods.empty()) return;
  fmt::print("\n");
  Table table({"POD", "NODE", "IPS", "STATE"});
  for (const Json& pod : pods) {
    const bool ready = pod["ready"];
    const Cell state(pod["state"].get<std::string>(), ready ? Colour::kGreen : Colour::kRed);
    table.add({qualified(pod), text_at(pod, "/node"), joined(pod["ips"]), state});
  }
  table.print(stdout);
  for (const Json& pod : pods) {
    const std::string log = pod["log"];
    if (!pod.contains("exitCode") || log.empty()) continue;
    const std::string tail = tail_of(log, kTailLines);
    if (!tail.empty()) fmt::print("\n{}: the end of {}:\n{}\n", qualified(pod), log, tail);
  }
}

void print_services(const Json& services) {
  if (services.empty()) return;
  fmt::print("\n");
  Table table({"SERVICE", "TYPE", "CLUSTER IPS", "PORTS"});
  for (const Json& service : services) {
    table.add({qualified(service), text_at(service, "/type"), joined(service["clusterIPs"]),
               ports_text(service["ports"])});
  }
  table.print(stdout);
}

}  // namespace

Result<Json> status_json(const Lab& lab) {
  WEFT_ASSIGN(const ObjectStore store, ObjectStore::load(lab.names));
  WEFT_ASSIGN(const auto records, load_records(lab));
  Json status = {{"name", lab.names.lab()},
                 {"ipFamily", lab.settings.ip_family},
                 {"transport", lab.settings.transport},
                 {"fabric", to_string(lab.settings.fabric)},
                 {"fabricNetns", named_netns_path(lab.names.fabric_netns())},
                 {"nodes", Json::array()},
                 {"pods", Json::array()},
                 {"services", Json::array()}};
  for (const NodePlan& node : plan_nodes(lab.settings))
    status["nodes"].push_back(node_status(lab, node));
  for (const auto& [name, pod] : store.all("Pod")) {
    const auto record = records.find(name);
    status["pods"].push_back(pod_status(pod, record == records.end() ? nullptr : &record->second));
  }
  for (const auto& [name, service] : store.all("Service")) {
    status["services"].push_back(service_status(service));
  }
  return status;
}

void print_status(const Json& status) {
  fmt::print("{}: {} nodes, {}, {} over a {}\n\n", status["name"].get<std::string>(),
             status["nodes"].size(), status["ipFamily"].get<std::string>(),
             status["transport"].get<std::string>(), status["fabric"].get<std::string>());
  print_nodes(status["nodes"]);
  print_pods(status["pods"]);
  print_services(status["services"]);
}

Json list_json() {
  Json list = Json::array();
  for (const std::string& name : lab_names()) {
    Json entry = {{"name", name}, {"nodes", nullptr}, {"pods", nullptr}};
    if (const auto lab = open_lab(name)) {
      entry["nodes"] = lab->settings.nodes;
      const auto store = ObjectStore::load(lab->names);
      if (store) entry["pods"] = store->all("Pod").size();
    }
    list.push_back(std::move(entry));
  }
  return list;
}

void print_list(const Json& list) {
  Table table({"LAB", "NODES", "PODS"});
  for (const Json& lab : list) {
    const bool whole = lab["nodes"].is_number();
    table.add({text_at(lab, "/name"), whole ? lab["nodes"].dump() : "half there",
               lab["pods"].is_null() ? "" : lab["pods"].dump()});
  }
  table.print(stdout);
}

}  // namespace weft::lab
