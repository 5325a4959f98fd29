// SPDX-License-Identifier: Apache-2.0
//
// A plugin's parameters from its environment (SPEC.md, "Section 2: Execution Protocol",
// "Parameters"): which are needed for which verb, and what they may look like. Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cni/error.h"

namespace weft::cni {

enum class Verb { kAdd, kDel, kCheck, kGc, kStatus, kVersion };
std::string_view to_string(Verb verb);

// Environment variables by name.
using Variables = std::map<std::string, std::string, std::less<>>;
Variables variables_of(const char* const* environ);
std::vector<std::string> to_strings(const Variables& variables);  // "NAME=value"

struct Environment {
  Verb verb = Verb::kVersion;
  std::string container_id{};
  std::string netns{};
  std::string ifname{};
  std::string args{};               // CNI_ARGS, undecoded
  std::vector<std::string> path{};  // CNI_PATH's directories
  bool netns_override = false;      // the plugin's own namespace is meant
};

// Errors have code 4 and name the variables.
Outcome<Environment> decode_environment(const Variables& variables);

// The rules for names, as the reference checks them; "" when good, otherwise what is wrong.
std::string container_id_fault(std::string_view container_id);
std::string network_name_fault(std::string_view name);
std::string ifname_fault(std::string_view ifname);

// CNI_ARGS: "KEY=value;KEY=value". A key not in `known` is an error (code 4) unless IgnoreUnknown
// is true among them.
using Arguments = std::map<std::string, std::string, std::less<>>;
Outcome<Arguments> decode_arguments(std::string_view text, std::span<const std::string_view> known);

}  // namespace weft::cni
