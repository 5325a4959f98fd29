// SPDX-License-Identifier: Apache-2.0
//
// A lab that exists: its names, what it was asked to be, and where its cgroups are. Commands that
// change a lab hold its lock, so that two of them on one lab wait for each other; those that only
// read do not.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "lab/names.h"
#include "lab/settings.h"
#include "linux/file_lock.h"

namespace weft::lab {

struct Lab {
  LabNames names;
  Settings settings{};
  std::string cgroup_mount{};
};

// Fails with "there is no lab L" where there is none, and says so when one is only half there.
Result<Lab> open_lab(std::string_view name);

Result<FileLock> lock_lab(const LabNames& names);
// Removes the lock's file, and the directories above it that are empty then. The lock is held.
void forget_lock(const LabNames& names);

// The names of all labs, whole or half: from their directories, namespaces and cgroups.
std::vector<std::string> lab_names();

// The namespaces in /run/netns that are this lab's.
std::vector<std::string> netns_of_lab(const LabNames& names);

}  // namespace weft::lab
