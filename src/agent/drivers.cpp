// SPDX-License-Identifier: Apache-2.0
#include "agent/drivers.h"

#include <iterator>
#include <memory>
#include <utility>

#include "linux/netns.h"
#include "linux/sysctl.h"
#include "tables/file_driver.h"
#include "tables/names.h"
#include "tables/nft_driver.h"
#include "tables/sysctl_driver.h"
#include "tables/table_states.h"

namespace weft::agent {

namespace {

// One instance a table.
Result<std::uint32_t> add_nft(reconcile::Reconciler& reconciler, std::string_view table,
                              const NextTurn& next_turn) {
  using tables::NftKind;
  WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_NETFILTER));
  const std::uint32_t port_id = socket.port_id();
  reconciler.add<NftKind>(
      table, std::make_shared<tables::NftDriver>(std::move(socket), std::string(table), next_turn),
      {.stage = 6, .atomic = true},
      [table](const NftKind::Key& key) { return NftKind::instance_of(key) == table; });
  return port_id;
}

}  // namespace

Result<tables::NftKind::Table> read_nft(std::string_view table) {
  WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_NETFILTER));
  tables::NftDriver driver(std::move(socket), std::string(table));
  return reconcile::read_all(driver);
}

tables::Ownership agent_ownership() {
  tables::Ownership agent;
  agent.links = {std::string(tables::kBridge), std::string(tables::kVxlan)};
  agent.protocol = tables::kRouteProtocol;
  agent.port_group = tables::kPodLinkGroup;
  agent.nft_tables = {std::string(tables::kPodnetTable), std::string(tables::kServicesTable)};
  return agent;
}

Result<std::vector<std::uint32_t>> add_drivers(reconcile::Reconciler& reconciler,
                                               tables::KernelTables& kernel, const Config& config,
                                               const NextTurn& next_turn) {
  using std::make_shared;
  using namespace tables;  // every kind and its driver
  WEFT_ASSIGN(Netns netns, Netns::current());
  std::vector<std::uint32_t> own{kernel.socket().port_id()};
  WEFT_ASSIGN(const auto boot, read_sysctl("kernel/random/boot_id"));
  auto sysctls = make_shared<SysctlDriver>(std::move(netns), config.state_directory,
                                           boot.value_or(""), kernel.ownership().links);
  WEFT_TRY(sysctls->tidy());
  const std::string cni_file =
      config.cni.configuration_directory + "/" + std::string(kCniConfigurationFile);
  auto files = make_shared<FileDriver>(std::vector{cni_file}, config.state_directory);
  WEFT_TRY(files->tidy());

  reconciler.add<LinkKind>(kernel.driver<LinkKind>(), {.stage = 1, .cascades = true});
  reconciler.add<SysctlKind>(std::move(sysctls), {.stage = 2, .rests_on_links = true});
  reconciler.add<AddressKind>(kernel.driver<AddressKind>(),
                              {.stage = 3, .rests_on_links = true, .cascades = true});
  reconciler.add<NeighborKind>(kernel.driver<NeighborKind>(), {.stage = 4, .rests_on_links = true});
  reconciler.add<FdbKind>(kernel.driver<FdbKind>(), {.stage = 4, .rests_on_links = true});
  reconciler.add<RouteKind>(kernel.driver<RouteKind>(), {.stage = 5, .rests_on_links = true});
  reconciler.add<RuleKind>(kernel.driver<RuleKind>(), {.stage = 5});
  for (const std::string_view table : {kPodnetTable, kServicesTable}) {
    WEFT_ASSIGN(const std::uint32_t port_id, add_nft(reconciler, table, next_turn));
    own.push_back(port_id);
  }
  // A runtime that sees the file starts pods. Neighbors, FDB entries and routes lead to peers: one
  // that cannot be reached is no reason for this node to run nothing; nor is a Service that is not
  // served.
  std::vector<std::string> causes{"nft " + std::string(kPodnetTable)};
  for (const std::string_view kind : {LinkKind::kName, SysctlKind::kName, AddressKind::kName})
    causes.emplace_back(kind);
  reconciler.add<FileKind>(std::move(files), {.stage = 7, .waits_for = std::move(causes)});
  return own;
}

}  // namespace weft::agent
