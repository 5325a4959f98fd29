// SPDX-License-Identifier: Apache-2.0
#include "cni/environment.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace weft::cni {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 6> kVerbs = {{
    {"ADD", Verb::kAdd},
    {"DEL", Verb::kDel},
    {"CHECK", Verb::kCheck},
    {"GC", Verb::kGc},
    {"STATUS", Verb::kStatus},
    {"VERSION", Verb::kVersion},
}};
constexpr std::size_t kLongestIfname = 15;  // IFNAMSIZ less its terminating zero

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<Verb> verb_of(std::string_view text) {
  for (const auto& [name, verb] : kVerbs) {
    if (name == text) return verb;
  }
  return std::nullopt;
}

// In the order in which the reference names what is missing.
std::vector<std::string_view> required(Verb verb) {
  switch (verb) {
    case Verb::kAdd:
    case Verb::kCheck:
      return {"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"};
    case Verb::kDel:
      return {"CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"};
    case Verb::kGc:
    case Verb::kStatus:
      return {"CNI_PATH"};
    case Verb::kVersion:
      return {};
  }
  return {};
}

std::string value_of(const Variables& variables, std::string_view name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string() : found->second;
}

bool is_true(std::string_view text) {
  return text == "1" || ::strcasecmp(std::string(text).c_str(), "true") == 0;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

CniFailure bad(std::string_view variable, std::string_view value, const std::string& fault) {
  return fail(ErrorCode::kInvalidEnvironment,
              std::string(variable) + "=" + std::string(value) + ": " + fault);
}

Outcome<> check_names(const Environment& environment) {
  if (const std::string fault = container_id_fault(environment.container_id); !fault.empty())
    return bad("CNI_CONTAINERID", environment.container_id, fault);
  if (const std::string fault = ifname_fault(environment.ifname); !fault.empty())
    return bad("CNI_IFNAME", environment.ifname, fault);
  return {};
}

}  // namespace

std::string_view to_string(Verb verb) {
  for (const auto& [name, value] : kVerbs) {
    if (value == verb) return name;
  }
  return "";
}

Variables variables_of(const char* const* environ) {
  Variables variables;
  for (; *environ != nullptr; ++environ) {
    const std::string_view text = *environ;
    const std::size_t end = text.find('=');
    if (end != std::string_view::npos) variables.emplace(text.substr(0, end), text.substr(end + 1));
  }
  return variables;
}

std::vector<std::string> to_strings(const Variables& variables) {
  std::vector<std::string> strings;
  strings.reserve(variables.size());
  for (const auto& [name, value] : variables) {
    std::string& string = strings.emplace_back(name);
    string.append("=").append(value);
  }
  return strings;
}

Outcome<Environment> decode_environment(const Variables& variables) {
  const std::string command = value_of(variables, "CNI_COMMAND");
  if (command.empty())
    return fail(ErrorCode::kInvalidEnvironment, "required env variables [CNI_COMMAND] missing");
  const std::optional<Verb> verb = verb_of(command);
  if (!verb) return fail(ErrorCode::kInvalidEnvironment, "unknown CNI_COMMAND: " + command);

  std::string missing;
  for (const std::string_view name : required(*verb)) {
    if (value_of(variables, name).empty()) missing.append(missing.empty() ? "" : ",").append(name);
  }
  if (!missing.empty())
    return fail(ErrorCode::kInvalidEnvironment, "required env variables [" + missing + "] missing");

  Environment environment{*verb,
                          value_of(variables, "CNI_CONTAINERID"),
                          value_of(variables, "CNI_NETNS"),
                          value_of(variables, "CNI_IFNAME"),
                          value_of(variables, "CNI_ARGS"),
                          {},
                          is_true(value_of(variables, "CNI_NETNS_OVERRIDE"))};
  const std::string path = value_of(variables, "CNI_PATH");
  for (const std::string_view directory : split(path, ':')) {
    if (!directory.empty()) environment.path.emplace_back(directory);
  }
  if (*verb == Verb::kAdd || *verb == Verb::kDel || *verb == Verb::kCheck)
    CNI_TRY(check_names(environment));
  return environment;
}

std::string container_id_fault(std::string_view container_id) {
  if (container_id.empty()) return "missing container id";
  return is_name(container_id) ? "" : "invalid characters in container id";
}

std::string network_name_fault(std::string_view name) {
  if (name.empty()) return "missing network name";
  return is_name(name) ? "" : "invalid characters in network name: " + std::string(name);
}

std::string ifname_fault(std::string_view ifname) {
  if (ifname.empty()) return "interface name is empty";
  if (ifname.size() > kLongestIfname) return "interface name is too long (at most 15 characters)";
  if (ifname == "." || ifname == "..") return "interface name is . or ..";
  const bool refused = std::any_of(ifname.begin(), ifname.end(),
                                   [](char c) { return c == '/' || c == ':' || is_space(c); });
  return refused ? "interface name contains / or : or white space" : "";
}

Outcome<Arguments> decode_arguments(std::string_view text,
                                    std::span<const std::string_view> known) {
  constexpr std::string_view kIgnoreUnknown = "IgnoreUnknown";
  Arguments arguments;
  std::string unknown;
  for (const std::string_view pair : split(text, ';')) {
    const std::size_t end = pair.find('=');
    if (end == std::string_view::npos)
      return fail(ErrorCode::kInvalidEnvironment,
                  "CNI_ARGS: invalid pair \"" + std::string(pair) + "\"");
    const std::string_view key = pair.substr(0, end);
    if (key != kIgnoreUnknown && std::find(known.begin(), known.end(), key) == known.end())
      unknown.append(unknown.empty() ? "" : ";").append(pair);
    arguments[std::string(key)] = pair.substr(end + 1);
  }
  const auto ignore = arguments.find(kIgnoreUnknown);
  if (!unknown.empty() && (ignore == arguments.end() || !is_true(ignore->second)))
    return fail(ErrorCode::kInvalidEnvironment, "CNI_ARGS: unknown args [" + unknown + "]");
  return arguments;
}

}  // namespace weft::cni
