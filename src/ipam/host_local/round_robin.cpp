// SPDX-License-Identifier: Apache-2.0
#include "ipam/host_local/round_robin.h"

namespace weft::ipam {

RoundRobin::RoundRobin(const RangeSet& set, const std::optional<IpAddress>& last)
    : set_(set), cursor_(set.front().start) {
  const Range* range = last ? find_range(set, *last) : nullptr;
  if (range != nullptr) {
    range_ = static_cast<std::size_t>(range - set.data());
    cursor_ = *last;
    advance();
  }
  first_ = cursor_;
}

void RoundRobin::advance() {
  if (cursor_ == set_[range_].end) {
    range_ = (range_ + 1) % set_.size();
    cursor_ = set_[range_].start;
  } else {
    cursor_ = cursor_.plus(1);
  }
}

std::optional<Lease> RoundRobin::next() {
  while (!started_ || cursor_ != first_) {
    started_ = true;
    const Range& range = set_[range_];
    const IpAddress address = cursor_;
    advance();
    if (address != range.gateway) return Lease{{address, range.subnet.length}, range.gateway};
  }
  return std::nullopt;
}

}  // namespace weft::ipam
