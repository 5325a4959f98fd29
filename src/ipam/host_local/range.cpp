// SPDX-License-Identifier: Apache-2.0
#include "ipam/host_local/range.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace weft::ipam {
namespace {

// Two host bits leave two hosts beside the network and broadcast addresses.
constexpr int kHostBits = 2;

IpAddress last_host(const Prefix& subnet) {
  if (subnet.family() == IpFamily::kIpv6) return subnet.last();
  return subnet.at((std::uint64_t{1} << (32 - subnet.length)) - 2);
}

Result<> check_subnet(const Prefix& subnet) {
  if (subnet.length > address_bits(subnet.family()) - kHostBits)
    return fail("subnet " + subnet.to_string() + " is too small to allocate from");
  if (!subnet.is_network())
    return fail("subnet " + subnet.to_string() + " has host bits set: the network is " +
                subnet.network().to_string());
  return {};
}

Result<> check_inside(std::string_view field, const std::optional<IpAddress>& address,
                      const Prefix& subnet) {
  if (!address || subnet.contains(*address)) return {};
  return fail(std::string(field) + " " + address->to_string() + " is not in " + subnet.to_string());
}

}  // namespace

bool Range::contains(const IpAddress& address) const {
  return address.family() == subnet.family() && start <= address && address <= end;
}

bool Range::overlaps(const Range& other) const {
  return subnet.family() == other.subnet.family() && start <= other.end && other.start <= end;
}

std::string Range::to_string() const { return start.to_string() + "-" + end.to_string(); }

Result<Range> resolve(const RangeSpec& spec) {
  WEFT_TRY(check_subnet(spec.subnet));
  WEFT_TRY(check_inside("rangeStart", spec.start, spec.subnet));
  WEFT_TRY(check_inside("rangeEnd", spec.end, spec.subnet));
  if (spec.gateway && spec.gateway->family() != spec.subnet.family())
    return fail("gateway " + spec.gateway->to_string() + " is not of the family of " +
                spec.subnet.to_string());
  const Range range{spec.subnet, spec.start.value_or(spec.subnet.at(1)),
                    spec.end.value_or(last_host(spec.subnet)),
                    spec.gateway.value_or(spec.subnet.at(1))};
  if (range.end < range.start)
    return fail("rangeEnd " + range.end.to_string() + " comes before rangeStart " +
                range.start.to_string());
  return range;
}

Result<RangeSet> make_range_set(const std::vector<RangeSpec>& specs) {
  if (specs.empty()) return fail("empty range set");
  RangeSet set;
  for (const RangeSpec& spec : specs) {
    WEFT_ASSIGN(const Range range, resolve(spec));
    if (range.subnet.family() != specs.front().subnet.family())
      return fail("mixed address families: " + set.front().subnet.to_string() + " and " +
                  range.subnet.to_string());
    for (const Range& other : set) {
      if (range.overlaps(other))
        return fail("ranges " + other.to_string() + " and " + range.to_string() + " overlap");
    }
    set.push_back(range);
  }
  return set;
}

const Range* find_range(const RangeSet& set, const IpAddress& address) {
  const auto found = std::find_if(set.begin(), set.end(),
                                  [&](const Range& range) { return range.contains(address); });
  return found == set.end() ? nullptr : &*found;
}

bool overlaps(const RangeSet& a, const RangeSet& b) {
  return std::any_of(a.begin(), a.end(), [&](const Range& range) {
    return std::any_of(b.begin(), b.end(),
                       [&](const Range& other) { return range.overlaps(other); });
  });
}

std::string to_string(const RangeSet& set) {
  std::string text;
  for (const Range& range : set) {
    if (!text.empty()) text += ",";
    text += range.to_string();
  }
  return text;
}

}  // namespace weft::ipam
