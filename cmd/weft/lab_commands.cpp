// SPDX-License-Identifier: Apache-2.0
#include "lab_commands.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "lab/check/check.h"
#include "lab/kubelet/exec.h"
#include "lab/kubelet/supervisor.h"
#include "lab/lifecycle.h"
#include "lab/status.h"
#include "lab/world/nodes.h"
#include "traffic/server.h"

namespace {

using weft::Result;
using weft::lab::Json;
using weft::lab::Progress;

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;
constexpr std::chrono::seconds kAgentPatience{5};

using LabName = std::shared_ptr<std::string>;

struct Options {
  LabName name{};
  std::vector<std::string> files{};
  std::string output = "text";
  int timeout_seconds = 120;
  std::chrono::milliseconds timeout() const { return std::chrono::seconds(timeout_seconds); }
  bool json() const { return output == "json"; }
};
using SharedOptions = std::shared_ptr<Options>;

int report(const Result<>& result, int on_error = kFailed) {
  if (result) return 0;
  std::fprintf(stderr, "weft: %s\n", result.error().message.c_str());
  return on_error;
}

void print_json(const Json& json) { std::printf("%s\n", json.dump(2).c_str()); }

// `--name` may stand anywhere behind `lab`.
void add_name(CLI::App& command, const LabName& name) {
  command.add_option("--name", *name, "the lab")->capture_default_str();
}

SharedOptions with_name(CLI::App& command, const LabName& name) {
  auto options = std::make_shared<Options>();
  options->name = name;
  add_name(command, name);
  return options;
}

void with_output(CLI::App& command, const SharedOptions& options) {
  command.add_option("-o,--output", options->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

void with_timeout(CLI::App& command, const SharedOptions& options) {
  command.add_option("--timeout", options->timeout_seconds, "seconds to wait until pods are ready")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
}

void with_files(CLI::App& command, const SharedOptions& options, bool required) {
  command
      .add_option("-f,--filename", options->files,
                  "manifests: a YAML or JSON file, a directory, or -")
      ->required(required)
      ->allow_extra_args(false);
}

// ---- up ----

struct UpArguments {
  weft::lab::UpOptions options{};
  std::string fabric{};
  std::string agent_config{};
};

int run_up(UpArguments& arguments, const Options& common) {
  weft::lab::UpOptions& options = arguments.options;
  options.settings.name = *common.name;
  options.manifests = common.files;
  options.timeout = common.timeout();
  if (!arguments.fabric.empty()) {
    const auto fabric = weft::lab::parse_fabric(arguments.fabric);
    if (!fabric) return report(weft::Failure(fabric.error()), kWrongUse);
    options.settings.fabric = *fabric;
  } else if (options.settings.nodes > weft::lab::kMostSwitchedNodes) {
    options.settings.fabric = weft::lab::Fabric::kRouter;
  }
  if (const auto checked = weft::lab::check(options.settings); !checked)
    return report(checked, kWrongUse);
  if (!arguments.agent_config.empty()) {
    const auto spec = weft::lab::read_agent_spec(arguments.agent_config);
    if (!spec) return report(weft::Failure(spec.error()), kWrongUse);
    options.agent_spec = *spec;
  }
  Progress progress;
  return report(weft::lab::up(options, progress));
}

void add_up(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const command =
      lab.add_subcommand("up", "make a cluster of nodes, each with its agent");
  const SharedOptions common = with_name(*command, name);
  auto arguments = std::make_shared<UpArguments>();
  weft::lab::Settings& settings = arguments->options.settings;
  command->add_option("--nodes", settings.nodes, "how many")->capture_default_str();
  command->add_option("--ip-family", settings.ip_family, "of pods and Services: ipv4, ipv6 or dual")
      ->capture_default_str();
  command->add_option("--transport", settings.transport, "between nodes: vxlan or direct")
      ->capture_default_str();
  command->add_option("--fabric", arguments->fabric,
                      "what joins the nodes: switch (the default up to 24 nodes) or router");
  command->add_option("--services", settings.services, "the Service back end: nftables")
      ->capture_default_str();
  command->add_option("--agent-config", arguments->agent_config,
                      "fields to merge over every agent's configuration (YAML or JSON)");
  with_files(*command, common, false);
  with_timeout(*command, common);
  command->callback([arguments, common, &exit_code] { exit_code = run_up(*arguments, *common); });
}

// ---- apply, delete ----

void add_apply(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const command =
      lab.add_subcommand("apply", "apply manifests and wait until their pods are ready");
  const SharedOptions options = with_name(*command, name);
  with_files(*command, options, true);
  with_timeout(*command, options);
  command->callback([options, &exit_code] {
    Progress progress;
    exit_code =
        report(weft::lab::apply(*options->name, options->files, options->timeout(), progress));
  });
}

void add_delete(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const command = lab.add_subcommand("delete", "delete what manifests name");
  const SharedOptions options = with_name(*command, name);
  with_files(*command, options, true);
  with_timeout(*command, options);
  command->callback([options, &exit_code] {
    Progress progress;
    exit_code =
        report(weft::lab::remove(*options->name, options->files, options->timeout(), progress));
  });
}

// ---- status, list, check ----

Result<> show_status(const Options& options) {
  WEFT_ASSIGN(const auto lab, weft::lab::open_lab(*options.name));
  WEFT_ASSIGN(const Json status, weft::lab::status_json(lab));
  options.json() ? print_json(status) : weft::lab::print_status(status);
  return {};
}

void add_status(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const command =
      lab.add_subcommand("status", "nodes, pods and Services as they are now");
  const SharedOptions options = with_name(*command, name);
  with_output(*command, options);
  command->callback([options, &exit_code] { exit_code = report(show_status(*options)); });
}

void add_list(CLI::App& lab) {
  CLI::App* const command = lab.add_subcommand("list", "all labs on this machine");
  auto options = std::make_shared<Options>();
  with_output(*command, options);
  command->callback([options] {
    const Json list = weft::lab::list_json();
    options->json() ? print_json(list) : weft::lab::print_list(list);
  });
}

int run_check(const Options& options) {
  Progress progress;
  const auto outcome = weft::lab::check_lab(*options.name, progress);
  if (!outcome) return report(weft::Failure(outcome.error()));
  options.json() ? print_json(weft::lab::to_json(*outcome)) : weft::lab::print(*outcome);
  return outcome->failed() == 0 ? 0 : kFailed;
}

void add_check(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const command = lab.add_subcommand(
      "check", "send packets over every kind of path with probe pods; exit 1 naming what fails");
  const SharedOptions options = with_name(*command, name);
  with_output(*command, options);
  command->callback([options, &exit_code] { exit_code = run_check(*options); });
}

// ---- down ----

int down_all(Progress& progress) {
  int exit_code = 0;
  for (const std::string& name : weft::lab::lab_names()) {
    if (report(weft::lab::down(name, progress)) != 0) exit_code = kFailed;
  }
  return exit_code;
}

void add_down(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const command = lab.add_subcommand(
      "down", "remove a lab, whole or half made, and check that nothing is left");
  const SharedOptions options = with_name(*command, name);
  auto all = std::make_shared<bool>(false);
  command->add_flag("--all", *all, "every lab on this machine");
  command->callback([options, all, &exit_code] {
    Progress progress;
    exit_code = *all ? down_all(progress) : report(weft::lab::down(*options->name, progress));
  });
}

// ---- exec ----

struct ExecArguments {
  std::string name_space = "default";
  std::string node{};
  std::string pod{};
  std::vector<std::string> command{};
};

// With --node there is no POD: what was taken for it is the command's first word.
Result<int> run_exec(const Options& options, ExecArguments arguments) {
  WEFT_ASSIGN(const auto lab, weft::lab::open_lab(*options.name));
  if (arguments.node.empty()) {
    return weft::lab::exec_in_pod(lab, {arguments.name_space, arguments.pod}, arguments.command);
  }
  arguments.command.insert(arguments.command.begin(), arguments.pod);
  return weft::lab::exec_on_node(lab, arguments.node, arguments.command);
}

void add_exec(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const command =
      lab.add_subcommand("exec", "run a command in a pod, or on a node (in its network namespace)");
  command->footer(
      "weft lab exec [-n NAMESPACE] POD -- CMD...\nweft lab exec --node NODE -- CMD...");
  const SharedOptions options = with_name(*command, name);
  auto arguments = std::make_shared<ExecArguments>();
  command->add_option("-n,--namespace", arguments->name_space, "the pod's")->capture_default_str();
  command->add_option("--node", arguments->node, "on this node, not in a pod");
  command->add_option("pod", arguments->pod, "the pod; with --node, none")->required();
  command->add_option("command", arguments->command, "what to run, behind --");
  command->callback([options, arguments, &exit_code] {
    if (arguments->node.empty() && arguments->command.empty()) throw CLI::RequiredError("command");
    const auto status = run_exec(*options, *arguments);
    exit_code = status ? *status : report(weft::Failure(status.error()));
  });
}

// ---- agent start, agent stop ----

Result<> change_agent(const Options& options, const std::string& node, bool start) {
  WEFT_ASSIGN(const auto lab, weft::lab::open_lab(*options.name));
  WEFT_ASSIGN(const auto lock, weft::lab::lock_lab(lab.names));
  if (!weft::lab::has_node(lab, node)) return weft::fail("there is no node " + node);
  if (!start) return weft::lab::stop_agent(lab, node, kAgentPatience);
  WEFT_TRY(weft::lab::start_agent(lab, node));
  return weft::lab::wait_until_written(lab, {node}, options.timeout());
}

void add_agent(CLI::App& lab, const LabName& name, int& exit_code) {
  CLI::App* const agent = lab.add_subcommand("agent", "start or stop a node's agent");
  agent->require_subcommand(1);
  add_name(*agent, name);
  for (const bool start : {true, false}) {
    CLI::App* const command =
        start ? agent->add_subcommand("start", "start it and wait until it has settled")
              : agent->add_subcommand("stop", "end it; what it put into the kernel stays");
    const SharedOptions options = with_name(*command, name);
    auto node = std::make_shared<std::string>();
    command->add_option("node", *node, "the node")->required();
    if (start) with_timeout(*command, options);
    command->callback([options, node, start, &exit_code] {
      exit_code = report(change_agent(*options, *node, start));
    });
  }
}

// ---- what the lab runs itself ----

void add_supervise(CLI::App& lab, int& exit_code) {
  CLI::App* const command = lab.add_subcommand("supervise", "run a pod's containers")->group("");
  auto record = std::make_shared<std::string>();
  command->add_option("record", *record)->required();
  command->callback([record, &exit_code] {
    const auto done = weft::lab::supervise(*record);
    if (done) return;
    std::printf("%s\n", done.error().message.c_str());  // whoever started us reads our stdout
    exit_code = kFailed;
  });
}

// Until the process ends.
weft::Result<> serve_probes(const std::string& name, std::uint16_t port) {
  WEFT_ASSIGN(const weft::traffic::Server server, weft::traffic::Server::open(name, port));
  return server.serve();
}

void add_probe_server(CLI::App& lab, int& exit_code) {
  CLI::App* const command =
      lab.add_subcommand("probe-server", "answer the lab's own probes")->group("");
  auto name = std::make_shared<std::string>();
  auto port = std::make_shared<std::uint16_t>(std::uint16_t{0});
  command->add_option("--name", *name)->required();
  command->add_option("--port", *port)->required();
  command->callback([name, port, &exit_code] { exit_code = report(serve_probes(*name, *port)); });
}

}  // namespace

void add_lab_commands(CLI::App& app, int& exit_code) {
  CLI::App* const lab =
      app.add_subcommand("lab", "a cluster of network namespaces on this machine");
  lab->require_subcommand(1);
  const auto name = std::make_shared<std::string>("lab");
  add_name(*lab, name);
  add_up(*lab, name, exit_code);
  add_apply(*lab, name, exit_code);
  add_delete(*lab, name, exit_code);
  add_status(*lab, name, exit_code);
  add_list(*lab);
  add_check(*lab, name, exit_code);
  add_exec(*lab, name, exit_code);
  add_agent(*lab, name, exit_code);
  add_down(*lab, name, exit_code);
  add_supervise(*lab, exit_code);
  add_probe_server(*lab, exit_code);
}
