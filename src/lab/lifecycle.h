// SPDX-License-Identifier: Apache-2.0
//
// A lab's beginning and end. up() makes fabric, nodes and agents, waits until the agents have
// settled, and applies manifests; whatever fails or interrupts it, it takes down again what it
// made. down() needs nothing but the lab's name: it removes what carries it, in whatever state it
// is, asks no agent anything, and then looks whether something is left.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "lab/control_plane/objects.h"
#include "lab/lab.h"
#include "lab/terminal.h"

namespace weft::lab {

struct UpOptions {
  Settings settings{};
  Json agent_spec = Json::object();      // merged over the spec of every agent's configuration
  std::vector<std::string> manifests{};  // files or directories
  std::chrono::milliseconds timeout{std::chrono::seconds(120)};
};

Result<> up(const UpOptions& options, Progress& progress);

// A lab of which nothing is there is an error.
Result<> down(const std::string& name, Progress& progress);

// What still carries the lab's name: namespaces, cgroup, directory.
std::vector<std::string> remains_of(const LabNames& names);

// The spec fields of an agent configuration file (with or without "spec:" around them).
Result<Json> read_agent_spec(const std::string& file);

// `apply` and `delete` on a lab that stands; the lock is theirs to take.
Result<> apply(const std::string& name, const std::vector<std::string>& manifests,
               std::chrono::milliseconds timeout, Progress& progress);
Result<> remove(const std::string& name, const std::vector<std::string>& manifests,
                std::chrono::milliseconds timeout, Progress& progress);

}  // namespace weft::lab
