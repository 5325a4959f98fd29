// SPDX-License-Identifier: Apache-2.0
#include "service/nftables/backend.h"

#include <linux/netfilter/nf_tables.h>

#include <set>

#include "model/counted.h"
#include "service/nftables/base.h"
#include "service/nftables/elements.h"
#include "service/nftables/names.h"

namespace weft::service {

using model::Backend;
using model::Frontend;
using model::FrontendChange;
using model::PoolChange;
using model::ServiceDelta;
using model::ServiceTable;
using model::SlotChange;
using tables::NftBytes;
using tables::NftKind;
using tables::NftName;
using tables::NftType;
using tables::TableChanges;

namespace {

// The element of a verdict map that a frontend has or has not, in step with a condition.
void plan_verdict(const NftName* map, const NftBytes& frontend, bool before, bool now,
                  std::string_view chain, TableChanges& out) {
  if (now && !before)
    out.set<NftKind>({map, frontend}, tables::nft_verdict(NFT_GOTO, chain));
  else if (before && !now)
    out.remove<NftKind>({map, frontend});
}

void plan_service(const NftName* map, const NftBytes& frontend, std::size_t before, std::size_t now,
                  TableChanges& out) {
  if (now == before) return;
  if (now > 0)
    out.set<NftKind>({map, frontend}, tables::nft_verdict(NFT_JUMP, nftables::balance_chain(now)));
  else
    out.remove<NftKind>({map, frontend});
}

void set_endpoint(const NftName* map, const NftBytes& frontend, std::size_t index,
                  const Backend& backend, TableChanges& out) {
  out.set<NftKind>({map, nftables::endpoint_key(frontend, static_cast<std::uint32_t>(index))},
                   tables::nft_data(nftables::backend_data(backend)));
}

void remove_endpoint(const NftName* map, const NftBytes& frontend, std::size_t index,
                     TableChanges& out) {
  out.remove<NftKind>({map, nftables::endpoint_key(frontend, static_cast<std::uint32_t>(index))});
}

void plan_slot(const NftName* map, const NftBytes& frontend, const SlotChange& change,
               TableChanges& out) {
  if (!change.current)
    remove_endpoint(map, frontend, change.slot, out);
  else if (!change.previous || !same_target(*change.previous, *change.current))
    set_endpoint(map, frontend, change.slot, *change.current, out);
}

// An entry that is there or not.
void plan_presence(const NftKind::Key& key, bool present, NftKind::Value value, TableChanges& out) {
  if (present)
    out.set<NftKind>(key, std::move(value));
  else
    out.remove<NftKind>(key);
}

// So many edits at least, and not many more where each pool has one frontend.
std::size_t edits_of(const ServiceDelta& changed) {
  constexpr std::size_t kVerdicts = 2;
  std::size_t edits = kVerdicts * changed.frontends.size() + changed.cluster_ips.size();
  for (const PoolChange& change : changed.pools) edits += change.slots.size();
  return edits;
}

}  // namespace

NftablesBackend::NftablesBackend() : maps_{maps_of(IpFamily::kIpv4), maps_of(IpFamily::kIpv6)} {}

NftablesBackend::Maps NftablesBackend::maps_of(IpFamily family) {
  const auto map = [&](std::string_view name) {
    return nftables::intern(family, NftType::kSet, name);
  };
  return {map(nftables::kServices), map(nftables::kEndpoints),
          map(nftables::kChecks),   map(nftables::kMasqueradeFrontends),
          map(nftables::kHairpin),  map(nftables::kClusterIps)};
}

void NftablesBackend::plan_base(const ServiceContext& context, TableChanges& out) {
  sizes_.clear();
  local_.clear();
  for (const IpFamily family : context.families) nftables::plan_table(context, family, out);
}

void NftablesBackend::plan(const ServiceTable& table, const ServiceDelta& changed,
                           TableChanges& out) {
  auto& edits = out.of<NftKind>();
  edits.reserve(edits.size() + edits_of(changed));
  plan_balancing(changed, out);
  for (const FrontendChange& change : changed.frontends) plan_frontend(table, changed, change, out);
  for (const PoolChange& change : changed.pools) plan_pool(change, out);
  for (const IpAddress& address : changed.cluster_ips)
    plan_presence({maps(address.family()).cluster_ips, nftables::address_key(address)},
                  table.cluster_ips.contains(address), {}, out);
  plan_hairpins(changed, out);
}

void NftablesBackend::plan_balancing(const ServiceDelta& changed, TableChanges& out) {
  std::set<std::pair<IpFamily, std::size_t>> toggled;
  for (const PoolChange& change : changed.pools) {
    if (change.size_now == change.size_before) continue;
    const IpFamily family = change.pool.family;
    if (change.size_now > 0) model::count(sizes_, toggled, {family, change.size_now});
    if (change.size_before > 0) model::uncount(sizes_, toggled, {family, change.size_before});
  }
  for (const auto& [family, size] : toggled)
    plan_presence({nftables::intern(family, NftType::kChain, nftables::balance_chain(size)), {}},
                  sizes_.contains({family, size}), nftables::balancing(family, size), out);
}

void NftablesBackend::plan_hairpins(const ServiceDelta& changed, TableChanges& out) {
  std::set<IpAddress> toggled;
  for (const PoolChange& change : changed.pools)
    for (const SlotChange& slot : change.slots) {
      if (slot.current && slot.current->local) model::count(local_, toggled, slot.current->address);
      if (slot.previous && slot.previous->local)
        model::uncount(local_, toggled, slot.previous->address);
    }
  for (const IpAddress& address : toggled)
    plan_presence({maps(address.family()).hairpin, nftables::hairpin_key(address)},
                  local_.contains(address), {}, out);
}

// A frontend that leads to another pool than before is written in full.
void NftablesBackend::plan_frontend(const ServiceTable& table, const ServiceDelta& changed,
                                    const FrontendChange& change, TableChanges& out) const {
  static const std::vector<Backend> none;
  const NftBytes frontend = nftables::frontend_key(change.frontend);
  const Maps& at = maps(change.frontend.address.family());
  if (change.moved()) {
    const std::size_t before =
        change.previous ? size_before(table, changed, change.previous->pool) : 0;
    const auto& now = change.current ? table.backends_of(*change.current) : none;
    plan_service(at.services, frontend, before, now.size(), out);
    for (std::size_t i = 0; i < now.size(); ++i)
      set_endpoint(at.endpoints, frontend, i, now[i], out);
    for (std::size_t i = now.size(); i < before; ++i)
      remove_endpoint(at.endpoints, frontend, i, out);
    plan_verdict(at.checks, frontend, change.previous && before == 0, change.current && now.empty(),
                 nftables::kRejectIt, out);
  }
  plan_verdict(at.masquerade_frontends, frontend, change.previous && change.previous->masquerade,
               change.current && change.current->masquerade, nftables::kMasqueradeAll, out);
}

void NftablesBackend::plan_pool(const PoolChange& change, TableChanges& out) const {
  const Maps& at = maps(change.pool.family);
  for (const Frontend& each : change.frontends) {
    const NftBytes frontend = nftables::frontend_key(each);
    plan_service(at.services, frontend, change.size_before, change.size_now, out);
    for (const SlotChange& slot : change.slots) plan_slot(at.endpoints, frontend, slot, out);
    plan_verdict(at.checks, frontend, change.size_before == 0, change.size_now == 0,
                 nftables::kRejectIt, out);
  }
}

}  // namespace weft::service
