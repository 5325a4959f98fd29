// SPDX-License-Identifier: Apache-2.0
//
// A Service back end renders the ServiceTable into kernel tables and back. It is a plan like any
// other, so that apply, resync, verify, uninstall and a live switch are the Reconciler's and are
// written once for all back ends.
//
// What it writes is a function of the table. It may remember what it counted of the table on the
// way (what several pools share stands once), but nothing that the table from scratch would not
// tell it again: docs/decisions/0010-service-pools.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "model/service_table.h"
#include "tables/changes.h"
#include "tables/kernel_tables.h"

namespace weft::service {

// What a back end needs besides the ServiceTable; a change to it means plan_base() again, and then
// everything (model::from_scratch).
struct ServiceContext {
  std::vector<Prefix> pod_cidrs{};      // the whole cluster's: who is "a pod" and not off-cluster
  std::vector<Prefix> service_cidrs{};  // an address in here that no Service has is dropped
  std::vector<IpFamily> families{};
  bool operator==(const ServiceContext&) const = default;
};

// What the kernel's tables do.
struct Interpretation {
  model::ServiceTable services{};      // without the names for people (service, port_name)
  std::vector<std::string> foreign{};  // what is in them that this back end would not have written
};

class ServiceBackend {
 public:
  virtual ~ServiceBackend() = default;
  virtual std::string_view name() const = 0;

  // The fixed part: what stands whatever Services there are. Begins anew: the deltas that follow
  // lead from an empty ServiceTable on.
  virtual void plan_base(const ServiceContext& context, tables::TableChanges& out) = 0;

  // The entries of what changed. `table` already has the delta in it, and every delta before it
  // has been planned; the cost follows the delta, never the table.
  virtual void plan(const model::ServiceTable& table, const model::ServiceDelta& changed,
                    tables::TableChanges& out) = 0;

  // The way back: reads what the kernel's tables do. Takes its time.
  virtual Result<Interpretation> interpret(tables::KernelTables& kernel) const = 0;
};

}  // namespace weft::service
