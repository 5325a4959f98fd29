// SPDX-License-Identifier: Apache-2.0
//
// A network configuration list as a runtime reads it (SPEC.md, "Section 1"), with libcni's
// leniences; the configuration that one plugin gets is config.h's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::cni {

// One plugin of a list: its type, the capabilities it declares, and its object as JSON text.
struct PluginEntry {
  std::string type{};
  std::vector<std::string> capabilities{};
  std::string json{};
};

struct ConfigurationList {
  std::string name{};
  std::string cni_version{};  // of cniVersion and cniVersions, the highest that we speak
  bool disable_check = false;
  bool disable_gc = false;
  std::vector<PluginEntry> plugins{};
  std::string json{};  // the whole file
};

// Errors name the file, and field and value.
Result<ConfigurationList> parse_configuration_list(std::string_view text);
Result<ConfigurationList> load_configuration_list(const std::string& path);
// The first *.conflist by name; an error when there is none.
Result<ConfigurationList> first_configuration_list(const std::string& directory);

}  // namespace weft::cni
