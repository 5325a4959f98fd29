// SPDX-License-Identifier: Apache-2.0
//
// What sysctls were before us, which cannot be read back from the kernel: one file a sysctl,
// STATE/sysctl/net:ipv4:ip_forward ('/' becomes ':', which no part of a sysctl's name contains), of
// these lines:
//
//   boot ID                        of the machine (kernel/random/boot_id)
//   previous VALUE
//   ours VALUE
//   kept SYSCTL PREVIOUS OURS      another one, written before it so that it does no harm
//   along SYSCTL PREVIOUS OURS     another one, which the kernel sets along with it
//
// There are any number of the last two. The next boot has sysctls of its own: what was saved in an
// earlier one says nothing of them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "linux/forwarding.h"

namespace weft::tables {

struct SavedSysctl {
  std::string previous{};
  std::string ours{};
  std::vector<SysctlChange> kept{};
  std::vector<SysctlChange> along{};
  bool operator==(const SavedSysctl&) const = default;
};

class SavedSysctls {
 public:
  SavedSysctls(const std::string& state_directory, std::string boot)
      : directory_(state_directory + "/sysctl"), boot_(std::move(boot)) {}

  // Of all there are of this boot, spoilt ones too.
  Result<std::vector<std::string>> keys() const;
  // Removes what is left of an earlier boot, or half written.
  Result<> tidy() const;
  // Nothing where there is none of this boot.
  Result<std::optional<SavedSysctl>> load(const std::string& key) const;
  Result<> save(const std::string& key, const SavedSysctl& saved) const;
  Result<> forget(const std::string& key) const;

 private:
  bool is_good(const std::string& name, const std::string& key) const;
  bool is_of_this_boot(const std::string& key) const;
  std::string path_of(const std::string& key) const;

  std::string directory_;
  std::string boot_;
};

}  // namespace weft::tables
