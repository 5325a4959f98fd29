// SPDX-License-Identifier: Apache-2.0
// For this folder's tests: ServiceTables by hand, and the back end written to a real kernel.
#pragma once

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/service_table.h"
#include "reconcile/table_state.h"
#include "service/nftables/backend.h"
#include "tables/kernel_tables.h"
#include "tables/names.h"

namespace weft::service {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

inline ServiceContext test_context() {
  return {{Prefix::parse("10.244.0.0/16").value(), Prefix::parse("fd00:10:244::/56").value()},
          {Prefix::parse("10.96.0.0/16").value(), Prefix::parse("fd00:10:96::/112").value()},
          {IpFamily::kIpv4, IpFamily::kIpv6}};
}

using Frontends = std::vector<std::pair<model::Frontend, model::Served>>;

inline model::ServiceTable table_of(const Frontends& frontends) {
  model::ServiceTable table;
  for (const auto& [frontend, served] : frontends)
    model::add_with_own_pool(table, frontend, served);
  return table;
}

// The back end's desired table, written into the thread's network namespace.
class Kernel {
 public:
  Kernel() {
    tables::TableChanges base;
    backend_.plan_base(test_context(), base);
    merge(base);
  }

  // Makes `table` so, by its difference to what was.
  void change_to(const model::ServiceTable& table) {
    tables::TableChanges changes;
    backend_.plan(table, model::difference(services_, table), changes);
    services_ = table;
    merge(changes);
  }
  const model::ServiceTable& services() const { return services_; }

  void write() {
    if (!state_.pending(reconcile::Part::kAll)) return;
    state_.write(reconcile::Part::kAll, clock_, [](const auto& written) {
      for (const Error& error : written.refused) ADD_FAILURE() << error.message;
      if (written.unknown) ADD_FAILURE() << written.unknown->message;
    });
  }
  // What the kernel has otherwise than it should.
  std::vector<reconcile::Drift> drift() {
    std::vector<reconcile::Drift> drift;
    state_.compare([&](const Result<std::vector<reconcile::Drift>>& found) {
      ASSERT_TRUE(found) << found.error().message;
      drift = *found;
    });
    return drift;
  }
  tables::NftKind::Table read() {
    auto actual = reconcile::read_all(state_.driver());
    EXPECT_TRUE(actual) << actual.error().message;
    return actual.value_or(tables::NftKind::Table{});
  }
  // What the kernel does.
  model::ServiceTable interpreted() {
    auto found = backend_.interpret(tables_);
    EXPECT_TRUE(found) << found.error().message;
    if (!found) return {};
    EXPECT_TRUE(found->foreign.empty()) << found->foreign.front();
    return found->services;
  }

 private:
  void merge(const tables::TableChanges& changes) {
    state_.merge("services", changes.of<tables::NftKind>());
  }

  SteadyClock clock_{};
  NftablesBackend backend_{};
  model::ServiceTable services_{};
  tables::KernelTables tables_ =
      tables::KernelTables::open({.nft_tables = {std::string(tables::kServicesTable)}}).value();
  reconcile::TableState<tables::NftKind> state_{
      tables_.driver<tables::NftKind>(tables::kServicesTable).value()};
};

}  // namespace weft::service
