// SPDX-License-Identifier: Apache-2.0
//
// Sysctls of one network namespace. What a sysctl was before us is saved in the state directory
// (saved_sysctls.h) before our first write, with the value we give it; when the sysctl is no longer
// wanted it goes back to what it was, unless someone else has set it meanwhile. What is saved, in
// this boot, is what is ours: a sysctl that already had the desired value is saved all the same.
//
// Forwarding is more than one sysctl: the kernel sets others along (linux/forwarding.h). What they
// were is saved with it, and they go back after it, each unless someone else has set it meanwhile.
//
// IPv6 forwarding would have the node forget its default route where that came from a router
// advertisement. Links that accept advertisements when we first turn it on in a boot go on
// accepting them: their accept_ra is 2 before forwarding is 1, and what it was after forwarding is.
// Not so our own links, behind which are pods, and none that came later: nobody relied on them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "linux/netlink/socket.h"
#include "linux/netns.h"
#include "reconcile/table.h"
#include "tables/ownership.h"
#include "tables/saved_sysctls.h"
#include "tables/sysctl.h"

namespace weft::tables {

class SysctlDriver final : public reconcile::PromptDriver<SysctlKind> {
 public:
  // `boot`: which one this is (saved_sysctls.h). `own_links`: by name.
  SysctlDriver(Netns netns, const std::string& state_directory, std::string boot,
               std::vector<std::string> own_links)
      : netns_(std::move(netns)),
        saved_(state_directory, std::move(boot)),
        own_links_(std::move(own_links)) {}

  // For KernelTables: in the namespace of `beside`.
  static Result<std::unique_ptr<SysctlDriver>> open(const netlink::Socket& beside,
                                                    const Ownership& ownership);

  // Removes what an earlier boot left in the state directory. At start; a read writes nothing.
  Result<> tidy() { return saved_.tidy(); }

  // Those saved; one that is no more (its link went) reads as "", and one of which something kept
  // is as it was before us as its value and that ("1 (net/ipv6/conf/eth0/accept_ra is 1, not 2)").
  // Likewise one whose file is spoilt.
  Result<SysctlKind::Table> read() override;
  void write(const reconcile::Changes<SysctlKind>& changes,
             const reconcile::Desired<SysctlKind>& desired,
             reconcile::WriteDone<SysctlKind> done) override;

 private:
  Result<std::vector<SysctlChange>> to_keep(const std::string& key, const std::string& value) const;
  Result<> set(const std::string& key, const std::string& value);
  Result<> restore(const std::string& key);
  static Result<> put_back(const std::string& key, const SavedSysctl& saved);

  Netns netns_;
  SavedSysctls saved_;
  std::vector<std::string> own_links_;
};

}  // namespace weft::tables
