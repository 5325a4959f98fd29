// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lab/control_plane/objects.h"
#include "lab/kubelet/pod_record.h"
#include "linux/file.h"
#include "linux/process.h"

namespace weft::lab {
namespace {

struct RunningContainer {
  std::string name{};
  Process process{};
  std::optional<int> exit_code{};
};

ProcessSpec process_spec(const PodRecord& record, const PodRecord::Command& command, int log) {
  ProcessSpec spec;
  spec.argv = command.argv;
  spec.env = command.env;
  spec.working_directory = command.working_directory;
  spec.hostname = record.hostname;
  spec.new_mount_namespace = true;
  spec.new_pid_namespace = true;
  spec.new_session = true;
  spec.tmpfs = {"/run", "/tmp", "/var/log"};
  spec.stdout_fd = log;
  spec.stderr_fd = log;
  return spec;
}

Result<> run_init_container(const PodRecord& record, const PodRecord::Command& command, int log) {
  WEFT_ASSIGN(const Process process, start_process(process_spec(record, command, log)));
  WEFT_ASSIGN(const int status, wait_for(process));
  if (status != 0) return fail(fmt::format("ended with exit code {}", status));
  return {};
}

Result<std::vector<RunningContainer>> start_containers(const PodRecord& record, int log) {
  std::vector<RunningContainer> containers;
  for (const PodRecord::Command& command : record.commands) {
    const std::string context = "container " + command.name;
    if (command.init) {
      WEFT_TRY(run_init_container(record, command, log), "init " + context);
      continue;
    }
    WEFT_ASSIGN(Process process, start_process(process_spec(record, command, log)), context);
    containers.push_back({command.name, std::move(process), std::nullopt});
  }
  return containers;
}

bool has_init_containers(const PodRecord& record) {
  return std::any_of(record.commands.begin(), record.commands.end(),
                     [](const PodRecord::Command& command) { return command.init; });
}

Result<> write_state(const PodRecord& record, const std::vector<RunningContainer>& containers) {
  Json state = {{"containers", Json::array()}};
  for (const RunningContainer& container : containers) {
    Json entry = {{"name", container.name}, {"pid", container.process.pid}};
    if (container.exit_code) entry["exitCode"] = *container.exit_code;
    state["containers"].push_back(std::move(entry));
  }
  return write_file(record.state_file, state.dump() + "\n");
}

Result<> wait_for_all(const PodRecord& record, std::vector<RunningContainer>& containers) {
  for (;;) {
    std::vector<pollfd> ended;
    std::vector<RunningContainer*> of;
    for (RunningContainer& container : containers) {
      if (container.exit_code) continue;
      ended.push_back({container.process.pidfd.get(), POLLIN, 0});
      of.push_back(&container);
    }
    if (ended.empty()) return {};
    if (::poll(ended.data(), ended.size(), -1) < 0 && errno != EINTR) return fail_errno("poll");
    for (std::size_t i = 0; i < ended.size(); ++i) {
      if (ended[i].revents == 0) continue;
      WEFT_ASSIGN(of[i]->exit_code, wait_for(of[i]->process));
    }
    WEFT_TRY(write_state(record, containers));
  }
}

// Whoever started us reads until the end of our stdout.
void say_started() {
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ::dup2(null.get(), STDOUT_FILENO);
}

}  // namespace

Result<> supervise(const std::string& record_file) {
  WEFT_ASSIGN(const std::string text, read_file(record_file));
  WEFT_ASSIGN(const PodRecord record, record_from_json(text), record_file);
  const UniqueFd log(
      ::open(record.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log) return fail_errno(record.log_file);
  if (has_init_containers(record)) {
    WEFT_TRY(write_file(record.state_file, "{}\n"));
    say_started();
  }
  auto containers = start_containers(record, log.get());
  if (!containers) {
    WEFT_TRY(
        write_file(record.state_file, Json{{"problem", containers.error().message}}.dump() + "\n"));
    return Failure(std::move(containers.error()));
  }
  WEFT_TRY(write_state(record, *containers));
  say_started();
  return wait_for_all(record, *containers);
}

}  // namespace weft::lab
