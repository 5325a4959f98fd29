// SPDX-License-Identifier: Apache-2.0
// The way back: from the kernel's table to the ServiceTable it carries out.
#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <map>
#include <optional>
#include <set>

#include "service/nftables/backend.h"
#include "service/nftables/elements.h"
#include "service/nftables/names.h"
#include "tables/names.h"

namespace weft::service {
namespace {

using model::Backend;
using model::Frontend;
using model::Served;
using tables::NftKind;

// What the elements say, before it is put together.
struct Findings {
  std::map<Frontend, std::size_t> balanced{};  // → how many backends the verdict spreads over
  std::map<Frontend, std::map<std::uint32_t, Backend>> endpoints{};
  std::set<Frontend> refused{};
  std::set<Frontend> masqueraded{};
  std::set<IpAddress> cluster_ips{};
  std::set<IpAddress> local{};
};

// The chain that a verdict with this code leads to.
std::string_view chain_of(const NftKind::Value& value, std::int32_t code) {
  const Bytes data = value.data().view();
  if (data.size() < sizeof code || load<std::int32_t>(data) != code) return {};
  const Bytes chain = data.subspan(sizeof code);
  return {reinterpret_cast<const char*>(chain.data()), chain.size()};
}

bool note_balanced(Findings& found, const std::optional<Frontend>& frontend,
                   std::string_view chain) {
  const std::size_t backends = nftables::balanced_by(chain);
  if (!frontend || backends == 0) return false;
  found.balanced.emplace(*frontend, backends);
  return true;
}

bool note_endpoint(Findings& found, const std::optional<nftables::EndpointKey>& key,
                   const std::optional<Backend>& backend) {
  if (!key || !backend) return false;
  found.endpoints[key->frontend].emplace(key->index, *backend);
  return true;
}

template <class Key>
bool note(std::set<Key>& into, const std::optional<Key>& key, bool understood = true) {
  if (!key || !understood) return false;
  into.insert(*key);
  return true;
}

// What the kernel does with a new connection. One that is refused is not translated first; an index
// that is missing is served by the fallback, index 0.
Served served_by(const Frontend& frontend, const Findings& found) {
  Served served;
  served.kind = found.cluster_ips.contains(frontend.address) ? model::FrontendKind::kClusterIp
                                                             : model::FrontendKind::kNodePort;
  served.masquerade = found.masqueraded.contains(frontend);
  const auto balanced = found.balanced.find(frontend);
  const auto endpoints = found.endpoints.find(frontend);
  if (found.refused.contains(frontend) || balanced == found.balanced.end() ||
      endpoints == found.endpoints.end())
    return served;
  for (const auto& [index, backend] : endpoints->second) {
    if (index >= balanced->second) break;
    served.backends.push_back(backend);
    served.backends.back().local = found.local.contains(backend.address);
  }
  return served;
}

model::ServiceTable table_of(const Findings& found) {
  model::ServiceTable table;
  for (const auto& [frontend, backends] : found.balanced)
    add_with_own_pool(table, frontend, served_by(frontend, found));
  for (const Frontend& frontend : found.refused)
    if (!found.balanced.contains(frontend))
      add_with_own_pool(table, frontend, served_by(frontend, found));
  return table;
}

}  // namespace

Result<Interpretation> NftablesBackend::interpret(tables::KernelTables& kernel) const {
  WEFT_ASSIGN(const NftKind::Table actual, kernel.read<NftKind>(tables::kServicesTable));
  return services_in(actual);
}

Interpretation NftablesBackend::services_in(const NftKind::Table& actual) const {
  Findings found;
  Interpretation interpretation;
  const auto understand = [&](const NftKind::Key& key, const NftKind::Value& value) {
    const Bytes bytes = key.element.view();
    const IpFamily family = key.name->family == NFPROTO_IPV4 ? IpFamily::kIpv4 : IpFamily::kIpv6;
    const Maps& at = maps(family);
    if (key.name == at.services)
      return note_balanced(found, nftables::read_frontend(bytes, family),
                           chain_of(value, NFT_JUMP));
    if (key.name == at.endpoints)
      return note_endpoint(found, nftables::read_endpoint_key(bytes, family),
                           nftables::read_backend(value.data().view(), family));
    if (key.name == at.checks)
      return note(found.refused, nftables::read_frontend(bytes, family),
                  chain_of(value, NFT_GOTO) == nftables::kRejectIt);
    if (key.name == at.masquerade_frontends)
      return note(found.masqueraded, nftables::read_frontend(bytes, family));
    if (key.name == at.hairpin) return note(found.local, nftables::read_address(bytes, family));
    if (key.name == at.cluster_ips)
      return note(found.cluster_ips, nftables::read_address(bytes, family));
    return true;
  };
  for (const auto& [key, value] : actual)
    if (!key.element.empty() && !understand(key, value))
      interpretation.foreign.push_back(
          fmt::format("{}: {}", NftKind::describe(key), NftKind::describe(key, value)));
  interpretation.services = table_of(found);
  return interpretation;
}

}  // namespace weft::service
