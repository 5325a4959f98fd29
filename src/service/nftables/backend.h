// SPDX-License-Identifier: Apache-2.0
//
// The nftables back end: the ServiceTable on a flat layout (README.md). Base chains that never
// change, one chain per number of backends, and everything else an element of a map: so one change
// costs its own elements, whatever the number of Services, and a commit is atomic.
//
// A backend's index is its slot in the pool, so that one that comes, goes or gives way to
// another is one element. Index 0 is populated whenever the frontend is in `services`: packets that
// straddle a commit are served by it.
//
// Its state is interned names, and how many pools need what they share: the chain for a number of
// backends, and the hairpin element of a backend on this node. One thread.
#pragma once

#include <array>
#include <map>
#include <utility>

#include "service/service_backend.h"

namespace weft::service {

class NftablesBackend final : public ServiceBackend {
 public:
  NftablesBackend();

  std::string_view name() const override { return "nftables"; }
  void plan_base(const ServiceContext& context, tables::TableChanges& out) override;
  void plan(const model::ServiceTable& table, const model::ServiceDelta& changed,
            tables::TableChanges& out) override;
  Result<Interpretation> interpret(tables::KernelTables& kernel) const override;
  // What a table that was read does; as interpret().
  Interpretation services_in(const tables::NftKind::Table& actual) const;

 private:
  // The maps and sets whose elements follow the ServiceTable.
  struct Maps {
    const tables::NftName* services = nullptr;
    const tables::NftName* endpoints = nullptr;
    const tables::NftName* checks = nullptr;
    const tables::NftName* masquerade_frontends = nullptr;
    const tables::NftName* hairpin = nullptr;
    const tables::NftName* cluster_ips = nullptr;
  };
  static Maps maps_of(IpFamily family);
  const Maps& maps(IpFamily family) const { return maps_[family == IpFamily::kIpv4 ? 0 : 1]; }
  void plan_balancing(const model::ServiceDelta& changed, tables::TableChanges& out);
  void plan_hairpins(const model::ServiceDelta& changed, tables::TableChanges& out);
  void plan_frontend(const model::ServiceTable& table, const model::ServiceDelta& changed,
                     const model::FrontendChange& change, tables::TableChanges& out) const;
  void plan_pool(const model::PoolChange& change, tables::TableChanges& out) const;

  std::array<Maps, 2> maps_;
  std::map<std::pair<IpFamily, std::size_t>, std::size_t> sizes_{};  // above 0, of pools
  std::map<IpAddress, std::size_t> local_{};                         // backends' addresses
};

}  // namespace weft::service
