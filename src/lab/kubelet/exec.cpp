// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/exec.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "lab/kubelet/pods.h"
#include "linux/netns.h"
#include "linux/process.h"

namespace weft::lab {
namespace {

// What the terminal sends (^C, ^\) is the command's to handle: it is in our process group.
class LeaveSignalsToTheCommand {
 public:
  LeaveSignalsToTheCommand() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGINT, &ignore, &interrupt_);
    ::sigaction(SIGQUIT, &ignore, &quit_);
  }
  ~LeaveSignalsToTheCommand() {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGQUIT, &quit_, nullptr);
  }
  LeaveSignalsToTheCommand(const LeaveSignalsToTheCommand&) = delete;
  LeaveSignalsToTheCommand& operator=(const LeaveSignalsToTheCommand&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction quit_ {};
};

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

Result<int> run_here(ProcessSpec spec) {
  spec.stdin_fd = STDIN_FILENO;
  spec.stdout_fd = STDOUT_FILENO;
  spec.stderr_fd = STDERR_FILENO;
  const LeaveSignalsToTheCommand guard;
  WEFT_ASSIGN(const Process process, start_process(spec));
  return wait_for(process);
}

// The container's variables, and the caller's terminal type.
std::vector<std::string> environment_in(const PodRecord& record) {
  std::vector<std::string> variables;
  for (const PodRecord::Command& command : record.commands) {
    if (command.init) continue;
    variables = command.env;
    break;
  }
  for (const std::string& variable : own_environment()) {
    if (variable.starts_with("TERM=")) variables.push_back(variable);
  }
  return variables;
}

}  // namespace

Result<int> exec_in_pod(const Lab& lab, const model::ObjectName& pod,
                        const std::vector<std::string>& command) {
  WEFT_ASSIGN(const auto records, load_records(lab));
  const auto record = records.find(pod);
  if (record == records.end()) {
    return fail(fmt::format("there is no pod {} in lab \"{}\"", pod.to_string(), lab.names.lab()));
  }
  const PodState state = state_of(record->second);
  if (state.pid == 0) return fail(fmt::format("pod {} does not run", pod.to_string()));
  ProcessSpec spec;
  spec.argv = command;
  spec.env = environment_in(record->second);
  spec.namespaces_of = state.pid;
  spec.cgroup = record->second.cgroup;
  spec.working_directory.assign(1, '/');
  return run_here(std::move(spec));
}

Result<int> exec_on_node(const Lab& lab, const std::string& node,
                         const std::vector<std::string>& command) {
  const std::string netns = named_netns_path(lab.names.node_netns(node));
  if (::access(netns.c_str(), F_OK) != 0) {
    return fail(fmt::format("there is no node {} in lab \"{}\"", node, lab.names.lab()));
  }
  ProcessSpec spec;
  spec.argv = command;
  spec.env = own_environment();
  spec.netns = netns;
  return run_here(std::move(spec));
}

}  // namespace weft::lab
