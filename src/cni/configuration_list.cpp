// SPDX-License-Identifier: Apache-2.0
#include "cni/configuration_list.h"

#include <algorithm>
#include <cerrno>

#include "cni/environment.h"
#include "cni/json.h"
#include "cni/version.h"
#include "linux/file.h"

namespace weft::cni {
namespace {

constexpr std::string_view kExtension = ".conflist";

// libcni takes "true" and "false" as strings too.
bool lenient_boolean(ObjectReader& reader, const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return reader.boolean(key);
  const std::string text = found->get<std::string>();
  if (text != "true" && text != "false")
    reader.fault({ErrorCode::kDecodeFailure,
                  reader.path_of(key) + ": \"" + text + "\" is neither true nor false"});
  return text == "true";
}

// The highest of cniVersion and cniVersions that we speak.
Outcome<std::string> choose_version(ObjectReader& reader) {
  std::vector<std::string> versions = reader.texts("cniVersions");
  const std::string version = reader.text("cniVersion");
  CNI_TRY(reader.done());
  if (!version.empty()) versions.push_back(version);
  if (versions.empty()) return std::string(kVersions.front());
  std::string highest;
  for (const std::string& candidate : versions) {
    if (is_supported(candidate) && (highest.empty() || at_least(candidate, highest)))
      highest = candidate;
  }
  if (highest.empty())
    return fail(ErrorCode::kIncompatibleVersion,
                "cniVersion: \"" + versions.back() + "\" is not supported",
                "supported are " + supported_versions());
  return highest;
}

PluginEntry read_plugin(const Json& json, const std::string& path, ObjectReader& owner) {
  ObjectReader reader(json, path);
  PluginEntry entry{reader.text("type"), {}, print_compact(json)};
  if (entry.type.empty())
    reader.fault({ErrorCode::kInvalidConfig, reader.path_of("type") + ": missing"});
  if (const Json* capabilities = reader.object("capabilities")) {
    for (const auto& [name, value] : capabilities->items()) {
      if (value.is_boolean() && value.get<bool>()) entry.capabilities.push_back(name);
    }
  }
  owner.merge(reader);
  return entry;
}

Outcome<ConfigurationList> decode(std::string_view text) {
  CNI_ASSIGN(const Json json, parse_json(text));
  ObjectReader reader(json, "");
  CNI_TRY(reader.done());
  ConfigurationList list;
  list.json = text;
  list.name = reader.text("name");
  CNI_ASSIGN(list.cni_version, choose_version(reader));
  list.disable_check = lenient_boolean(reader, json, "disableCheck");
  list.disable_gc = lenient_boolean(reader, json, "disableGC");
  reader.array("plugins", [&](const Json& plugin, const std::string& path) {
    list.plugins.push_back(read_plugin(plugin, path, reader));
  });
  CNI_TRY(reader.done());
  if (const std::string fault = network_name_fault(list.name); !fault.empty())
    return fail(ErrorCode::kInvalidConfig, "name: " + fault);
  if (list.plugins.empty()) return fail(ErrorCode::kInvalidConfig, "plugins: none");
  return list;
}

}  // namespace

Result<ConfigurationList> parse_configuration_list(std::string_view text) {
  Outcome<ConfigurationList> list = decode(text);
  if (!list) return weft::fail(list.error().to_string());
  return std::move(*list);
}

Result<ConfigurationList> load_configuration_list(const std::string& path) {
  WEFT_ASSIGN(const std::string text, read_file(path));
  WEFT_ASSIGN(ConfigurationList list, parse_configuration_list(text), path);
  return list;
}

Result<ConfigurationList> first_configuration_list(const std::string& directory) {
  WEFT_ASSIGN(const std::vector<std::string> names, list_directory(directory));
  const auto first = std::find_if(names.begin(), names.end(), [](const std::string& name) {
    return name.ends_with(kExtension);
  });
  if (first == names.end())
    return weft::fail("no *" + std::string(kExtension) + " in " + directory, ENOENT);
  return load_configuration_list(directory + "/" + *first);
}

}  // namespace weft::cni
