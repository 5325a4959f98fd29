// SPDX-License-Identifier: Apache-2.0
//
// The way of manifests into the lab: read from files or directories, checked, defaulted, stored.
// Everything is checked before anything is stored, so that a refused manifest changes nothing.
// Kinds the lab does not play (ConfigMap, Ingress, …) are reported and left alone.
#pragma once

#include <string>
#include <vector>

#include "document/document.h"
#include "lab/control_plane/objects.h"
#include "lab/lab.h"

namespace weft::lab {

// Every document of every file; of a directory its *.yaml, *.yml and *.json, by name. "-": stdin.
Result<std::vector<document::Document>> read_manifests(const std::vector<std::string>& paths);

struct Admitted {
  std::string what{};  // "deployment/web", as kubectl names it
  std::string how{};   // created, configured, unchanged, deleted; or why it was left alone
};

Result<std::vector<Admitted>> admit(const Lab& lab,
                                    const std::vector<document::Document>& documents,
                                    ObjectStore& store);

// Forgets the objects (those in a Namespace with it); their pods are still to be stopped.
Result<std::vector<Admitted>> forget(const std::vector<document::Document>& documents,
                                     ObjectStore& store);

}  // namespace weft::lab
