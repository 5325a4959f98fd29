// SPDX-License-Identifier: Apache-2.0
// A pod's network namespace and its tables.
#pragma once

#include <optional>
#include <string>

#include "cni/error.h"
#include "cni/plugins/bridge_plan.h"
#include "linux/netns.h"
#include "tables/kernel_tables.h"

namespace weft::cni {

class PodNamespace {
 public:
  // Code 4 when there is no namespace at `path`.
  static Outcome<PodNamespace> open(const std::string& path);
  // For DEL: nothing when the namespace is gone, or what is there is none.
  static std::optional<PodNamespace> open_if_there(const std::string& path);

  // Fails when a link has this name already.
  Outcome<> require_free(const std::string& ifname);
  // Makes the links, addresses and routes of `tables` so, in one batch. IPv6 is switched on in a
  // namespace that has it off, if it gets IPv6 addresses.
  Outcome<> write(const PodTables& tables);
  // Until the pod answers its neighbors for all its addresses.
  Outcome<> wait_until_heard(const PodTables& tables);
  // Removing what is not there is success.
  Outcome<> remove(const std::string& ifname);

 private:
  PodNamespace(Netns netns, tables::KernelTables kernel)
      : netns_(std::move(netns)), kernel_(std::move(kernel)) {}
  static Result<PodNamespace> try_open(const std::string& path);
  Result<> try_write(const PodTables& pod);

  Netns netns_;
  tables::KernelTables kernel_;
};

}  // namespace weft::cni
