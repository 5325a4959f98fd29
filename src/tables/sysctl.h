// SPDX-License-Identifier: Apache-2.0
// Sysctls. Ours: those whose previous value is saved in the state directory.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace weft::tables {

struct SysctlKind {
  using Key = std::string;    // path below /proc/sys: "net/ipv4/ip_forward"
  using Value = std::string;  // "1"
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "sysctl";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const std::string& key_or_value);
};

}  // namespace weft::tables
