// SPDX-License-Identifier: Apache-2.0
#include "cni/runtime.h"

#include <unistd.h>

#include <cerrno>
#include <optional>

#include "cni/cache.h"
#include "cni/exec.h"
#include "cni/result_json.h"
#include "cni/version.h"

namespace weft::cni {
namespace {

// prevResult came to DEL with this version.
constexpr std::string_view kPrevResultOnDel = "0.4.0";

std::string join(const std::vector<std::string>& directories) {
  std::string path;
  for (const std::string& directory : directories)
    path.append(path.empty() ? "" : ":").append(directory);
  return path;
}

std::string arguments_text(const Attachment& attachment) {
  std::string text;
  for (const auto& [key, value] : attachment.args)
    text.append(text.empty() ? "" : ";").append(key).append("=").append(value);
  return text;
}

// The runtime's own environment goes along, as libcni has it (proxies, tracing).
Variables variables_for(const Runtime& runtime, const Attachment& attachment, Verb verb) {
  Variables variables = variables_of(::environ);
  std::erase_if(variables, [](const auto& entry) { return entry.first.starts_with("CNI_"); });
  variables["CNI_COMMAND"] = to_string(verb);
  variables["CNI_CONTAINERID"] = attachment.container_id;
  variables["CNI_NETNS"] = attachment.netns;
  variables["CNI_IFNAME"] = attachment.ifname;
  variables["CNI_ARGS"] = arguments_text(attachment);
  variables["CNI_PATH"] = join(runtime.plugin_directories);
  return variables;
}

// The object one plugin gets: its own, with name, version, prevResult and those capability
// arguments that it declared.
Outcome<std::string> plugin_input(const ConfigurationList& list, const PluginEntry& plugin,
                                  const Json& capability_args, const std::optional<Json>& prev) {
  CNI_ASSIGN(Json json, parse_json(plugin.json));
  json["name"] = list.name;
  json["cniVersion"] = list.cni_version;
  if (prev) json["prevResult"] = *prev;
  Json arguments = Json::object();
  for (const std::string& capability : plugin.capabilities) {
    if (capability_args.contains(capability)) arguments[capability] = capability_args[capability];
  }
  if (!arguments.empty()) json["runtimeConfig"] = std::move(arguments);
  return print_compact(json);
}

Outcome<Json> capability_args_of(const Attachment& attachment) {
  if (attachment.capability_args.empty()) return Json::object();
  CNI_ASSIGN(Json json, parse_json(attachment.capability_args));
  if (!json.is_object())
    return fail(ErrorCode::kInvalidConfig,
                "capability arguments: " + print_compact(json) + " is not an object");
  return json;
}

Outcome<std::string> execute(const Runtime& runtime, const ConfigurationList& list,
                             const PluginEntry& plugin, const Attachment& attachment, Verb verb,
                             const std::optional<Json>& prev) {
  CNI_ASSIGN(const Json capability_args, capability_args_of(attachment));
  CNI_ASSIGN(const std::string input, plugin_input(list, plugin, capability_args, prev));
  CNI_ASSIGN(const std::string executable,
             find_executable(plugin.type, runtime.plugin_directories));
  return execute_plugin(executable, variables_for(runtime, attachment, verb), input,
                        runtime.host_netns);
}

Failure failed(const PluginEntry& plugin, Verb verb, const CniError& error) {
  return weft::fail("plugin " + plugin.type + " " + std::string(to_string(verb)) + ": " +
                    error.to_string() + " (code " + std::to_string(error.code) + ")");
}

Result<> check(const Attachment& attachment) {
  std::string fault = container_id_fault(attachment.container_id);
  if (!fault.empty())
    return weft::fail("container id \"" + attachment.container_id + "\": " + fault);
  fault = ifname_fault(attachment.ifname);
  if (!fault.empty()) return weft::fail("interface \"" + attachment.ifname + "\": " + fault);
  return {};
}

// The last plugin's result, read, and in the list's version for the next one.
struct Step {
  CniResult result{};
  Json json{};
};

Outcome<Step> read_step(const std::string& out, const std::string& version) {
  CNI_ASSIGN(Json printed, parse_json(out));
  Step step;
  CNI_ASSIGN(step.result, result_from_json(printed, version));
  const std::string own = ObjectReader(printed, "").text("cniVersion");
  if (own.empty()) printed["cniVersion"] = version;
  if (own.empty() || own == version) {
    step.json = std::move(printed);
  } else {
    CNI_ASSIGN(step.json, result_to_json(step.result, version));
  }
  return step;
}

Result<Step> add_all(const Runtime& runtime, const ConfigurationList& list,
                     const Attachment& attachment) {
  std::optional<Step> last;
  for (const PluginEntry& plugin : list.plugins) {
    const std::optional<Json> prev = last ? std::optional(last->json) : std::nullopt;
    const Outcome<std::string> out = execute(runtime, list, plugin, attachment, Verb::kAdd, prev);
    if (!out) return failed(plugin, Verb::kAdd, out.error());
    Outcome<Step> step = read_step(*out, list.cni_version);
    if (!step) return failed(plugin, Verb::kAdd, step.error());
    last = std::move(*step);
  }
  if (!last) return weft::fail("network " + list.name + " has no plugins");
  return std::move(*last);
}

}  // namespace

Result<CniResult> Runtime::add(const ConfigurationList& list, const Attachment& attachment) const {
  WEFT_TRY(check(attachment));
  // A second add fails in the plugins; undoing it would take the first one's interface along.
  if (read_cache(cache_directory, list, attachment))
    return weft::fail("container " + attachment.container_id + " has interface " +
                          attachment.ifname + " on network " + list.name + " already",
                      EEXIST);
  Result<Step> step = add_all(*this, list, attachment);
  if (step) {
    const Result<> cached = write_cache(cache_directory, list, attachment, step->json);
    if (cached) return std::move(step->result);
    step = Failure(cached.error());
  }
  (void)del(list, attachment);  // the first error is the one to tell
  return Failure(std::move(step.error()));
}

Result<> Runtime::del(const ConfigurationList& list, const Attachment& attachment) const {
  WEFT_TRY(check(attachment));
  std::optional<Json> prev;
  if (at_least(list.cni_version, kPrevResultOnDel))
    prev = read_cache(cache_directory, list, attachment);
  for (auto plugin = list.plugins.rbegin(); plugin != list.plugins.rend(); ++plugin) {
    const Outcome<std::string> out = execute(*this, list, *plugin, attachment, Verb::kDel, prev);
    if (!out) return failed(*plugin, Verb::kDel, out.error());
  }
  remove_cache(cache_directory, list, attachment);
  return {};
}

}  // namespace weft::cni
