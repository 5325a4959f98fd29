// SPDX-License-Identifier: Apache-2.0
#include "lab/lab.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "lab/control_plane/objects.h"
#include "linux/cgroup.h"
#include "linux/file.h"
#include "linux/netns.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "weft-";
constexpr std::string_view kFabricSuffix = "-fabric";

std::vector<std::string> entries_of(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(directory, ignored), end; entry != end;
       entry.increment(ignored)) {
    found.push_back(entry->path().filename());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool has_remains(const LabNames& names) {
  return fs::exists(names.directory()) || !netns_of_lab(names).empty();
}

}  // namespace

Result<Lab> open_lab(std::string_view name) {
  WEFT_ASSIGN(LabNames names, LabNames::for_lab(name));
  if (!fs::exists(names.settings_file())) {
    if (!has_remains(names))
      return fail(fmt::format("there is no lab \"{}\" (weft lab list)", name));
    return fail(fmt::format(
        "lab \"{0}\" is only half there: remove it with weft lab down --name {0}", name));
  }
  WEFT_ASSIGN(const std::string text, read_file(names.settings_file()));
  WEFT_ASSIGN(Settings settings, settings_from_json(text));
  WEFT_ASSIGN(std::string mount, cgroup2_mount());
  return Lab{std::move(names), std::move(settings), std::move(mount)};
}

// The last lab's removal takes the directory along, maybe just now: then once more.
Result<FileLock> lock_lab(const LabNames& names) {
  constexpr int kAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    std::error_code error;
    fs::create_directories(kLabsDirectory, error);
    if (error) return fail_errno(kLabsDirectory, error.value());
    auto lock = FileLock::acquire(names.lock_file());
    if (lock || lock.error().code != ENOENT || attempt == kAttempts) return lock;
  }
}

void forget_lock(const LabNames& names) {
  std::error_code ignored;
  fs::remove(names.lock_file(), ignored);
  fs::remove(kLabsDirectory, ignored);
  fs::remove(fs::path(kLabsDirectory).parent_path(), ignored);
}

std::vector<std::string> lab_names() {
  std::set<std::string> found;
  for (const std::string& entry : entries_of(std::string(kLabsDirectory))) {
    if (LabNames::for_lab(entry)) found.insert(entry);
  }
  for (const std::string& entry : entries_of(named_netns_path(""))) {
    if (!entry.starts_with(kPrefix) || !entry.ends_with(kFabricSuffix)) continue;
    found.insert(
        entry.substr(kPrefix.size(), entry.size() - kPrefix.size() - kFabricSuffix.size()));
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> netns_of_lab(const LabNames& names) {
  std::vector<std::string> found = entries_of(named_netns_path(""));
  std::erase_if(found, [&](const std::string& netns) { return !names.owns_netns(netns); });
  return found;
}

}  // namespace weft::lab
