// SPDX-License-Identifier: Apache-2.0
//
// The addresses host-local may hand out. A range is a subnet with a first, a last and a gateway
// address; a range set is one or more ranges of one family, of which an interface gets one address;
// several sets (one per family, say) give several addresses. The rules are those of the reference
// host-local plugin, so that a configuration good there is good here and the other way round.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace weft::ipam {

// As written in a configuration: what is left out has a default.
struct RangeSpec {
  Prefix subnet{};
  std::optional<IpAddress> start{};    // default: the subnet's first host
  std::optional<IpAddress> end{};      // default: its last host (IPv4: below the broadcast address)
  std::optional<IpAddress> gateway{};  // default: the subnet's first host; never handed out
};

struct Range {
  Prefix subnet{};
  IpAddress start{};
  IpAddress end{};  // inclusive
  IpAddress gateway{};

  bool contains(const IpAddress& address) const;
  bool overlaps(const Range& other) const;
  std::string to_string() const;  // "10.1.0.2-10.1.0.254"
};

using RangeSet = std::vector<Range>;

// Fails when the subnet has host bits or room for fewer than two hosts, when start, end or gateway
// is of the other family, or when start or end is outside (end may not come before start).
Result<Range> resolve(const RangeSpec& spec);

// One family, at least one range, no two that overlap.
Result<RangeSet> make_range_set(const std::vector<RangeSpec>& specs);

const Range* find_range(const RangeSet& set, const IpAddress& address);
bool overlaps(const RangeSet& a, const RangeSet& b);
std::string to_string(const RangeSet& set);

}  // namespace weft::ipam
