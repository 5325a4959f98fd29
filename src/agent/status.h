// SPDX-License-Identifier: Apache-2.0
// What the agent says of itself: gathered by the agent, sent as JSON, shown by `weft status`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "reconcile/table.h"

namespace weft::agent {

struct Status {
  std::string node{};
  std::string waiting_for{};        // "" once everything was planned
  bool settled = false;             // the kernel has been brought to what the model says
  bool uninstalling = false;        // nothing is planned any more
  std::vector<std::string> left{};  // what an uninstall could not remove, a line a kind
  std::vector<Prefix> pod_cidrs{};
  std::string transport{};
  std::string underlay_link{};
  std::optional<IpAddress> underlay_address{};
  std::uint32_t underlay_mtu = 0;
  std::uint32_t pod_mtu = 0;
  std::string services_backend{};
  std::size_t peers = 0;
  std::size_t services = 0;
  std::size_t frontends = 0;
  std::size_t backends = 0;             // frontend × backend: what the kernel holds
  std::vector<std::string> problems{};  // input that is not served as it stands, and why
  std::vector<std::string> failing{};   // writes and reads that failed and are tried again
  std::uint64_t failures = 0;           // such, ever
  std::uint64_t drift_found = 0;        // ever
  std::chrono::seconds uptime{0};
  int pid = 0;
  std::uint64_t memory_bytes = 0;  // resident
};

// A line for each kind: "nft: ip weft-podnet and 3 more"; the shortest name is the outermost
// thing's.
std::vector<std::string> left_texts(const std::vector<reconcile::Drift>& left);

std::string to_json(const Status& status);

// The JSON as aligned lines for people. Fails when it is not a Status.
Result<std::string> status_text(std::string_view json);

// Of this process, in bytes; 0 when /proc does not say.
std::uint64_t resident_memory();

}  // namespace weft::agent
