// SPDX-License-Identifier: Apache-2.0
#include "tables/sysctl_driver.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "linux/file.h"
#include "linux/sysctl.h"
#include "tables/atomic_file.h"

namespace weft::tables {

namespace {

Failure no_such_sysctl(const std::string& key) {
  constexpr std::pair<std::string_view, std::string_view> kModules[] = {
      {"net/bridge/", "br_netfilter"},
      {"net/netfilter/nf_conntrack", "nf_conntrack"},
      {"net/ipv4/vs/", "ip_vs"},
      {"net/ipv6/", "ipv6"},
  };
  std::string message = "the kernel has no such sysctl";
  for (const auto& [prefix, module] : kModules)
    if (key.starts_with(prefix))
      message.append(" (module ").append(module).append(" is not loaded)");
  return fail(std::move(message), ENOENT);
}

std::string file_name(std::string key) {
  std::replace(key.begin(), key.end(), '/', ':');
  return key;
}

std::string key_of(std::string file) {
  std::replace(file.begin(), file.end(), ':', '/');
  return file;
}

Result<std::vector<std::string>> saved_keys(const std::string& directory) {
  std::vector<std::string> keys;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (const std::string name = entry->path().filename(); !name.starts_with('.'))
      keys.push_back(key_of(name));
  if (error && error != std::errc::no_such_file_or_directory)
    return fail_errno("read directory " + directory, error.value());
  return keys;
}

constexpr std::string_view kPrevious = "previous ";
constexpr std::string_view kOurs = "ours ";

}  // namespace

std::string SysctlDriver::path_of(const std::string& key) const {
  return directory_ + "/" + file_name(key);
}

Result<std::optional<SysctlDriver::Saved>> SysctlDriver::load(const std::string& key) const {
  WEFT_ASSIGN(const auto content, read_if_there(path_of(key)));
  if (!content) return std::nullopt;
  const std::string_view text = *content;
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos || !text.ends_with('\n') || !text.starts_with(kPrevious) ||
      !text.substr(line + 1).starts_with(kOurs))
    return fail(path_of(key) + " is not a saved sysctl");
  Saved saved;
  saved.previous = text.substr(kPrevious.size(), line - kPrevious.size());
  saved.ours = text.substr(line + 1 + kOurs.size());
  saved.ours.pop_back();
  return saved;
}

Result<> SysctlDriver::save(const std::string& key, const Saved& saved) const {
  std::string text(kPrevious);
  text.append(saved.previous).append("\n").append(kOurs).append(saved.ours).append("\n");
  return write_atomically(path_of(key), text);
}

Result<SysctlKind::Table> SysctlDriver::read() {
  WEFT_ASSIGN(const auto keys, saved_keys(directory_));
  WEFT_ASSIGN(const NetnsGuard inside, NetnsGuard::enter(netns_));
  SysctlKind::Table table;
  for (const std::string& key : keys) {
    WEFT_ASSIGN(const auto value, read_sysctl(key));
    table[key] = value.value_or("");
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

Result<> SysctlDriver::set(const std::string& key, const std::string& value) {
  WEFT_ASSIGN(const auto current, read_sysctl(key));
  if (!current) return no_such_sysctl(key);
  WEFT_ASSIGN(const auto saved, load(key));
  const Saved wanted{saved ? saved->previous : *current, value};
  if (saved != wanted) WEFT_TRY(save(key, wanted));
  if (!SysctlKind::same(value, *current)) WEFT_TRY(write_sysctl(key, value));
  return {};
}

Result<> SysctlDriver::restore(const std::string& key) {
  WEFT_ASSIGN(const auto saved, load(key));
  if (!saved) return {};
  WEFT_ASSIGN(const auto current, read_sysctl(key));
  if (current && SysctlKind::same(saved->ours, *current) && saved->previous != *current)
    WEFT_TRY(write_sysctl(key, saved->previous));
  return remove_file(path_of(key));
}

}  // namespace weft::tables
