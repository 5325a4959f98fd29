// SPDX-License-Identifier: Apache-2.0
//
// The bridge plugin's configuration: the reference's names and defaults. A key that this plugin
// does not carry out, set to a value that asks for something, is an error (code 2) that names key
// and value; it is never silently ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "cni/plugin.h"
#include "cni/result.h"

namespace weft::cni {

struct BridgeConfig {
  std::string bridge = "cni0";
  bool is_gateway = false;          // the bridge gets the gateway addresses
  bool is_default_gateway = false;  // … and pods a default route (implies is_gateway)
  bool force_address = false;       // another gateway address on the bridge gives way
  bool hairpin = false;
  std::optional<std::uint32_t> mtu{};
  std::optional<MacAddress> mac{};  // the pod's: runtimeConfig.mac, args.cni.mac, CNI_ARGS MAC
  std::string ipam_type{};          // "" = no addresses
  Dns dns{};                        // in place of what IPAM says
};

Outcome<BridgeConfig> decode_bridge(const NetworkConfig& config, std::string_view arguments);

// What DEL needs, and no more: a pod must go even when the rest is no longer understood.
Outcome<std::string> decode_ipam_type(const NetworkConfig& config);

}  // namespace weft::cni
