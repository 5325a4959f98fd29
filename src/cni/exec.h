// SPDX-License-Identifier: Apache-2.0
//
// Executing a plugin: both the runtime (runtime.h) and a plugin that delegates to another
// (delegate.h) do it, the same way (SPEC.md, "Section 2: Execution Protocol").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cni/environment.h"
#include "cni/error.h"

namespace weft::cni {

// The first executable file of this name in the directories. Errors name the plugin and the path.
Outcome<std::string> find_executable(std::string_view type, const std::vector<std::string>& path);

// Runs it to its end and gives its stdout; its stderr goes to ours. `netns`: where it runs, "" =
// here. A failed plugin's error is the one it printed; `what` names it in an error that it did not
// print.
Outcome<std::string> execute_plugin(const std::string& executable, const Variables& variables,
                                    std::string_view input, const std::string& netns = {});

}  // namespace weft::cni
