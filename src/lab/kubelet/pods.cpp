// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/pods.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

#include "cni/runtime.h"
#include "lab/generated_names.h"
#include "lab/world/nodes.h"
#include "linux/cgroup.h"
#include "linux/file.h"
#include "linux/netlink/link.h"
#include "linux/netns.h"
#include "linux/process.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kKillPatience = 10s;

// The plugins lie beside the binary: build/bin/weft, build/cni/<plugin>; or where packages put
// them.
std::vector<std::string> plugin_directories() {
  return {fs::path(own_binary()).parent_path().parent_path() / "cni", "/opt/cni/bin"};
}

cni::Runtime runtime_of(const Lab& lab, const std::string& node) {
  cni::Runtime runtime;
  runtime.plugin_directories = plugin_directories();
  runtime.cache_directory = lab.names.cni_cache_directory(node);
  runtime.host_netns = named_netns_path(lab.names.node_netns(node));
  return runtime;
}

cni::Attachment attachment_of(const PodRecord& record) {
  cni::Attachment attachment;
  attachment.container_id = record.netns;
  attachment.netns = named_netns_path(record.netns);
  attachment.args = {{"IgnoreUnknown", "1"},
                     {"K8S_POD_NAMESPACE", record.name.name_space},
                     {"K8S_POD_NAME", record.name.name},
                     {"K8S_POD_INFRA_CONTAINER_ID", record.netns}};
  return attachment;
}

// An id that no namespace of the node has, the same on every run.
std::string free_id(const Lab& lab, const ObjectName& name, const std::string& node) {
  for (int attempt = 0;; ++attempt) {
    std::string id = hex_of(fmt::format("{} {} {}", name.to_string(), node, attempt));
    if (!fs::exists(lab.names.pod_record(id)) &&
        !fs::exists(named_netns_path(lab.names.pod_netns(node, id)))) {
      return id;
    }
  }
}

PodRecord make_record(const Lab& lab, const Json& pod, const PodSpec& spec) {
  PodRecord record;
  record.name = name_of(pod);
  record.node = node_of(pod);
  record.id = free_id(lab, record.name, record.node);
  record.host_network = spec.host_network;
  record.netns = spec.host_network ? lab.names.node_netns(record.node)
                                   : lab.names.pod_netns(record.node, record.id);
  record.hostname = spec.host_network       ? record.node
                    : spec.hostname.empty() ? record.name.name
                                            : spec.hostname;
  record.hostname.resize(std::min<std::size_t>(record.hostname.size(), 63));  // as the kubelet does
  record.cgroup = lab.names.pod_cgroup(lab.cgroup_mount, record.node, record.id);
  record.state_file = lab.names.pod_state(record.id);
  record.log_file = lab.names.pod_log(record.name.name_space, record.name.name);
  return record;
}

Result<> write_record(const Lab& lab, const PodRecord& record) {
  return write_file(lab.names.pod_record(record.id), to_json(record));
}

NodePlan node_plan(const Lab& lab, const std::string& node) {
  for (const NodePlan& plan : plan_nodes(lab.settings)) {
    if (plan.name == node) return plan;
  }
  return {};
}

// The node's addresses in the families that pods have.
std::vector<IpAddress> node_ips(const Lab& lab, const std::string& node) {
  std::vector<IpAddress> ips = node_plan(lab, node).addresses();
  std::erase_if(ips, [&](const IpAddress& ip) { return !lab.settings.has(ip.family()); });
  return ips;
}

// The default family's address first, as status.podIPs has it.
std::vector<IpAddress> in_order(const Lab& lab, const cni::CniResult& result) {
  std::vector<IpAddress> ips;
  for (const IpFamily family : lab.settings.families()) {
    for (const cni::IpConfig& ip : result.ips) {
      if (ip.address.family() == family) ips.push_back(ip.address.address);
    }
  }
  return ips;
}

Result<> bring_up_loopback(const Netns& netns) {
  WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_ROUTE, netns));
  netlink::Link loopback;
  loopback.name = "lo";
  loopback.up = true;
  netlink::Batch batch;
  netlink::put_link_change(batch, loopback);
  return socket.run(batch);
}

Result<std::vector<IpAddress>> wire(const Lab& lab, const PodRecord& record) {
  if (record.host_network) return node_ips(lab, record.node);
  WEFT_ASSIGN(const Netns netns, create_named_netns(record.netns));
  WEFT_TRY(bring_up_loopback(netns), "loopback");
  WEFT_ASSIGN(const auto list,
              cni::first_configuration_list(lab.names.cni_configuration_directory(record.node)));
  WEFT_ASSIGN(const cni::CniResult result,
              runtime_of(lab, record.node).add(list, attachment_of(record)));
  return in_order(lab, result);
}

std::vector<std::string> expanded(const std::vector<std::string>& words,
                                  const Variables& variables) {
  std::vector<std::string> result;
  for (const std::string& word : words) result.push_back(expand(word, variables));
  return result;
}

PodRecord::Command command_of(const Container& container, bool init, const Json& pod,
                              const std::string& host_ip, const Variables& services) {
  const Variables variables = container_variables(container, pod, host_ip, services);
  PodRecord::Command command{container.name,
                             init,
                             expanded(container.command, variables),
                             {},
                             container.working_directory};
  for (const auto& [name, value] : variables)
    command.env.push_back(fmt::format("{}={}", name, value));
  return command;
}

void add_commands(const Lab& lab, const Json& pod, const PodSpec& spec, const Variables& services,
                  PodRecord& record) {
  const std::vector<IpAddress> ips = node_ips(lab, record.node);
  const std::string host_ip = ips.empty() ? std::string() : ips.front().to_string();
  for (const Container& container : spec.init_containers) {
    record.commands.push_back(command_of(container, true, pod, host_ip, services));
  }
  for (const Container& container : spec.containers) {
    record.commands.push_back(command_of(container, false, pod, host_ip, services));
  }
}

// What the supervisor says before it closes its stdout; nothing when the containers run.
std::string read_to_end(const UniqueFd& fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t length = ::read(fd.get(), buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(length));
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<> start_supervisor(const Lab& lab, const PodRecord& record) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  ProcessSpec spec;
  spec.argv = {own_binary(), "lab", "supervise", lab.names.pod_record(record.id)};
  spec.netns = named_netns_path(record.netns);
  spec.cgroup = record.cgroup;
  spec.new_session = true;
  spec.stdout_fd = writer.get();
  WEFT_TRY(create_cgroup(record.cgroup));
  WEFT_ASSIGN(const Process supervisor, start_process(spec));
  writer.reset();
  if (std::string problem = read_to_end(reader); !problem.empty()) {
    [[maybe_unused]] const auto status = wait_for(supervisor);
    return fail(std::move(problem));
  }
  return {};
}

Json with_ips(Json pod, const std::vector<IpAddress>& ips) {
  pod["status"]["podIPs"] = Json::array();
  for (const IpAddress& ip : ips) pod["status"]["podIPs"].push_back({{"ip", ip.to_string()}});
  return pod;
}

Result<std::vector<IpAddress>> wire_and_start(const Lab& lab, const Json& pod, const PodSpec& spec,
                                              const Variables& services, PodRecord& record) {
  WEFT_TRY(write_record(lab, record));
  WEFT_ASSIGN(std::vector<IpAddress> ips, wire(lab, record));
  add_commands(lab, with_ips(pod, ips), spec, services, record);
  WEFT_TRY(write_record(lab, record));
  WEFT_TRY(start_supervisor(lab, record));
  return ips;
}

}  // namespace

Result<StartedPod> start_pod(const Lab& lab, const Json& pod, const Variables& services) {
  WEFT_ASSIGN(const PodSpec spec, decode_pod_spec(document_of(pod), "/spec"));
  PodRecord record = make_record(lab, pod, spec);
  auto ips = wire_and_start(lab, pod, spec, services, record);
  if (ips) return StartedPod{std::move(record), std::move(*ips)};
  [[maybe_unused]] const auto removed = remove_pod(lab, record);
  return Failure(std::move(ips.error()));
}

Result<> remove_pod(const Lab& lab, const PodRecord& record) {
  const std::string context = "remove pod " + record.name.to_string();
  WEFT_TRY(kill_cgroup(record.cgroup, kKillPatience), context);
  if (!record.host_network) {
    const auto list =
        cni::first_configuration_list(lab.names.cni_configuration_directory(record.node));
    if (list) WEFT_TRY(runtime_of(lab, record.node).del(*list, attachment_of(record)), context);
    WEFT_TRY(remove_named_netns(record.netns), context);
  }
  WEFT_TRY(remove_cgroup(record.cgroup), context);
  std::error_code ignored;
  fs::remove(record.state_file, ignored);
  fs::remove(lab.names.pod_record(record.id), ignored);
  return {};
}

PodState state_of(const PodRecord& record) {
  PodState state;
  const auto text = read_file(record.state_file);
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  const std::vector<pid_t> alive = cgroup_processes(record.cgroup);
  state.problem = json.is_object() ? text_at(json, "/problem") : "it was never started";
  if (!state.problem.empty()) return state;
  state.running = !alive.empty();
  state.initializing = !json.contains("containers");
  for (const Json& container : json.value("containers", Json::array())) {
    const pid_t pid = container.value("pid", 0);
    if (std::find(alive.begin(), alive.end(), pid) != alive.end()) {
      if (state.pid == 0) state.pid = pid;
      continue;
    }
    state.running = false;
    if (!state.exit_code && container.contains("exitCode")) {
      state.exit_code = container["exitCode"].get<int>();
    }
  }
  return state;
}

}  // namespace weft::lab
