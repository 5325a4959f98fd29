// SPDX-License-Identifier: Apache-2.0
#include "lab/world/nodes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

#include "control/client.h"
#include "lab/interrupt.h"
#include "lab/parallel.h"
#include "linux/cgroup.h"
#include "linux/netns.h"
#include "linux/process.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPollInterval = 5ms;
constexpr std::chrono::milliseconds kAgentPatience = 6s;
constexpr auto kKillPatience = 10s;
constexpr std::size_t kTailLines = 5;

Json texts(const std::vector<Prefix>& prefixes) {
  Json array = Json::array();
  for (const Prefix& prefix : prefixes) array.push_back(prefix.to_string());
  return array;
}

Result<> make_directories(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) return fail_errno("create " + directory, error.value());
  }
  return {};
}

// The agent's own account of why it is not there.
Failure agent_ended(const Lab& lab, const std::string& node) {
  return fail(fmt::format("{}: the agent has ended; its log, {}, says:\n{}", node,
                          lab.names.agent_log(node),
                          tail_of(lab.names.agent_log(node), kTailLines)));
}

// A node whose agent is waited for.
struct Awaited {
  std::string node{};
  bool written = false;
  std::string reason = "it was not asked in time";  // if not
};

// Asks whether the agent has written everything, which it is given a second of the `left` for.
Result<> ask(const Lab& lab, Awaited& awaited, std::chrono::milliseconds left) {
  const control::Request wait{"wait", {{"timeoutSeconds", std::int64_t{left > 1s ? 1 : 0}}}};
  const auto answer = control::ask_agent(lab.names.agent_socket(awaited.node), wait,
                                         std::min(left, kAgentPatience));
  awaited.written = answer.has_value();
  if (answer) return {};
  if (!agent_pid(lab, awaited.node)) return agent_ended(lab, awaited.node);
  awaited.reason = answer.error().message;  // maybe that it does not listen yet
  return {};
}

// Once each, as far as the time goes.
Result<> ask_all(const Lab& lab, std::vector<Awaited>& nodes, Clock::time_point deadline) {
  return in_parallel(nodes.size(), [&](std::size_t i) -> Result<> {
    WEFT_TRY(not_interrupted());
    const auto left = std::chrono::floor<std::chrono::milliseconds>(deadline - Clock::now());
    return left > 0ms ? ask(lab, nodes[i], left) : Result<>();
  });
}

Failure not_settled(const Lab& lab, const Awaited& awaited) {
  const std::string log = lab.names.agent_log(awaited.node);
  return fail(fmt::format("{}: the agent has not settled: {}; its log, {}, says:\n{}", awaited.node,
                          awaited.reason, log, tail_of(log, kTailLines)));
}

}  // namespace

Json node_object(const NodePlan& node) {
  Json addresses = Json::array();
  for (const IpAddress& address : node.addresses()) {
    addresses.push_back({{"type", "InternalIP"}, {"address", address.to_string()}});
  }
  addresses.push_back({{"type", "Hostname"}, {"address", node.name}});
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata", {{"name", node.name}, {"labels", {{"kubernetes.io/hostname", node.name}}}}},
          {"spec",
           {{"podCIDR", node.pod_cidrs.front().to_string()}, {"podCIDRs", texts(node.pod_cidrs)}}},
          {"status", {{"addresses", std::move(addresses)}}}};
}

Json agent_configuration(const Lab& lab, const NodePlan& node, const Json& overrides) {
  const LabNames& names = lab.names;
  Json spec = {{"nodeName", node.name},
               {"stateDirectory", names.agent_state_directory(node.name)},
               {"controlSocket", names.agent_socket(node.name)},
               {"manifestDirectory", names.manifests_directory()},
               {"clusterCIDRs", texts(cluster_cidrs(lab.settings))},
               {"serviceCIDRs", texts(service_cidrs(lab.settings))},
               {"podNetwork", {{"transport", lab.settings.transport}}},
               {"cni",
                {{"configurationDirectory", names.cni_configuration_directory(node.name)},
                 {"dataDirectory", names.cni_data_directory(node.name)}}},
               {"services", {{"backend", lab.settings.services}}}};
  spec.merge_patch(overrides);
  return {{"apiVersion", "weft.dev/v1alpha1"},
          {"kind", "AgentConfiguration"},
          {"spec", std::move(spec)}};
}

Result<> prepare_node(const Lab& lab, const NodePlan& node, const Json& overrides) {
  const LabNames& names = lab.names;
  WEFT_TRY(make_directories(
      {names.agent_state_directory(node.name), names.cni_configuration_directory(node.name),
       names.cni_data_directory(node.name), names.cni_cache_directory(node.name)}));
  return write_file(names.agent_config(node.name),
                    agent_configuration(lab, node, overrides).dump(2) + "\n");
}

Result<> start_agent(const Lab& lab, const std::string& node) {
  if (agent_pid(lab, node)) return fail(node + ": its agent runs already");
  const UniqueFd log(
      ::open(lab.names.agent_log(node).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log) return fail_errno(lab.names.agent_log(node));
  ProcessSpec spec;
  spec.argv = {own_binary(), "agent", "--config", lab.names.agent_config(node)};
  spec.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  spec.netns = named_netns_path(lab.names.node_netns(node));
  spec.cgroup = lab.names.agent_cgroup(lab.cgroup_mount, node);
  spec.new_session = true;
  spec.stdout_fd = log.get();
  spec.stderr_fd = log.get();
  WEFT_TRY(create_cgroup(spec.cgroup));
  WEFT_ASSIGN(const Process agent, start_process(spec), node);
  return write_file(lab.names.agent_pid_file(node), fmt::format("{}\n", agent.pid));
}

Result<> stop_agent(const Lab& lab, const std::string& node, std::chrono::milliseconds patience) {
  const std::string cgroup = lab.names.agent_cgroup(lab.cgroup_mount, node);
  if (const auto pid = agent_pid(lab, node)) ::kill(*pid, SIGTERM);
  const auto deadline = Clock::now() + patience;
  while (agent_pid(lab, node) && Clock::now() < deadline)
    std::this_thread::sleep_for(kPollInterval);
  WEFT_TRY(kill_cgroup(cgroup, kKillPatience));
  return remove_cgroup(cgroup);
}

std::optional<pid_t> agent_pid(const Lab& lab, const std::string& node) {
  const auto pids = cgroup_processes(lab.names.agent_cgroup(lab.cgroup_mount, node));
  if (pids.empty()) return std::nullopt;
  return pids.front();
}

Result<> wait_until_written(const Lab& lab, const std::vector<std::string>& nodes,
                            std::chrono::milliseconds timeout,
                            const std::function<void(std::size_t written)>& progress) {
  std::vector<Awaited> awaited;
  for (const std::string& node : nodes) awaited.push_back({node});
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    WEFT_TRY(ask_all(lab, awaited, deadline));
    std::erase_if(awaited, [](const Awaited& one) { return one.written; });
    if (progress) progress(nodes.size() - awaited.size());
    if (awaited.empty()) return {};
    if (Clock::now() >= deadline) return not_settled(lab, awaited.front());
    std::this_thread::sleep_for(kPollInterval);
  }
}

bool has_node(const Lab& lab, const std::string& node) {
  for (const NodePlan& plan : plan_nodes(lab.settings)) {
    if (plan.name == node) return true;
  }
  return false;
}

std::string tail_of(const std::string& path, std::size_t lines) {
  std::ifstream file(path);
  std::deque<std::string> last;
  for (std::string line; std::getline(file, line);) {
    last.push_back("    " + line);
    if (last.size() > lines) last.pop_front();
  }
  return fmt::format("{}", fmt::join(last, "\n"));
}

std::string own_binary() {
  constexpr const char* kSelf = "/proc/self/exe";
  std::error_code error;
  const fs::path path = fs::read_symlink(kSelf, error);
  return !error && fs::exists(path) ? path.string() : kSelf;
}

}  // namespace weft::lab
