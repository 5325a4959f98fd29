// SPDX-License-Identifier: Apache-2.0
#include "linux/forwarding.h"

#include <algorithm>

#include "linux/file.h"
#include "linux/sysctl.h"

namespace weft {

namespace {

constexpr const char* kIpv4Links = "net/ipv4/conf/";
constexpr const char* kIpv6Links = "net/ipv6/conf/";
constexpr const char* kAcceptRedirects = "net/ipv4/conf/all/accept_redirects";

Result<std::vector<std::string>> list_links(const std::string& directory) {
  return list_directory("/proc/sys/" + directory);
}

bool is_link(std::string_view name) { return name != "all" && name != "default" && name != "lo"; }

}  // namespace

Result<std::vector<SysctlChange>> keep_accepting_advertisements(
    std::span<const std::string_view> except) {
  WEFT_ASSIGN(const auto names, list_links(kIpv6Links));
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

Result<std::vector<SysctlChange>> changed_along(const std::string& key, const std::string& value) {
  if (key != kIpv4Forwarding && key != kIpv6Forwarding) return {};
  const std::string links = key == kIpv4Forwarding ? kIpv4Links : kIpv6Links;
  WEFT_ASSIGN(const auto names, list_links(links));
  std::vector<SysctlChange> changes;
  for (const std::string& name : names)
    if (name != "all") changes.push_back({links + name + "/forwarding", {}, value});
  if (key == kIpv4Forwarding) changes.push_back({kAcceptRedirects, {}, value == "0" ? "1" : "0"});
  for (SysctlChange& change : changes) {
    WEFT_ASSIGN(const auto before, read_sysctl(change.key));
    change.before = before.value_or(change.after);  // a link that went meanwhile
  }
  return changes;
}

}  // namespace weft
