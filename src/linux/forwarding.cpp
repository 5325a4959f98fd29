// SPDX-License-Identifier: Apache-2.0
#include "linux/forwarding.h"

#include <algorithm>

#include "linux/file.h"
#include "linux/sysctl.h"

namespace weft {

namespace {

constexpr const char* kIpv6Links = "net/ipv6/conf/";

bool is_link(std::string_view name) { return name != "all" && name != "default" && name != "lo"; }

}  // namespace

Result<std::vector<SysctlChange>> keep_accepting_advertisements(
    std::span<const std::string_view> except) {
  WEFT_ASSIGN(const auto names, list_directory(std::string("/proc/sys/") + kIpv6Links));
  std::vector<SysctlChange> changes;
  for (const std::string& name : names) {
    if (!is_link(name) || std::find(except.begin(), except.end(), name) != except.end()) continue;
    const std::string accept = kIpv6Links + name + "/accept_ra";
    WEFT_ASSIGN(const auto accepts, read_sysctl(accept));
    WEFT_ASSIGN(const auto forwards, read_sysctl(kIpv6Links + name + "/forwarding"));
    if (accepts == "1" && forwards == "0") changes.push_back({accept, "1", "2"});
  }
  return changes;
}

}  // namespace weft
