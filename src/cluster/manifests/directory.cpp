// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/directory.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cluster/manifests/decode.h"
#include "cluster/manifests/regular_file.h"

namespace weft::cluster {
namespace {

// Where the kubelet mounts a ConfigMap, the files are symlinks through this one, which it replaces.
constexpr const char* kMountedVersion = "..data";

Result<std::set<std::string>> list_manifests(const std::string& path) {
  std::error_code error;
  std::set<std::string> names;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (is_manifest_name(name)) names.insert(name);
  }
  if (error) return fail_errno(path, error.value());
  return names;
}

}  // namespace

bool is_manifest_name(std::string_view name) {
  return !name.starts_with('.') &&
         (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

ManifestDirectory::ManifestDirectory(std::string path, std::string copies, model::SourceSink& sink,
                                     Report report)
    : path_(std::move(path)), copies_(std::move(copies)), sink_(sink), report_(std::move(report)) {}

Result<> ManifestDirectory::scan() { return scan({""}); }

Result<> ManifestDirectory::scan(const std::set<std::string>& names) {
  if (names.contains("") || names.contains(kMountedVersion) || !synced_) {
    WEFT_TRY(scan_all());
  } else {
    for (const std::string& name : names)
      if (is_manifest_name(name)) read(name);
  }
  tell_not_kept();
  return {};
}

Result<> ManifestDirectory::scan_all() {
  WEFT_ASSIGN(std::set<std::string> names, list_manifests(path_));
  for (const auto& [name, file] : files_) names.insert(name);
  if (!synced_) names.merge(copies_.names());
  for (const std::string& name : names) read(name);
  if (!std::exchange(synced_, true)) sink_.synced();
  return {};
}

void ManifestDirectory::read(const std::string& name) {
  const auto text = read_regular_file(path_, name);
  if (!text && (text.error().code == ENOENT || text.error().code == EISDIR)) return forget(name);
  const bool is_new = !files_.contains(name);
  const Result<> good = text ? take_text(name, *text) : Failure(text.error());
  if (good)
    keep_copy(name, *text);
  else if (const auto copy = copies_.read(name); copy && is_new)
    take_text(name, *copy);  // what an agent before this one found good
  File& file = files_[name];
  std::string problem = good ? "" : good.error().message;
  if (!good && file.was_good) problem += "; its last good state stands";
  if (!good && problem != file.problem) report_(problem);
  file.problem = std::move(problem);
}

void ManifestDirectory::forget(const std::string& name) {
  take(name, {});
  files_.erase(name);
  copies_.forget(name);
  not_kept_.erase(name);
}

Result<> ManifestDirectory::take_text(const std::string& name, std::string_view text) {
  WEFT_ASSIGN(Objects objects, decode(name, text));
  take(name, std::move(objects));
  return {};
}

void ManifestDirectory::keep_copy(const std::string& name, std::string_view text) {
  if (auto kept = copies_.keep(name, text); !kept) {
    not_kept_.insert(name);
    why_not_kept_ = std::move(kept.error().message);
  } else {
    not_kept_.erase(name);
  }
}

// A full disk is told once, not for every file.
void ManifestDirectory::tell_not_kept() {
  if (!not_kept_.empty() && !not_kept_told_) report_(not_kept_problem());
  not_kept_told_ = !not_kept_.empty();
}

std::string ManifestDirectory::not_kept_problem() const {
  const std::size_t more = not_kept_.size() - 1;
  return fmt::format("{}{}: would not outlast a restart: {}", *not_kept_.begin(),
                     more == 0 ? "" : fmt::format(" and {} more", more), why_not_kept_);
}

Result<ManifestDirectory::Objects> ManifestDirectory::decode(const std::string& name,
                                                             std::string_view text) {
  WEFT_ASSIGN(Manifest manifest, decode_manifest(text, name));
  tell_unknown(name, manifest.unknown_kinds);
  Objects objects;
  for (model::Object& object : manifest.objects) {
    const model::ObjectKey key = model::key_of(object);
    if (!objects.try_emplace(key, std::move(object)).second)
      report_(fmt::format("{}: {} is given twice: the first counts", name, key.to_string()));
  }
  return objects;
}

void ManifestDirectory::tell_unknown(const std::string& name, const std::set<std::string>& kinds) {
  for (const std::string& kind : kinds)
    if (unknown_kinds_.insert(kind).second)
      report_(fmt::format("{}: {} is no kind that matters here; left alone", name, kind));
}

void ManifestDirectory::take(const std::string& name, Objects objects) {
  // `objects` holds the old ones after this, so that other files can take over from them.
  File& file = files_[name];
  file.was_good = true;
  Objects& held = file.objects;
  std::swap(held, objects);
  const Objects& previous = objects;
  for (const auto& [key, object] : previous)
    if (!held.contains(key)) release(name, key);
  for (const auto& [key, object] : held) {
    const auto was = previous.find(key);
    claim(name, key, was == previous.end() || was->second != object);
  }
}

void ManifestDirectory::claim(const std::string& name, const model::ObjectKey& key, bool changed) {
  std::set<std::string>& holders = holders_[key];
  const bool added = holders.insert(name).second;
  if (added && holders.size() > 1)
    report_(fmt::format("{}: {} is also in {}, whose version counts", *holders.rbegin(),
                        key.to_string(), *holders.begin()));
  if (holders.size() > 1) shared_.insert(key);
  if (*holders.begin() == name && changed) sink_.upsert(files_[name].objects.at(key));
}

void ManifestDirectory::release(const std::string& name, const model::ObjectKey& key) {
  const auto found = holders_.find(key);
  std::set<std::string>& holders = found->second;
  const bool first = *holders.begin() == name;
  holders.erase(name);
  if (holders.size() == 1) shared_.erase(key);
  if (holders.empty()) {
    holders_.erase(found);
    sink_.remove(key);
  } else if (first) {
    sink_.upsert(files_[*holders.begin()].objects.at(key));
  }
}

std::map<std::string, std::string> ManifestDirectory::problems() const {
  std::map<std::string, std::string> problems;
  for (const auto& [name, file] : files_)
    if (!file.problem.empty()) problems.emplace(name, file.problem);
  if (!not_kept_.empty()) problems.emplace(copies_.path(), not_kept_problem());
  for (const model::ObjectKey& key : shared_) {
    const std::set<std::string>& holders = holders_.at(key);
    for (auto other = std::next(holders.begin()); other != holders.end(); ++other)
      problems.try_emplace(*other, fmt::format("{}: {} is also in {}, whose version counts", *other,
                                               key.to_string(), *holders.begin()));
  }
  return problems;
}

}  // namespace weft::cluster
