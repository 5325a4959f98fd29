// SPDX-License-Identifier: Apache-2.0
#include "cni/dispatch.h"

#include <unistd.h>

#include "cni/result_json.h"
#include "cni/version.h"
#include "linux/file.h"
#include "linux/netns.h"

namespace weft::cni {
namespace {

constexpr int kFailed = 1;

Response error_response(const CniError& error, std::string_view version) {
  Json json = {{"cniVersion", std::string(version)}, {"code", error.code}, {"msg", error.message}};
  if (!error.details.empty()) json["details"] = error.details;
  return {print_json(json) + "\n", {}, kFailed};
}

Response version_response() {
  Json versions = Json::array();
  for (const std::string_view version : kVersions) versions.push_back(std::string(version));
  return {print_json({{"cniVersion", std::string(kCurrentVersion)},
                      {"supportedVersions", std::move(versions)}}) +
              "\n",
          {},
          0};
}

std::string plugin_names(std::span<const Plugin> plugins) {
  std::string names;
  for (const Plugin& plugin : plugins) names.append(names.empty() ? "" : ", ").append(plugin.name);
  return names;
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Someone ran it by hand.
Response about(std::string_view name, std::span<const Plugin> plugins) {
  return {{},
          "CNI plugin " + std::string(name) +
              " of Weft (this binary has: " + plugin_names(plugins) +
              ")\nCNI protocol versions supported: " + supported_versions() + "\n",
          0};
}

std::string_view first_version_with(Verb verb) {
  if (verb == Verb::kCheck) return "0.4.0";
  return verb == Verb::kGc || verb == Verb::kStatus ? "1.1.0" : kVersions.front();
}

// A plugin works in a namespace that is not its own, unless told that this is meant. A path that
// cannot be opened is the plugin's to judge (for DEL it is success).
Outcome<> check_netns(const Environment& environment) {
  if (environment.netns.empty() || environment.netns_override) return {};
  const Result<Netns> netns = Netns::open(environment.netns);
  if (!netns) return {};
  CNI_ASSIGN(const Netns own, Netns::current());
  CNI_ASSIGN(const auto own_identity, own.identity());
  CNI_ASSIGN(const auto identity, netns->identity());
  if (own_identity != identity) return {};
  return fail(ErrorCode::kInvalidNetns,
              "CNI_NETNS=" + environment.netns + " is the plugin's own network namespace");
}

CniFailure not_offered(const Plugin& plugin, Verb verb) {
  return fail(ErrorCode::kInvalidEnvironment,
              "plugin " + std::string(plugin.name) +
                  " does not implement CNI_COMMAND=" + std::string(to_string(verb)));
}

Outcome<std::string> execute(const Plugin& plugin, const Request& request) {
  const Verb verb = request.environment.verb;
  if (verb == Verb::kAdd) {
    if (plugin.add == nullptr) return not_offered(plugin, verb);
    CNI_ASSIGN(const CniResult result, plugin.add(request));
    CNI_ASSIGN(const Json json, result_to_json(result, request.config.cni_version));
    return print_json(json) + "\n";
  }
  const auto function = verb == Verb::kDel     ? plugin.del
                        : verb == Verb::kCheck ? plugin.check
                        : verb == Verb::kGc    ? plugin.gc
                                               : plugin.status;
  if (function == nullptr) return not_offered(plugin, verb);
  CNI_TRY(function(request));
  return std::string();
}

Outcome<std::string> handle(const Plugin& plugin, Request& request) {
  const Verb verb = request.environment.verb;
  CNI_ASSIGN(request.config, decode_config(request.input));
  if (!at_least(request.config.cni_version, first_version_with(verb)))
    return fail(ErrorCode::kIncompatibleVersion,
                "config version does not allow " + std::string(to_string(verb)),
                "config is \"" + request.config.cni_version + "\"");
  if (verb == Verb::kAdd || verb == Verb::kDel || verb == Verb::kCheck)
    CNI_TRY(check_netns(request.environment));
  return execute(plugin, request);
}

}  // namespace

Response respond(std::span<const Plugin> plugins, std::string_view program,
                 const Variables& variables,
                 const std::function<Result<std::string>()>& read_input) {
  const std::string_view name = last_part(program);
  const auto command = variables.find("CNI_COMMAND");
  if (command == variables.end() || command->second.empty()) return about(name, plugins);
  const Plugin* plugin = find_plugin(plugins, name);
  if (plugin == nullptr)
    return error_response(
        {ErrorCode::kInvalidEnvironment, "no plugin is named " + std::string(name),
         "this binary has: " + plugin_names(plugins)},
        kCurrentVersion);
  Outcome<Environment> environment = decode_environment(variables);
  if (!environment) return error_response(environment.error(), kCurrentVersion);
  if (environment->verb == Verb::kVersion) return version_response();

  Result<std::string> input = read_input();
  if (!input)
    return error_response({ErrorCode::kInputOutput, input.error().message}, kCurrentVersion);
  Request request{std::move(*environment), {}, std::move(*input), variables, plugins};
  const Outcome<std::string> out = handle(*plugin, request);
  if (!out) return error_response(out.error(), version_of(request.input));
  return {*out, {}, 0};
}

int run(std::span<const Plugin> plugins, const char* program, const char* const* environ) {
  const Response response = respond(plugins, program, variables_of(environ),
                                    [] { return read_all(STDIN_FILENO, "stdin"); });
  (void)write_all(STDERR_FILENO, response.err, "stderr");  // nobody left to tell
  return write_all(STDOUT_FILENO, response.out, "stdout") ? response.status : kFailed;
}

}  // namespace weft::cni
