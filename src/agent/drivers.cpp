// SPDX-License-Identifier: Apache-2.0
#include "agent/drivers.h"

#include "linux/netns.h"
#include "linux/sysctl.h"
#include "tables/file_driver.h"
#include "tables/names.h"
#include "tables/nft_driver.h"
#include "tables/sysctl_driver.h"

namespace weft::agent {

tables::Ownership agent_ownership() {
  tables::Ownership agent;
  agent.links = {std::string(tables::kBridge), std::string(tables::kVxlan)};
  agent.protocol = tables::kRouteProtocol;
  agent.port_group = tables::kPodLinkGroup;
  agent.nft_tables = {std::string(tables::kPodnetTable), std::string(tables::kServicesTable)};
  return agent;
}

Result<std::vector<std::uint32_t>> add_drivers(reconcile::Reconciler& reconciler,
                                               tables::KernelTables& kernel, const Config& config) {
  using std::make_shared;
  using namespace tables;  // every kind and its driver
  WEFT_ASSIGN(Netns netns, Netns::current());
  WEFT_ASSIGN(netlink::Socket netfilter, netlink::Socket::open(NETLINK_NETFILTER));
  const std::vector<std::uint32_t> own{kernel.socket().port_id(), netfilter.port_id()};
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
  reconciler.add<NftKind>(make_shared<NftDriver>(std::move(netfilter)),
                          {.stage = 6, .atomic = true});
  // A runtime that sees the file starts pods. Neighbors, FDB entries and routes lead to peers: one
  // that cannot be reached is no reason for this node to run nothing.
  reconciler.add<FileKind>(std::move(files), {.stage = 7,
                                              .waits_for = {LinkKind::kName, SysctlKind::kName,
                                                            AddressKind::kName, NftKind::kName}});
  return own;
}

}  // namespace weft::agent
