// SPDX-License-Identifier: Apache-2.0
//
// The agent's configuration file, in Kubernetes style, YAML or JSON (schema and defaults: README.md
// beside this). Strict: a field that is unknown, mistyped or out of range is an error that names
// file, line, field and value, because a setting that is silently not taken is found at 3 a.m.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "control/unix_address.h"
#include "log/log.h"

namespace weft::agent {

struct CniConfig {
  std::string configuration_directory = "/etc/cni/net.d";
  std::string data_directory = "/var/lib/cni/networks";
};

struct PodNetworkConfig {
  std::string transport = "vxlan";  // one of podnet::transport_names()
  std::uint32_t mtu = 0;            // 0: from the underlay
  bool masquerade = true;
};

struct ServicesConfig {
  std::string backend = "nftables";
  std::vector<IpAddress> node_port_addresses{};  // empty: the node's first address of each family
};

struct Config {
  std::string node_name{};
  std::string state_directory = "/var/lib/weft";
  std::string control_socket = control::kDefaultSocket;
  std::string manifest_directory = "/etc/weft/manifests";
  std::vector<Prefix> cluster_cidrs{};
  std::vector<Prefix> service_cidrs{};
  PodNetworkConfig pod_network{};
  CniConfig cni{};
  ServicesConfig services{};
  std::chrono::milliseconds resync_period{30'000};  // 0: none
  bool watch_kernel = true;
  log::Level log_level = log::Level::kInfo;
};

Result<Config> load_config(const std::string& path);

// `file` is only for messages.
Result<Config> parse_config(std::string_view text, std::string_view file);

// "30s", "500ms", "1m30s", "0": as Go's time.ParseDuration, down to milliseconds, not negative.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace weft::agent
