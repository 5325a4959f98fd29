// SPDX-License-Identifier: Apache-2.0
//
// host-local's part of a configuration: `ipam` with ranges (and the old single range at its top),
// routes, dataDir, resolvConf; requested addresses from CNI_ARGS, args.cni.ips and
// runtimeConfig.ips; runtimeConfig.ipRanges before the configured ranges. Keys and rules are the
// reference's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cni/plugin.h"
#include "cni/result.h"
#include "ipam/host_local/range.h"

namespace weft::cni {

inline constexpr std::string_view kHostLocalDirectory = "/var/lib/cni/networks";

struct HostLocalConfig {
  std::string data_directory{};
  std::string resolv_conf{};  // path; "" = none
  std::vector<Route> routes{};
  std::vector<ipam::RangeSet> ranges{};
  std::vector<IpAddress> requested{};
};

Outcome<HostLocalConfig> decode_host_local(const NetworkConfig& config, std::string_view arguments);

// What DEL needs, and no more: a release must not fail because the ranges have changed.
Outcome<std::string> decode_data_directory(const NetworkConfig& config);

// A resolv.conf's nameservers, domain, search list and options (man 5 resolv.conf).
Dns parse_resolv_conf(std::string_view text);

}  // namespace weft::cni
