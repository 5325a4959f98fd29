// SPDX-License-Identifier: Apache-2.0
//
// Which of the pod CIDRs that Nodes claim are theirs: one overlaps another only where it is
// refused. They are decided in order, this node's first and then those of the others by name: a
// claim is refused where it is barred for a reason of its own, or overlaps one that was taken
// before it; one that is refused is in nobody's way. So the outcome follows from the claims there
// are, whatever order they came in.
//
// Two CIDRs overlap only where one contains the other. So a change reaches the claims within the
// largest CIDR around it and no others, and just those are decided again: where no pod CIDRs
// overlap, which is how it should be, that is the one that changed. One Node that claims all of the
// cluster's makes each change cost a look at all claims.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/address.h"
#include "model/objects.h"

namespace weft::podnet {

// A Node in the order in which its words count.
struct Claimant {
  bool other = true;  // than this node
  model::ObjectName node{};
  auto operator<=>(const Claimant&) const = default;
};

struct PodCidrClaim {
  Prefix cidr{};  // a network
  Claimant by{};
  std::size_t position = 0;  // among the claimant's
  auto operator<=>(const PodCidrClaim&) const = default;
};

class PodCidrClaims {
 public:
  void add(const PodCidrClaim& claim);
  void remove(const PodCidrClaim& claim);
  // What bars claims around this network may have changed.
  void reconsider(const Prefix& network) { changed_.insert(network); }

  // Decides what the calls above may have changed. `is_barred` says what else is in the way of a
  // claim. `decided` is told each, and of a refused one by which it is, if it is not barred.
  void decide(const std::function<bool(const PodCidrClaim&)>& is_barred,
              const std::function<void(const PodCidrClaim&, const PodCidrClaim* rival)>& decided);

 private:
  // The largest claim around it, or itself.
  Prefix around(const Prefix& network) const;

  std::set<PodCidrClaim> claims_{};  // a CIDR before those within it
  // How many claims there are of each length.
  std::map<IpFamily, std::map<std::uint8_t, std::size_t>> lengths_{};
  std::set<Prefix> changed_{};
};

}  // namespace weft::podnet
