// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/pod_namespace.h"

#include <cerrno>
#include <vector>

#include "cni/plugins/neighbor_groups.h"
#include "linux/netlink/link.h"
#include "linux/netlink/link_removal.h"
#include "linux/sysctl.h"
#include "tables/names.h"

namespace weft::cni {
namespace {

// What a pod's namespace has is the plugin's.
tables::Ownership ownership() {
  tables::Ownership plugin;
  plugin.protocol = tables::kRouteProtocol;
  return plugin;
}

// As the reference: for lo and for what gets addresses.
Result<> enable_ipv6(const Netns& netns, const PodTables& tables) {
  WEFT_ASSIGN(const NetnsGuard inside, NetnsGuard::enter(netns));
  for (const auto& [name, link] : tables.pod_links)
    WEFT_TRY(ensure_sysctl("net/ipv6/conf/" + name + "/disable_ipv6", "0"));
  return {};
}

}  // namespace

Result<PodNamespace> PodNamespace::try_open(const std::string& path) {
  WEFT_ASSIGN(Netns netns, Netns::open(path));
  WEFT_ASSIGN(tables::KernelTables kernel, tables::KernelTables::open(netns, ownership()));
  return PodNamespace(std::move(netns), std::move(kernel));
}

Outcome<PodNamespace> PodNamespace::open(const std::string& path) {
  Result<PodNamespace> pod = try_open(path);
  if (!pod)
    return fail(ErrorCode::kInvalidEnvironment, std::move(pod.error()).in("CNI_NETNS=" + path));
  return std::move(*pod);
}

std::optional<PodNamespace> PodNamespace::open_if_there(const std::string& path) {
  if (path.empty()) return std::nullopt;
  Result<PodNamespace> pod = try_open(path);
  return pod ? std::optional(std::move(*pod)) : std::nullopt;
}

Outcome<> PodNamespace::require_free(const std::string& ifname) {
  CNI_ASSIGN(const std::optional<netlink::Link> link, find_link(kernel_.socket(), ifname));
  if (!link) return {};
  return fail(
      ErrorCode::kInvalidEnvironment,
      "CNI_IFNAME=" + ifname + ": an interface of this name exists in the namespace already");
}

Result<> PodNamespace::try_write(const PodTables& pod) {
  using namespace tables;
  return kernel_.write(additions<LinkKind>(pod.pod_links),
                       additions<AddressKind>(pod.pod_addresses),
                       additions<RouteKind>(pod.pod_routes));
}

Outcome<> PodNamespace::write(const PodTables& tables) {
  Result<> written = try_write(tables);
  if (!written && written.error().code == EACCES) {  // what the kernel says where IPv6 is off
    CNI_TRY(enable_ipv6(netns_, tables));
    written = try_write(tables);
  }
  CNI_TRY(written);
  return {};
}

Outcome<> PodNamespace::wait_until_heard(const PodTables& tables) {
  std::vector<IpAddress> addresses;
  for (const auto& [key, value] : tables.pod_addresses) addresses.push_back(key.prefix.address);
  return wait_for_neighbor_groups(kernel_.socket(), addresses);
}

Outcome<> PodNamespace::remove(const std::string& ifname) {
  CNI_ASSIGN(const std::optional<netlink::Link> link, find_link(kernel_.socket(), ifname));
  if (!link) return {};
  CNI_TRY(netlink::remove_link(kernel_.socket(), link->index));
  return {};
}

}  // namespace weft::cni
