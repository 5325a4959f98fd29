// SPDX-License-Identifier: Apache-2.0
//
// From the process's arguments to a plugin and back: what every plugin's main does. The binary is
// hard-linked under each plugin's name; argv[0]'s last part chooses the plugin, CNI_COMMAND the
// verb. Results and errors go to stdout (an error with exit status 1), everything else to stderr.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "cni/plugin.h"

namespace weft::cni {

struct Response {
  std::string out{};  // for stdout
  std::string err{};  // for stderr
  int status = 0;
};

// `program`: argv[0]. `read_input` gives stdin; it is not called where the verb takes none, or when
// the environment is refused.
Response respond(std::span<const Plugin> plugins, std::string_view program,
                 const Variables& variables,
                 const std::function<Result<std::string>()>& read_input);

// respond() on this process's own argv, environ, stdin and stdout. Returns the exit status.
int run(std::span<const Plugin> plugins, const char* program, const char* const* environ);

}  // namespace weft::cni
