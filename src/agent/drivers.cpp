// SPDX-License-Identifier: Apache-2.0
#include "agent/drivers.h"

#include <string>
#include <string_view>
#include <utility>

#include "tables/names.h"
#include "tables/table_states.h"

namespace weft::agent {

namespace {

template <class Kind>
Result<> add(reconcile::Reconciler& reconciler, tables::KernelTables& kernel,
             reconcile::Placement place) {
  WEFT_ASSIGN(auto driver, kernel.driver<Kind>());
  reconciler.add<Kind>(std::move(driver), std::move(place));
  return {};
}

// What an earlier agent or boot left in the state directory is gone or put right before.
template <class Kind>
Result<> add_tidied(reconcile::Reconciler& reconciler, tables::KernelTables& kernel,
                    reconcile::Placement place) {
  WEFT_ASSIGN(auto driver, kernel.driver<Kind>());
  WEFT_TRY(driver->tidy());
  reconciler.add<Kind>(std::move(driver), std::move(place));
  return {};
}

// One instance a table.
Result<std::uint32_t> add_nft(reconcile::Reconciler& reconciler, tables::KernelTables& kernel,
                              std::string_view table, const NextTurn& next_turn) {
  using tables::NftKind;
  WEFT_ASSIGN(auto driver, kernel.driver<NftKind>(table, next_turn));
  const std::uint32_t port_id = driver->port_id();
  reconciler.add<NftKind>(
      table, std::move(driver), {.stage = 6, .atomic = true},
      [table](const NftKind::Key& key) { return NftKind::instance_of(key) == table; });
  return port_id;
}

}  // namespace

tables::Ownership agent_ownership(const Config& config) {
  tables::Ownership agent;
  agent.links = {std::string(tables::kBridge), std::string(tables::kVxlan)};
  agent.protocol = tables::kRouteProtocol;
  agent.port_group = tables::kPodLinkGroup;
  agent.nft_tables = {std::string(tables::kPodnetTable), std::string(tables::kServicesTable)};
  agent.state_directory = config.state_directory;
  agent.files = {config.cni.configuration_directory + "/" +
                 std::string(tables::kCniConfigurationFile)};
  return agent;
}

Result<std::vector<std::uint32_t>> add_drivers(reconcile::Reconciler& reconciler,
                                               tables::KernelTables& kernel,
                                               const NextTurn& next_turn) {
  using namespace tables;  // every kind
  WEFT_TRY(add<LinkKind>(reconciler, kernel, {.stage = 1, .cascades = true}));
  WEFT_TRY(add_tidied<SysctlKind>(reconciler, kernel, {.stage = 2, .rests_on_links = true}));
  WEFT_TRY(
      add<AddressKind>(reconciler, kernel, {.stage = 3, .rests_on_links = true, .cascades = true}));
  WEFT_TRY(add<NeighborKind>(reconciler, kernel, {.stage = 4, .rests_on_links = true}));
  WEFT_TRY(add<FdbKind>(reconciler, kernel, {.stage = 4, .rests_on_links = true}));
  WEFT_TRY(add<RouteKind>(reconciler, kernel, {.stage = 5, .rests_on_links = true}));
  WEFT_TRY(add<RuleKind>(reconciler, kernel, {.stage = 5}));
  std::vector<std::uint32_t> own{kernel.socket().port_id()};
  for (const std::string& table : kernel.ownership().nft_tables) {
    WEFT_ASSIGN(const std::uint32_t port_id, add_nft(reconciler, kernel, table, next_turn));
    own.push_back(port_id);
  }
  // A runtime that sees the file starts pods. Neighbors, FDB entries and routes lead to peers: one
  // that cannot be reached is no reason for this node to run nothing; nor is a Service that is not
  // served.
  std::vector<std::string> causes{"nft " + std::string(kPodnetTable)};
  for (const std::string_view kind : {LinkKind::kName, SysctlKind::kName, AddressKind::kName})
    causes.emplace_back(kind);
  WEFT_TRY(add_tidied<FileKind>(reconciler, kernel, {.stage = 7, .waits_for = std::move(causes)}));
  return own;
}

}  // namespace weft::agent
