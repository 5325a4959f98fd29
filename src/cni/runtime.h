// SPDX-License-Identifier: Apache-2.0
//
// The runtime's side of CNI, as libcni has it: the plugins of a configuration list are executed one
// after another, each with the one before's result as prevResult, and the last result is kept in a
// cache for DEL (SPEC.md, "Section 3"; the cache is in libcni's own format, cache.h). Blocking; no
// state outside of the files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cni/configuration_list.h"
#include "cni/result.h"

namespace weft::cni {

// What is attached to a network: an interface in a namespace, in the name of a container.
struct Attachment {
  std::string container_id{};
  std::string netns{};  // path; for del it may be gone, or ""
  std::string ifname = "eth0";
  std::vector<std::pair<std::string, std::string>> args{};  // CNI_ARGS
  std::string
      capability_args{};  // a JSON object by capability: {"ips": ["10.1.0.7/24"]}; "" = none
};

struct Runtime {
  std::vector<std::string> plugin_directories{};
  std::string cache_directory = "/var/lib/cni";  // results are in results/ below it
  std::string host_netns{};  // path of the namespace the plugins run in; "" = ours

  // Errors are the failing plugin's, with its name; EEXIST, with nothing done, where the cache has
  // this attachment. What an add that failed made is undone by a del.
  Result<CniResult> add(const ConfigurationList& list, const Attachment& attachment) const;

  // In reverse order, with the cached result as prevResult where there is one. The first error ends
  // it, and the cached result stays for the next try.
  Result<> del(const ConfigurationList& list, const Attachment& attachment) const;
};

}  // namespace weft::cni
