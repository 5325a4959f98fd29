// SPDX-License-Identifier: Apache-2.0
//
// The order in which a range set's addresses are offered: from the one after the last address
// handed out, around through every range, back to that one; gateways left out. So a freed address
// rests as long as it can, and caches that still know its old owner run out first. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "ipam/host_local/range.h"

namespace weft::ipam {

struct Lease {
  Prefix address{};  // with the subnet's length
  IpAddress gateway{};
};

class RoundRobin {
 public:
  // `last` outside of every range: begins at the first range's start. `set` must outlive this.
  RoundRobin(const RangeSet& set, const std::optional<IpAddress>& last);

  // The next address, each one once; then nothing.
  std::optional<Lease> next();

 private:
  void advance();

  const RangeSet& set_;
  std::size_t range_ = 0;
  IpAddress cursor_{};
  IpAddress first_{};
  bool started_ = false;
};

}  // namespace weft::ipam
