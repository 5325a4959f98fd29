// SPDX-License-Identifier: Apache-2.0
#include "tables/sysctl_driver.h"

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "linux/sysctl.h"

namespace weft::tables {

namespace {

// The link of "net/ipv4/conf/LINK/forwarding", where other links have the sysctl.
std::optional<std::string> absent_link(const std::string& key) {
  for (const std::string links : {"net/ipv4/conf/", "net/ipv6/conf/"}) {
    const std::size_t end = key.find('/', links.size());
    if (!key.starts_with(links) || end == std::string::npos) continue;
    const auto of_all = read_sysctl(links + "all" + key.substr(end));
    if (of_all && *of_all) return key.substr(links.size(), end - links.size());
  }
  return std::nullopt;
}

Failure no_such_sysctl(const std::string& key) {
  constexpr std::pair<std::string_view, std::string_view> kModules[] = {
      {"net/bridge/", "br_netfilter"},
      {"net/netfilter/nf_conntrack", "nf_conntrack"},
      {"net/ipv4/vs/", "ip_vs"},
      {"net/ipv6/", "ipv6"},
  };
  if (const auto link = absent_link(key)) return fail("there is no link " + *link, ENODEV);
  std::string message = "the kernel has no such sysctl";
  for (const auto& [prefix, module] : kModules)
    if (key.starts_with(prefix))
      message.append(" (module ").append(module).append(" is not loaded)");
  return fail(std::move(message), ENOENT);
}

Result<bool> reads(const std::string& key, const std::string& value) {
  WEFT_ASSIGN(const auto current, read_sysctl(key));
  return current == value;
}

// As it was before us, though it should not be.
Result<bool> has_lapsed(const SysctlChange& kept) { return reads(kept.key, kept.before); }

}  // namespace

Result<std::unique_ptr<SysctlDriver>> SysctlDriver::open(const netlink::Socket& beside,
                                                         const Ownership& ownership) {
  WEFT_ASSIGN(Netns netns, beside.netns());
  WEFT_ASSIGN(const auto boot, read_sysctl("kernel/random/boot_id"));
  return std::make_unique<SysctlDriver>(std::move(netns), ownership.state_directory,
                                        boot.value_or(""), ownership.links);
}

Result<SysctlKind::Table> SysctlDriver::read() {
  WEFT_ASSIGN(const auto keys, saved_.keys());
  WEFT_ASSIGN(const NetnsGuard inside, NetnsGuard::enter(netns_));
  SysctlKind::Table table;
  for (const std::string& key : keys) {
    WEFT_ASSIGN(const auto value, read_sysctl(key));
    std::string& shown = table[key] = value.value_or("");
    const auto saved = saved_.load(key);
    if (!saved) shown += " (" + saved.error().message + ")";
    if (!saved || !*saved) continue;
    for (const SysctlChange& kept : (*saved)->kept) {
      WEFT_ASSIGN(const bool lapsed, has_lapsed(kept));
      if (lapsed) shown += " (" + kept.key + " is " + kept.before + ", not " + kept.after + ")";
    }
  }
  return table;
}

void SysctlDriver::write(const reconcile::Changes<SysctlKind>& changes,
                         const reconcile::Desired<SysctlKind>&,
                         reconcile::WriteDone<SysctlKind> done) {
  std::vector<reconcile::WriteFailure<SysctlKind>> failures;
  const auto inside = NetnsGuard::enter(netns_);
  if (!inside) return done({{std::nullopt, inside.error()}});
  for (const auto& change : changes) {
    Result<> result = change.value ? set(change.key, *change.value) : restore(change.key);
    if (!result) failures.push_back({change.key, std::move(result.error())});
  }
  done(std::move(failures));
}

// What must be written before `key` gets `value`, which it has not.
Result<std::vector<SysctlChange>> SysctlDriver::to_keep(const std::string& key,
                                                        const std::string& value) const {
  if (key != kIpv6Forwarding || value == "0") return {};
  const std::vector<std::string_view> own(own_links_.begin(), own_links_.end());
  return keep_accepting_advertisements(own);
}

Result<> SysctlDriver::set(const std::string& key, const std::string& value) {
  WEFT_ASSIGN(const auto current, read_sysctl(key));
  if (!current) return no_such_sysctl(key);
  const bool right = SysctlKind::same(value, *current);
  WEFT_ASSIGN(const auto before, saved_.load(key));
  SavedSysctl saved = before.value_or(SavedSysctl{.previous = *current});
  saved.ours = value;
  if (!before && !right) {
    WEFT_ASSIGN(saved.kept, to_keep(key, value));
    WEFT_ASSIGN(saved.along, changed_along(key, value));
  }
  if (before != saved) WEFT_TRY(saved_.save(key, saved));
  for (const SysctlChange& kept : saved.kept) {
    WEFT_ASSIGN(const bool lapsed, has_lapsed(kept));
    if (lapsed) WEFT_TRY(write_sysctl(kept.key, kept.after));
  }
  return right ? Result<>() : write_sysctl(key, value);
}

Result<> SysctlDriver::restore(const std::string& key) {
  WEFT_ASSIGN(const auto saved, saved_.load(key));
  if (!saved) return {};
  WEFT_TRY(put_back(key, *saved));
  for (const SysctlChange& kept : saved->kept) {
    WEFT_ASSIGN(const bool still_ours, reads(kept.key, kept.after));
    if (still_ours) WEFT_TRY(write_sysctl(kept.key, kept.before));
  }
  return saved_.forget(key);
}

Result<> SysctlDriver::put_back(const std::string& key, const SavedSysctl& saved) {
  WEFT_ASSIGN(const auto current, read_sysctl(key));
  const bool is_ours = current && SysctlKind::same(saved.ours, *current);
  // Someone was faster, or an uninstall was cut short: the kernel has set the others along.
  const bool is_back = current == saved.previous;
  if (!is_ours && !is_back) return {};
  std::vector<std::pair<std::string, std::string>> along;
  for (const SysctlChange& change : saved.along) {
    WEFT_ASSIGN(const auto now, read_sysctl(change.key));
    if (!now) continue;  // its link went
    const bool is_anothers = is_ours && now != change.after;
    along.emplace_back(change.key, is_anothers ? *now : change.before);
  }
  if (!is_back) WEFT_TRY(write_sysctl(key, saved.previous));
  for (const auto& [changed, value] : along) WEFT_TRY(ensure_sysctl(changed, value));
  return {};
}

}  // namespace weft::tables
