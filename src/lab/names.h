// SPDX-License-Identifier: Apache-2.0
//
// Every name and path that a lab uses, from its own name alone: what `weft lab down` removes is
// what carries these names, so that a lab whose `up` was killed at any moment can be removed
// without any record of it. Pure.
//
//   network namespaces   weft-<lab>-fabric, weft-<lab>-<node>, weft-<lab>-<node>-<8 hex> (a pod)
//   cgroups              <cgroup2>/weft-<lab>/<node>/{agent,<8 hex>}
//   files                /run/weft/lab/<lab>/
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::lab {

inline constexpr std::string_view kLabsDirectory = "/run/weft/lab";

class LabNames {
 public:
  // A DNS label of at most 40 characters; the error says so.
  static Result<LabNames> for_lab(std::string_view lab);

  const std::string& lab() const { return lab_; }

  std::string directory() const;
  std::string lock_file() const;            // beside the directory: it outlives its removal
  std::string settings_file() const;        // lab.json
  std::string manifests_directory() const;  // objects that the agents watch
  std::string objects_directory() const;    // objects that only the lab's controllers read

  std::string node_directory(std::string_view node) const;
  std::string agent_config(std::string_view node) const;
  std::string agent_socket(std::string_view node) const;
  std::string agent_log(std::string_view node) const;
  std::string agent_pid_file(std::string_view node) const;
  std::string agent_state_directory(std::string_view node) const;
  std::string cni_configuration_directory(std::string_view node) const;
  std::string cni_data_directory(std::string_view node) const;
  std::string cni_cache_directory(std::string_view node) const;

  std::string pods_directory() const;
  std::string pod_record(std::string_view id) const;  // pods/<id>.json
  std::string pod_state(std::string_view id) const;   // pods/<id>.state.json, the supervisor's
  std::string pod_log(std::string_view name_space, std::string_view pod) const;
  // Of a file in pods/: is it the log of a pod in exactly this namespace?
  static bool is_pod_log(std::string_view file, std::string_view name_space);

  std::string fabric_netns() const;
  std::string node_netns(std::string_view node) const;
  std::string pod_netns(std::string_view node, std::string_view id) const;
  // Is it one of this lab's? Exact: lab "a" owns nothing of lab "a-node1".
  bool owns_netns(std::string_view netns) const;

  std::string cgroup(std::string_view mount) const;
  std::string agent_cgroup(std::string_view mount, std::string_view node) const;
  std::string pod_cgroup(std::string_view mount, std::string_view node, std::string_view id) const;

 private:
  explicit LabNames(std::string_view lab) : lab_(lab) {}
  std::string lab_;
};

// node1, node2, …
std::string node_name(int number);

}  // namespace weft::lab
