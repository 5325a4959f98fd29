// SPDX-License-Identifier: Apache-2.0
#include "podnet/claims.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace weft::podnet {

namespace {

// Comes before every claim of this CIDR.
PodCidrClaim first_of(const Prefix& cidr) { return {cidr, {.other = false}, 0}; }

// Claims that do not overlap each other.
class Taken {
 public:
  // Takes it, or says which one is in its way.
  const PodCidrClaim* take(const PodCidrClaim& claim) {
    const Prefix& cidr = claim.cidr;
    // Of those that do not overlap each other, only the last to start before its end can reach it.
    const auto after = by_start_.upper_bound(cidr.last());
    if (after != by_start_.begin()) {
      const PodCidrClaim* before = std::prev(after)->second;
      if (before->cidr.contains(cidr.address) || cidr.contains(before->cidr.address)) return before;
    }
    by_start_.emplace(cidr.address, &claim);
    return nullptr;
  }

 private:
  std::map<IpAddress, const PodCidrClaim*> by_start_{};
};

}  // namespace

void PodCidrClaims::add(const PodCidrClaim& claim) {
  if (!claims_.insert(claim).second) return;
  ++lengths_[claim.cidr.family()][claim.cidr.length];
  changed_.insert(claim.cidr);
}

void PodCidrClaims::remove(const PodCidrClaim& claim) {
  if (claims_.erase(claim) == 0) return;
  auto& lengths = lengths_[claim.cidr.family()];
  const auto counted = lengths.find(claim.cidr.length);
  if (--counted->second == 0) lengths.erase(counted);
  changed_.insert(claim.cidr);
}

Prefix PodCidrClaims::around(const Prefix& network) const {
  const auto lengths = lengths_.find(network.family());
  if (lengths == lengths_.end()) return network;
  for (const auto& [length, count] : lengths->second) {
    if (length >= network.length) break;
    const Prefix larger = Prefix{network.address, length}.network();
    const auto found = claims_.lower_bound(first_of(larger));
    if (found != claims_.end() && found->cidr == larger) return larger;
  }
  return network;
}

void PodCidrClaims::decide(
    const std::function<bool(const PodCidrClaim&)>& is_barred,
    const std::function<void(const PodCidrClaim&, const PodCidrClaim* rival)>& decided) {
  std::set<Prefix> regions;
  for (const Prefix& network : std::exchange(changed_, {})) regions.insert(around(network));
  for (const Prefix& region : regions) {
    std::vector<const PodCidrClaim*> within;
    for (auto claim = claims_.lower_bound(first_of(region));
         claim != claims_.end() && region.contains(claim->cidr); ++claim)
      within.push_back(&*claim);
    std::sort(within.begin(), within.end(), [](const PodCidrClaim* one, const PodCidrClaim* other) {
      return std::tie(one->by, one->position) < std::tie(other->by, other->position);
    });
    Taken taken;
    for (const PodCidrClaim* claim : within)
      decided(*claim, is_barred(*claim) ? nullptr : taken.take(*claim));
  }
}

}  // namespace weft::podnet
