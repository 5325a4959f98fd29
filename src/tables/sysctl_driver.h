// SPDX-License-Identifier: Apache-2.0
//
// Sysctls of one network namespace. What a sysctl was before us cannot be read back from the
// kernel, so it is saved in the state directory before our first write, with the value we give it;
// when the sysctl is no longer wanted it goes back to what it was, unless someone else has set it
// meanwhile. What is saved is what is ours: a sysctl that already had the desired value is saved
// all the same.
//
// One file a sysctl, STATE/sysctl/net:ipv4:ip_forward ('/' becomes ':', which no part of a sysctl's
// name contains): two lines, "previous VALUE" and "ours VALUE".
#pragma once

#include <optional>
#include <string>

#include "linux/netns.h"
#include "reconcile/table.h"
#include "tables/kinds.h"

namespace weft::tables {

class SysctlDriver final : public reconcile::Driver<SysctlKind> {
 public:
  SysctlDriver(Netns netns, const std::string& state_directory)
      : netns_(std::move(netns)), directory_(state_directory + "/sysctl") {}

  // Those saved; one that is no more (its link went) reads as "".
  Result<SysctlKind::Table> read() override;
  void write(const reconcile::Changes<SysctlKind>& changes,
             const reconcile::Desired<SysctlKind>& desired,
             reconcile::WriteDone<SysctlKind> done) override;

 private:
  struct Saved {
    std::string previous{};
    std::string ours{};
    bool operator==(const Saved&) const = default;
  };

  Result<> set(const std::string& key, const std::string& value);
  Result<> restore(const std::string& key);
  Result<std::optional<Saved>> load(const std::string& key) const;
  Result<> save(const std::string& key, const Saved& saved) const;
  std::string path_of(const std::string& key) const;

  Netns netns_;
  std::string directory_;
};

}  // namespace weft::tables
