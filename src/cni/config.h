// SPDX-License-Identifier: Apache-2.0
//
// The network configuration a plugin gets on stdin: the keys all plugins share, checked, and the
// whole object for the plugin's own keys (SPEC.md, "Section 1: Network configuration format").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cni/json.h"
#include "cni/result.h"

namespace weft::cni {

struct NetworkConfig {
  std::string cni_version{};  // "" in the input is 0.1.0
  std::string name{};
  std::string type{};
  std::optional<CniResult> prev_result{};
  Json json{};
};

// Errors: code 6 (not JSON, wrong types), 7 (name missing or ill-formed), 1 (version).
Outcome<NetworkConfig> decode_config(std::string_view text);

// The configuration's version, where `text` says one that is supported, for the answer to bad
// input.
std::string version_of(std::string_view text);

}  // namespace weft::cni
