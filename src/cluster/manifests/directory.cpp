// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
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

// The one of this key.
const model::Object* find(const std::vector<model::Object>& objects, const model::Object& like) {
  const auto [first, end] =
      std::equal_range(objects.begin(), objects.end(), like, model::ByObjectKey());
  return first == end ? nullptr : &*first;
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
  Objects& objects = manifest.objects;
  std::stable_sort(objects.begin(), objects.end(), model::ByObjectKey());
  const auto same = [&](const model::Object& first, const model::Object& second) {
    if (model::ByObjectKey()(first, second)) return false;
    report_(fmt::format("{}: {} is given twice: the first counts", name,
                        model::key_of(second).to_string()));
    return true;
  };
  objects.erase(std::unique(objects.begin(), objects.end(), same), objects.end());
  objects.shrink_to_fit();
  return std::move(objects);
}

void ManifestDirectory::tell_unknown(const std::string& name, const std::set<std::string>& kinds) {
  for (const std::string& kind : kinds)
    if (unknown_kinds_.insert(kind).second)
      report_(fmt::format("{}: {} is no kind that matters here; left alone", name, kind));
}

void ManifestDirectory::take(const std::string& name, Objects objects) {
  File& file = files_[name];
  file.was_good = true;
  const Objects previous = std::exchange(file.objects, std::move(objects));
  for (const model::Object& object : previous)
    if (find(file.objects, object) == nullptr) release(name, object);
  for (model::Object& object : file.objects) {
    const model::Object* const was = find(previous, object);
    if (was != nullptr && *was == object) object = *was;  // so that it is held once
    claim(name, object, was);
  }
}

// `was`: this file's version until now, or null.
void ManifestDirectory::claim(const std::string& name, const model::Object& object,
                              const model::Object* was) {
  if (was != nullptr && *was == object) return;
  if (was != nullptr) versions_.erase({*was, &name});
  const auto version = versions_.insert({object, &files_.find(name)->first}).first;
  const auto [first, end] = versions_.equal_range(object);
  if (version == first) sink_.upsert(object);
  if (std::next(first) == end) return;
  contested_.insert(object);
  if (was == nullptr) report_(is_also_in(*std::prev(end), *first));
}

void ManifestDirectory::release(const std::string& name, const model::Object& object) {
  const auto version = versions_.find({object, &name});
  const bool counted = version == versions_.lower_bound(object);
  versions_.erase(version);
  const auto [first, end] = versions_.equal_range(object);
  if (first == end || std::next(first) == end) contested_.erase(object);
  if (first == end)
    sink_.remove(model::key_of(object));
  else if (counted)
    sink_.upsert(first->object);
}

std::string ManifestDirectory::is_also_in(const Version& other, const Version& counts) const {
  return fmt::format("{}: {} is also in {}, whose version counts", *other.file,
                     model::key_of(other.object).to_string(), *counts.file);
}

std::map<std::string, std::string> ManifestDirectory::problems() const {
  std::map<std::string, std::string> problems;
  for (const auto& [name, file] : files_)
    if (!file.problem.empty()) problems.emplace(name, file.problem);
  if (!not_kept_.empty()) problems.emplace(copies_.path(), not_kept_problem());
  for (const model::Object& object : contested_) {
    const auto [first, end] = versions_.equal_range(object);
    for (auto other = std::next(first); other != end; ++other)
      problems.try_emplace(*other->file, is_also_in(*other, *first));
  }
  return problems;
}

bool ManifestDirectory::ByObject::operator()(const Version& a, const Version& b) const {
  const model::ByObjectKey less;
  if (less(a.object, b.object)) return true;
  return !less(b.object, a.object) && *a.file < *b.file;
}

bool ManifestDirectory::ByObject::operator()(const Version& a, const model::Object& b) const {
  return model::ByObjectKey()(a.object, b);
}

bool ManifestDirectory::ByObject::operator()(const model::Object& a, const Version& b) const {
  return model::ByObjectKey()(a, b.object);
}

}  // namespace weft::cluster
