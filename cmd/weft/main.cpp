// SPDX-License-Identifier: Apache-2.0
//
// weft: the agent and the tool in one binary. Argument parsing only; exit codes are 0 (good), 1
// (the check failed) and 2 (wrong use).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "agent_commands.h"
#include "lab_commands.h"

namespace {

constexpr int kWrongUse = 2;

int run(int argc, char** argv) {
  CLI::App app("Weft: a container network for Linux", "weft");
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  int exit_code = 0;
  add_agent_commands(app, exit_code);
  add_lab_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUse;  // --help and --version end here too
  }
  if (!app.get_subcommands().empty()) return exit_code;
  std::fputs(app.help().c_str(), stderr);
  return kWrongUse;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    // A bug of ours or no memory; everything else is a Result.
    std::fprintf(stderr, "weft: %s\n", error.what());
    return 1;
  }
}
