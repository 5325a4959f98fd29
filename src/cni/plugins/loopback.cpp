// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/plugins.h"
#include "linux/netns.h"
#include "tables/kernel_tables.h"

namespace weft::cni {
namespace {

using tables::AddressKind;
using tables::KernelTables;
using tables::LinkKind;

const std::string kLoopback = "lo";  // whatever CNI_IFNAME says

Result<KernelTables> open_pod(const Netns& netns) {
  return KernelTables::open(netns, {.links = {kLoopback}});
}

Result<> set_up(KernelTables& pod, bool up) {
  const LinkKind::Table links{{kLoopback, {.up = up}}};
  return pod.write(tables::additions<LinkKind>(links));
}

// A loopback address of each family that has addresses, IPv4 first.
Outcome<std::vector<IpConfig>> read_addresses(KernelTables& pod) {
  CNI_ASSIGN(const AddressKind::Table addresses, pod.read<AddressKind>());
  std::vector<IpConfig> ips;
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    std::optional<Prefix> other;
    std::optional<Prefix> found;
    for (const auto& [key, value] : addresses) {
      if (key.prefix.family() != family) continue;
      std::optional<Prefix>& place = key.prefix.address.is_loopback() ? found : other;
      if (!place) place = key.prefix;
    }
    if (other && !found)
      return fail(ErrorCode::kInternal,
                  "lo has an address that is no loopback address: " + other->to_string());
    if (found) ips.push_back({*found, std::nullopt, 0});
  }
  return ips;
}

}  // namespace

Outcome<CniResult> loopback_add(const Request& request) {
  Result<Netns> netns = Netns::open(request.environment.netns);
  if (!netns) return fail(ErrorCode::kInvalidEnvironment, std::move(netns.error()).in("CNI_NETNS"));
  CNI_ASSIGN(KernelTables pod, open_pod(*netns));
  CNI_TRY(set_up(pod, true));
  if (request.config.prev_result) return *request.config.prev_result;
  CniResult result;
  result.interfaces.push_back(
      {.name = kLoopback, .mac = MacAddress{}.to_string(), .sandbox = request.environment.netns});
  CNI_ASSIGN(result.ips, read_addresses(pod));
  return result;
}

Outcome<> loopback_del(const Request& request) {
  if (request.environment.netns.empty()) return {};
  Result<Netns> netns = Netns::open(request.environment.netns);
  if (!netns) return {};  // gone, and lo with it
  CNI_ASSIGN(KernelTables pod, open_pod(*netns));
  CNI_TRY(set_up(pod, false));
  return {};
}

}  // namespace weft::cni
