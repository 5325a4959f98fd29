// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/unique_fd.h"
#include "cluster/manifests/decode.h"

namespace weft::cluster {
namespace {

// Four times what a list of 10,000 Services with 10 endpoints each takes.
constexpr std::size_t kLargestFile = 64 * 1024 * 1024;

// Where the kubelet mounts a ConfigMap, the files are symlinks through this one, which it replaces.
constexpr const char* kMountedVersion = "..data";

Result<std::string> read_all(int fd, const std::string& name) {
  std::string text;
  std::array<char, 65536> block;
  while (text.size() <= kLargestFile) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(name);
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return fail(fmt::format("{}: is larger than {} MiB", name, kLargestFile >> 20));
}

Result<> check_regular(const struct stat& status, const std::string& name) {
  if (S_ISDIR(status.st_mode)) return fail_errno(name, EISDIR);
  if (!S_ISREG(status.st_mode)) return fail(name + ": is not a regular file");
  return {};
}

// Looked at before it is opened, because to open a device or a FIFO is to do something to it; and
// after, because it may have been replaced.
Result<std::string> read_file(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail_errno(name);
  WEFT_TRY(check_regular(status, name));
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail_errno(name);
  WEFT_TRY(check_regular(status, name));
  return read_all(fd.get(), name);
}

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

ManifestDirectory::ManifestDirectory(std::string path, model::SourceSink& sink, Report report)
    : path_(std::move(path)), sink_(sink), report_(std::move(report)) {}

Result<> ManifestDirectory::scan() {
  WEFT_ASSIGN(std::set<std::string> names, list_manifests(path_));
  for (const auto& [name, file] : files_) names.insert(name);
  for (const std::string& name : names) read(name);
  if (!std::exchange(synced_, true)) sink_.synced();
  return {};
}

Result<> ManifestDirectory::scan(const std::set<std::string>& names) {
  if (names.contains("") || names.contains(kMountedVersion) || !synced_) return scan();
  for (const std::string& name : names)
    if (is_manifest_name(name)) read(name);
  return {};
}

void ManifestDirectory::read(const std::string& name) {
  const auto text = read_file(path_, name);
  if (!text && (text.error().code == ENOENT || text.error().code == EISDIR)) {
    take(name, {});
    files_.erase(name);
    return;
  }
  std::string problem;
  if (!text)
    problem = text.error().message;
  else if (Objects objects = decode(name, *text, problem); problem.empty())
    take(name, std::move(objects));
  File& file = files_[name];
  if (!problem.empty() && problem != file.problem) report_(problem);
  file.problem = std::move(problem);
}

ManifestDirectory::Objects ManifestDirectory::decode(const std::string& name, std::string_view text,
                                                     std::string& problem) {
  Objects objects;
  auto manifest = decode_manifest(text, name);
  if (!manifest) {
    problem = std::move(manifest.error().message);
    return objects;
  }
  tell_unknown(name, manifest->unknown_kinds);
  for (model::Object& object : manifest->objects) {
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
  Objects& held = files_[name].objects;
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
  if (*holders.begin() == name && changed) sink_.upsert(files_[name].objects.at(key));
}

void ManifestDirectory::release(const std::string& name, const model::ObjectKey& key) {
  const auto found = holders_.find(key);
  std::set<std::string>& holders = found->second;
  const bool first = *holders.begin() == name;
  holders.erase(name);
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
  for (const auto& [key, holders] : holders_)
    for (auto other = std::next(holders.begin()); other != holders.end(); ++other)
      problems.try_emplace(*other, fmt::format("{}: {} is also in {}, whose version counts", *other,
                                               key.to_string(), *holders.begin()));
  return problems;
}

}  // namespace weft::cluster
