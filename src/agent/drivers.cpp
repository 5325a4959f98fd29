// SPDX-License-Identifier: Apache-2.0
#include "agent/drivers.h"

#include "linux/netns.h"
#include "linux/sysctl.h"
#include "tables/address_driver.h"
#include "tables/fdb_driver.h"
#include "tables/file_driver.h"
#include "tables/link_driver.h"
#include "tables/names.h"
#include "tables/neighbor_driver.h"
#include "tables/nft_driver.h"
#include "tables/route_driver.h"
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

Result<std::vector<std::uint32_t>> add_drivers(reconcile::Reconciler& tables,
                                               netlink::Socket& route, const Config& config) {
  using std::make_unique;
  WEFT_ASSIGN(Netns netns, Netns::current());
  WEFT_ASSIGN(netlink::Socket netfilter, netlink::Socket::open(NETLINK_NETFILTER));
  const std::vector<std::uint32_t> own{route.port_id(), netfilter.port_id()};
  WEFT_ASSIGN(const auto boot, read_sysctl("kernel/random/boot_id"));
  const std::vector<std::string> links = agent_ownership().links;
  const std::string cni_file =
      config.cni.configuration_directory + "/" + std::string(tables::kCniConfigurationFile);

  tables.add<tables::LinkKind>(make_unique<tables::LinkDriver>(route, links),
                               {.stage = 1, .cascades = true});
  tables.add<tables::SysctlKind>(make_unique<tables::SysctlDriver>(
                                     std::move(netns), config.state_directory, boot.value_or("")),
                                 {.stage = 2, .rests_on_links = true});
  tables.add<tables::AddressKind>(make_unique<tables::AddressDriver>(route, links),
                                  {.stage = 3, .rests_on_links = true, .cascades = true});
  tables.add<tables::NeighborKind>(make_unique<tables::NeighborDriver>(route, links),
                                   {.stage = 4, .rests_on_links = true});
  const std::vector<std::string> vxlan{std::string(tables::kVxlan)};  // a bridge learns its own
  tables.add<tables::FdbKind>(make_unique<tables::FdbDriver>(route, vxlan),
                              {.stage = 4, .rests_on_links = true});
  tables.add<tables::RouteKind>(make_unique<tables::RouteDriver>(route),
                                {.stage = 5, .rests_on_links = true});
  tables.add<tables::NftKind>(make_unique<tables::NftDriver>(std::move(netfilter)),
                              {.stage = 6, .atomic = true});
  // A runtime that sees the file starts pods. Neighbors, FDB entries and routes lead to peers: one
  // that cannot be reached is no reason for this node to run nothing.
  tables.add<tables::FileKind>(
      make_unique<tables::FileDriver>(std::vector{cni_file}, config.state_directory),
      {.stage = 7,
       .waits_for = {tables::LinkKind::kName, tables::SysctlKind::kName, tables::AddressKind::kName,
                     tables::NftKind::kName}});
  return own;
}

}  // namespace weft::agent
