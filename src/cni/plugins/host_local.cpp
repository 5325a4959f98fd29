// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/host_local_config.h"
#include "cni/plugins/plugins.h"
#include "ipam/host_local/allocator.h"
#include "ipam/host_local/store.h"
#include "linux/file.h"

namespace weft::cni {
namespace {

ipam::Owner owner_of(const Request& request) {
  return {request.environment.container_id, request.environment.ifname};
}

Outcome<Dns> read_resolv_conf(const std::string& path) {
  if (path.empty()) return Dns{};
  Result<std::string> text = read_file(path);
  if (!text) return fail(ErrorCode::kInputOutput, std::move(text.error()).in("ipam.resolvConf"));
  return parse_resolv_conf(*text);
}

}  // namespace

Outcome<CniResult> host_local_add(const Request& request) {
  CNI_ASSIGN(const HostLocalConfig config,
             decode_host_local(request.config, request.environment.args));
  CniResult result;
  CNI_ASSIGN(result.dns, read_resolv_conf(config.resolv_conf));
  result.routes = config.routes;
  Result<ipam::Store> store = ipam::Store::open(config.data_directory, request.config.name);
  if (!store) return fail(ErrorCode::kInputOutput, store.error());
  CNI_ASSIGN(const std::vector<ipam::Lease> leases,
             ipam::allocate(*store, owner_of(request), config.ranges, config.requested));
  for (const ipam::Lease& lease : leases)
    result.ips.push_back({lease.address, lease.gateway, std::nullopt});
  return result;
}

Outcome<> host_local_del(const Request& request) {
  CNI_ASSIGN(const std::string directory, decode_data_directory(request.config));
  Result<std::optional<ipam::Store>> store =
      ipam::Store::open_existing(directory, request.config.name);
  if (!store) return fail(ErrorCode::kInputOutput, store.error());
  if (*store) CNI_TRY(ipam::release(**store, owner_of(request)));
  return {};
}

}  // namespace weft::cni
