// SPDX-License-Identifier: Apache-2.0
#include "agent_commands.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "agent/report.h"
#include "agent/run.h"
#include "control/client.h"
#include "control/unix_address.h"

namespace {

using weft::agent::Report;

struct AskOptions {
  std::string socket{weft::control::kDefaultSocket};
  std::string output = "text";
  bool repair = false;
  int timeout_seconds = 30;
};

void print(const Report& report, int& exit_code) {
  std::fputs(report.text.c_str(), report.to_stderr ? stderr : stdout);
  exit_code = report.exit_code;
}

weft::control::Waiting waiting() {
  return {.tell = [](const std::string& sentence) {
    std::fprintf(stderr, "weft: %s\n", sentence.c_str());
  }};
}

std::shared_ptr<AskOptions> add_ask_options(CLI::App& command, bool has_output) {
  auto options = std::make_shared<AskOptions>();
  command.add_option("--socket", options->socket, "the agent's control socket")
      ->capture_default_str();
  if (has_output)
    command.add_option("-o,--output", options->output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
  return options;
}

}  // namespace

void add_agent_commands(CLI::App& app, int& exit_code) {
  CLI::App* const agent = app.add_subcommand("agent", "run this node's agent in the foreground");
  auto config = std::make_shared<std::string>();
  agent->add_option("--config", *config, "its configuration file (YAML or JSON)")->required();
  agent->callback([config, &exit_code] { exit_code = weft::agent::run(*config); });

  CLI::App* const status = app.add_subcommand("status", "what the agent says of itself");
  status->callback([options = add_ask_options(*status, true), &exit_code] {
    print(weft::agent::report_status(options->socket, options->output == "json"), exit_code);
  });

  CLI::App* const verify = app.add_subcommand(
      "verify", "read the kernel now and print where it is not what the model says (then exit 1)");
  const auto verify_options = add_ask_options(*verify, true);
  verify->add_flag("--repair", verify_options->repair, "mend it, and say what was wrong");
  verify->callback([options = verify_options, &exit_code] {
    const bool json = options->output == "json";
    print(options->repair ? weft::agent::report_repair(options->socket, json, waiting())
                          : weft::agent::report_verify(options->socket, json, waiting()),
          exit_code);
  });

  CLI::App* const wait = app.add_subcommand(
      "wait", "wait until the kernel has what the agent's sources hold now (else exit 1)");
  const auto wait_options = add_ask_options(*wait, false);
  wait->add_option("--timeout", wait_options->timeout_seconds, "seconds")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  wait->callback([options = wait_options, &exit_code] {
    const std::chrono::seconds patience(options->timeout_seconds);
    print(weft::agent::report_wait(options->socket, patience, waiting()), exit_code);
  });

  CLI::App* const uninstall = app.add_subcommand(
      "uninstall", "remove everything the agent put into the kernel, and end the agent");
  uninstall->callback([options = add_ask_options(*uninstall, false), &exit_code] {
    print(weft::agent::report_uninstall(options->socket, waiting()), exit_code);
  });
}
