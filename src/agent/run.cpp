// SPDX-License-Identifier: Apache-2.0
#include "agent/run.h"

#include <csignal>

#include "agent/agent.h"
#include "agent/config.h"
#include "log/log.h"
#include "loop/loop.h"

namespace weft::agent {
namespace {

Result<> serve(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever read our log may go; the node's network may not
  WEFT_ASSIGN(loop::Loop loop, loop::Loop::open());
  WEFT_ASSIGN(const std::unique_ptr<Agent> agent, Agent::start(loop, config));
  log::info("agent", "started", {{"node", config.node_name}, {"socket", config.control_socket}});
  loop.run();
  log::info("agent", "stopped; what it wrote stays unless it was uninstalled");
  return {};
}

}  // namespace

int run(const std::string& config_path) {
  const Result<Config> config = load_config(config_path);
  if (!config) {
    log::error("agent", "wrong configuration", {{"error", config.error()}});
    return 2;
  }
  log::set_level(config->log_level);
  if (const Result<> served = serve(*config); !served) {
    log::error("agent", "cannot start", {{"error", served.error()}});
    return 1;
  }
  return 0;
}

}  // namespace weft::agent
