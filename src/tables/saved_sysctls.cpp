// SPDX-License-Identifier: Apache-2.0
#include "tables/saved_sysctls.h"

#include <algorithm>
#include <string_view>

#include "linux/file.h"

namespace weft::tables {

namespace {

constexpr std::string_view kBoot = "boot ";
constexpr std::string_view kPrevious = "previous ";
constexpr std::string_view kOurs = "ours ";
constexpr std::string_view kKept = "kept ";
constexpr std::string_view kAlong = "along ";

// Takes the text's first line off; what stands behind `word`, if it begins so.
std::optional<std::string> take_line(std::string_view& text, std::string_view word) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(word)) return std::nullopt;
  std::string rest(text.substr(word.size(), end - word.size()));
  text.remove_prefix(end + 1);
  return rest;
}

std::optional<SysctlChange> take_change(std::string_view& text, std::string_view word) {
  const auto line = take_line(text, word);
  if (!line) return std::nullopt;
  const std::size_t before = line->find(' ');
  const std::size_t after = line->rfind(' ');
  if (before == after) return std::nullopt;
  return SysctlChange{line->substr(0, before), line->substr(before + 1, after - before - 1),
                      line->substr(after + 1)};
}

// Behind the line that names the boot.
std::optional<SavedSysctl> parse(std::string_view text) {
  const auto previous = take_line(text, kPrevious);
  const auto ours = take_line(text, kOurs);
  if (!previous || !ours) return std::nullopt;
  SavedSysctl saved{*previous, *ours, {}, {}};
  while (auto change = take_change(text, kKept)) saved.kept.push_back(std::move(*change));
  while (auto change = take_change(text, kAlong)) saved.along.push_back(std::move(*change));
  return text.empty() ? std::optional(std::move(saved)) : std::nullopt;
}

void print_change(std::string& text, std::string_view word, const SysctlChange& change) {
  text.append(word).append(change.key).append(" ").append(change.before);
  text.append(" ").append(change.after).append("\n");
}

std::string key_of(std::string name) {
  std::replace(name.begin(), name.end(), ':', '/');
  return name;
}

}  // namespace

Result<std::vector<std::string>> SavedSysctls::keys() const {
  WEFT_ASSIGN(const auto names, list_directory(directory_));
  std::vector<std::string> keys;
  for (const std::string& name : names)
    if (std::string key = key_of(name); is_good(name, key)) keys.push_back(std::move(key));
  return keys;
}

Result<> SavedSysctls::tidy() const {
  WEFT_ASSIGN(const auto names, list_directory(directory_));
  for (const std::string& name : names)
    if (!is_good(name, key_of(name))) WEFT_TRY(remove_file(directory_ + "/" + name));
  return {};
}

bool SavedSysctls::is_good(const std::string& name, const std::string& key) const {
  const bool is_half_written = name.starts_with('.');
  return !is_half_written && is_of_this_boot(key);
}

bool SavedSysctls::is_of_this_boot(const std::string& key) const {
  const auto saved = load(key);
  return !saved || *saved;  // of a spoilt one nobody knows
}

Result<std::optional<SavedSysctl>> SavedSysctls::load(const std::string& key) const {
  WEFT_ASSIGN(const auto text, read_if_there(path_of(key)));
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const auto boot = take_line(rest, kBoot);
  auto saved = boot ? parse(rest) : std::nullopt;
  if (!saved)
    return fail(path_of(key) + " is not a saved sysctl: remove it, and " + key + " stays as it is");
  return boot == boot_ ? std::move(saved) : std::nullopt;
}

Result<> SavedSysctls::save(const std::string& key, const SavedSysctl& saved) const {
  std::string text(kBoot);
  text.append(boot_)
      .append("\n")
      .append(kPrevious)
      .append(saved.previous)
      .append("\n")
      .append(kOurs)
      .append(saved.ours)
      .append("\n");
  for (const SysctlChange& change : saved.kept) print_change(text, kKept, change);
  for (const SysctlChange& change : saved.along) print_change(text, kAlong, change);
  WEFT_TRY(make_directories(directory_, 0755));
  return write_atomically(path_of(key), text, 0644, Durable::kYes);
}

Result<> SavedSysctls::forget(const std::string& key) const { return remove_file(path_of(key)); }

std::string SavedSysctls::path_of(const std::string& key) const {
  std::string name = key;
  std::replace(name.begin(), name.end(), '/', ':');
  return directory_ + "/" + name;
}

}  // namespace weft::tables
