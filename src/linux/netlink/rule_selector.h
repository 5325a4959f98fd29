// SPDX-License-Identifier: Apache-2.0
//
// Which packets a policy routing rule is for, and when: as plain data, what the kernel's messages
// (rule.h) and the table of rules (tables/rule.h) share.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"

namespace weft::netlink {

struct RuleSelector {
  IpFamily family = IpFamily::kIpv4;
  std::uint32_t priority = 0;
  std::optional<Prefix> source{};
  std::optional<Prefix> destination{};
  std::uint32_t mark = 0;  // compared under `mask`
  std::uint32_t mask = 0;  // 0 = marks do not matter
  std::string in_link{};   // "" = any
  std::string out_link{};  // "" = any
  bool invert = false;     // what does not match
  auto operator<=>(const RuleSelector&) const = default;
};

}  // namespace weft::netlink
