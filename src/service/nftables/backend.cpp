// SPDX-License-Identifier: Apache-2.0
#include "service/nftables/backend.h"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>

#include "service/nftables/base.h"
#include "service/nftables/elements.h"
#include "service/nftables/names.h"

namespace weft::service {

using model::Backend;
using model::Frontend;
using model::FrontendEntry;
using tables::NftKind;
using tables::NftName;
using tables::NftType;
using tables::TableChanges;

namespace {

const std::vector<Backend>& backends_of(const std::optional<FrontendEntry>& entry) {
  static const std::vector<Backend> none;
  return entry ? entry->backends : none;
}

bool same_target(const Backend& a, const Backend& b) {
  return a.address == b.address && a.port == b.port;
}

// The element of a verdict map that a frontend has or has not, in step with a condition.
void plan_verdict(const NftName* map, const Frontend& frontend, bool before, bool now,
                  std::string_view chain, TableChanges& out) {
  if (now && !before)
    out.set<NftKind>({map, nftables::frontend_key(frontend)}, tables::nft_verdict(NFT_GOTO, chain));
  else if (before && !now)
    out.remove<NftKind>({map, nftables::frontend_key(frontend)});
}

void plan_balancing(const NftName* map, const Frontend& frontend, std::size_t before,
                    std::size_t now, TableChanges& out) {
  if (now == before) return;
  if (now > 0)
    out.set<NftKind>({map, nftables::frontend_key(frontend)},
                     tables::nft_verdict(NFT_JUMP, nftables::balance_chain(now)));
  else
    out.remove<NftKind>({map, nftables::frontend_key(frontend)});
}

void plan_endpoints(const NftName* map, const Frontend& frontend,
                    const std::vector<Backend>& before, const std::vector<Backend>& now,
                    TableChanges& out) {
  for (std::size_t i = 0; i < now.size(); ++i)
    if (i >= before.size() || !same_target(before[i], now[i]))
      out.set<NftKind>({map, nftables::endpoint_key(frontend, static_cast<std::uint32_t>(i))},
                       tables::nft_data(nftables::backend_data(now[i])));
  for (std::size_t i = now.size(); i < before.size(); ++i)
    out.remove<NftKind>({map, nftables::endpoint_key(frontend, static_cast<std::uint32_t>(i))});
}

// At most so many edits, but for the shared sets'.
std::size_t edits_of(const model::ServiceDelta& changed) {
  constexpr std::size_t kVerdicts = 3;
  std::size_t edits = 0;
  for (const model::FrontendChange& change : changed.frontends)
    edits += kVerdicts +
             std::max(backends_of(change.previous).size(), backends_of(change.current).size());
  return edits + changed.backend_counts.size() + changed.cluster_ips.size() +
         changed.local_backends.size();
}

// An entry that is there or not.
void plan_presence(const NftKind::Key& key, bool present, NftKind::Value value, TableChanges& out) {
  if (present)
    out.set<NftKind>(key, std::move(value));
  else
    out.remove<NftKind>(key);
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

void NftablesBackend::plan_base(const ServiceContext& context, TableChanges& out) const {
  for (const IpFamily family : context.families) nftables::plan_table(context, family, out);
}

void NftablesBackend::plan(const model::ServiceTable& table, const model::ServiceDelta& changed,
                           TableChanges& out) const {
  auto& edits = out.of<NftKind>();
  edits.reserve(edits.size() + edits_of(changed));
  for (const auto& [family, backends] : changed.backend_counts)
    plan_presence(
        {nftables::intern(family, NftType::kChain, nftables::balance_chain(backends)), {}},
        table.backend_counts.contains({family, backends}), nftables::balancing(family, backends),
        out);
  for (const model::FrontendChange& change : changed.frontends) plan_frontend(change, out);
  for (const IpAddress& address : changed.cluster_ips)
    plan_presence({maps(address.family()).cluster_ips, nftables::address_key(address)},
                  table.cluster_ips.contains(address), {}, out);
  for (const IpAddress& address : changed.local_backends)
    plan_presence({maps(address.family()).hairpin, nftables::hairpin_key(address)},
                  table.local_backends.contains(address), {}, out);
}

void NftablesBackend::plan_frontend(const model::FrontendChange& change, TableChanges& out) const {
  const Frontend& frontend = change.frontend;
  const Maps& at = maps(frontend.address.family());
  const std::vector<Backend>& before = backends_of(change.previous);
  const std::vector<Backend>& now = backends_of(change.current);
  plan_balancing(at.services, frontend, before.size(), now.size(), out);
  plan_endpoints(at.endpoints, frontend, before, now, out);
  plan_verdict(at.checks, frontend, change.previous && before.empty(),
               change.current && now.empty(), nftables::kRejectIt, out);
  plan_verdict(at.masquerade_frontends, frontend, change.previous && change.previous->masquerade,
               change.current && change.current->masquerade, nftables::kMasqueradeAll, out);
}

}  // namespace weft::service
