// SPDX-License-Identifier: Apache-2.0
//
// What sysctls were before us, which cannot be read back from the kernel: one file a sysctl,
// STATE/sysctl/net:ipv4:ip_forward ('/' becomes ':', which no part of a sysctl's name contains), of
// these lines:
//
//   previous VALUE
//   ours VALUE
//   kept SYSCTL PREVIOUS OURS      another one, written before it so that it does no harm
//   along SYSCTL PREVIOUS OURS     another one, which the kernel sets along with it
//
// There are any number of the last two.
#pragma once

#include <optional>
#include <string>
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
  explicit SavedSysctls(const std::string& state_directory)
      : directory_(state_directory + "/sysctl") {}

  Result<std::vector<std::string>> keys() const;
  Result<std::optional<SavedSysctl>> load(const std::string& key) const;
  Result<> save(const std::string& key, const SavedSysctl& saved) const;
  Result<> forget(const std::string& key) const;

 private:
  std::string path_of(const std::string& key) const;

  std::string directory_;
};

}  // namespace weft::tables
