// SPDX-License-Identifier: Apache-2.0
//
// What ADD gives: interfaces, addresses, routes and DNS of an attachment, as specification 1.1.0
// models them (SPEC.md, "Section 5: Result Types", "Success"). Older formats are read into and
// written from this (result_json.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"

namespace weft::cni {

struct Interface {
  std::string name{};
  std::string mac{};
  std::optional<std::uint32_t> mtu{};
  std::string sandbox{};  // the namespace's path; "" = on the host
  std::string socket_path{};
  std::string pci_id{};
  bool operator==(const Interface&) const = default;
};

struct IpConfig {
  Prefix address{};  // with host bits
  std::optional<IpAddress> gateway{};
  std::optional<std::uint32_t> interface {};  // place in CniResult::interfaces
  bool operator==(const IpConfig&) const = default;
};

struct Route {
  Prefix destination{};
  std::optional<IpAddress> gateway{};
  std::optional<std::uint32_t> mtu{};
  std::optional<std::uint32_t> advmss{};
  std::optional<std::uint32_t> priority{};
  std::optional<std::uint32_t> table{};
  std::optional<std::uint32_t> scope{};
  bool operator==(const Route&) const = default;
};

struct Dns {
  std::vector<std::string> nameservers{};
  std::string domain{};
  std::vector<std::string> search{};
  std::vector<std::string> options{};
  bool operator==(const Dns&) const = default;
};

struct CniResult {
  std::vector<Interface> interfaces{};
  std::vector<IpConfig> ips{};
  std::vector<Route> routes{};
  Dns dns{};
  bool operator==(const CniResult&) const = default;
};

}  // namespace weft::cni
