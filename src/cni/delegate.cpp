// SPDX-License-Identifier: Apache-2.0
#include "cni/delegate.h"

#include <sys/stat.h>

#include "cni/exec.h"
#include "cni/result_json.h"

namespace weft::cni {
namespace {

bool is_this_binary(const std::string& path) {
  struct stat own {};
  struct stat other {};
  return ::stat("/proc/self/exe", &own) == 0 && ::stat(path.c_str(), &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

const Plugin* sibling(const Request& request, std::string_view type, const std::string& path) {
  const Plugin* plugin = find_plugin(request.siblings, type);
  return plugin != nullptr && is_this_binary(path) ? plugin : nullptr;
}

// The request as the delegate gets it: `verb` may differ, when an ADD that failed is undone.
Request with_verb(const Request& request, Verb verb) {
  Request copy = request;
  copy.environment.verb = verb;
  copy.variables["CNI_COMMAND"] = to_string(verb);
  return copy;
}

}  // namespace

Outcome<CniResult> delegate_add(const Request& request, std::string_view type) {
  CNI_ASSIGN(const std::string path, find_executable(type, request.environment.path));
  if (const Plugin* plugin = sibling(request, type, path); plugin != nullptr && plugin->add)
    return plugin->add(request);
  CNI_ASSIGN(const std::string out, execute_plugin(path, request.variables, request.input));
  CNI_ASSIGN(const Json json, parse_json(out));
  return result_from_json(json, request.config.cni_version);
}

Outcome<> delegate_del(const Request& request, std::string_view type) {
  CNI_ASSIGN(const std::string path, find_executable(type, request.environment.path));
  const Request del = with_verb(request, Verb::kDel);
  if (const Plugin* plugin = sibling(del, type, path); plugin != nullptr && plugin->del)
    return plugin->del(del);
  CNI_TRY(execute_plugin(path, del.variables, del.input));
  return {};
}

}  // namespace weft::cni
